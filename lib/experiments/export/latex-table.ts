import { type TableCells, tableCells, type TableLike, type TableOptions } from "../../util/table-cells.js";

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

/** The lines above a table's names, below them, and at its end. */
interface Rules {
  readonly top: string;
  readonly middle: string;
  readonly bottom: string;
}

const BOOKTABS: Rules = { top: "\\toprule", middle: "\\midrule", bottom: "\\bottomrule" };
/** They need no package. */
export const PLAIN_RULES: Rules = { top: "\\hline", middle: "\\hline", bottom: "\\hline" };

/** A table as LaTeX sets it with the package booktabs: numbers at the right with equal decimals, texts escaped. */
export function latexTable(table: TableLike, options: TableOptions = {}): string {
  return latexTabular(tableCells(table, { limit: Infinity, ...options }), BOOKTABS);
}

/** A table whose cells are texts already. */
export function latexTabular({ columns, rows }: TableCells, { top, middle, bottom }: Rules): string {
  const line = (texts: readonly string[]): string => `  ${texts.map(escaped).join(" & ")} \\\\`;
  return [
    `\\begin{tabular}{${columns.map(({ numeric }) => (numeric ? "r" : "l")).join("")}}`,
    `  ${top}`,
    line(columns.map(({ name }) => name)),
    `  ${middle}`,
    ...rows.map(line),
    `  ${bottom}`,
    "\\end{tabular}",
    "",
  ].join("\n");
}

const escaped = (text: string): string =>
  text.replace(/[&%$#_{}~^\\±<>−]/g, (character) => SPECIAL[character] ?? character);
