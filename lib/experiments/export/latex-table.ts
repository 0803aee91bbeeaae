import { tableCells, type TableLike, type TableOptions } from "../../util/table-cells.js";

const SPECIAL: Readonly<Record<string, string>> = {
  "&": "\\&",
  "%": "\\%",
  $: "\\$",
  "#": "\\#",
  _: "\\_",
  "{": "\\{",
  "}": "\\}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "\\": "\\textbackslash{}",
  "±": "$\\pm$",
  "<": "$<$",
  ">": "$>$",
  "−": "$-$",
};

/** A table as LaTeX sets it with the package booktabs: numbers at the right with equal decimals, texts escaped. */
export function latexTable(table: TableLike, options: TableOptions = {}): string {
  const { columns, rows } = tableCells(table, { limit: Infinity, ...options });
  const line = (texts: readonly string[]): string => `  ${texts.map(escaped).join(" & ")} \\\\`;
  return [
    `\\begin{tabular}{${columns.map(({ numeric }) => (numeric ? "r" : "l")).join("")}}`,
    "  \\toprule",
    line(columns.map(({ name }) => name)),
    "  \\midrule",
    ...rows.map(line),
    "  \\bottomrule",
    "\\end{tabular}",
    "",
  ].join("\n");
}

const escaped = (text: string): string =>
  text.replace(/[&%$#_{}~^\\±<>−]/g, (character) => SPECIAL[character] ?? character);
