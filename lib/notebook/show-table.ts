import { visibleLines } from "../util/visible-text.js";
import {
  moreRows,
  tableCells,
  type TableCells,
  type TableLike,
  type TableOptions,
  tableText,
} from "../util/table-cells.js";
import { emitDisplay, type DisplayBundle } from "./emit-display.js";

/** Shows a table below the cell, numbers aligned at the right. */
export function showTable(table: TableLike, options: TableOptions = {}): void {
  emitDisplay(tableBundle(table, options));
}

/** A table as HTML and as text in columns. */
export function tableBundle(table: TableLike, options: TableOptions = {}): DisplayBundle {
  const cells = tableCells(table, options);
  return { "text/html": tableHtml(cells), "text/plain": tableText(cells) };
}

function tableHtml({ columns, rows, left }: TableCells): string {
  const texts = columns.map((_, i) => rows.map((row) => row[i] ?? ""));
  const head = columns.map(({ name, numeric }, i) =>
    cellHtml("th", headStyle(numeric, texts[i] ?? []), title(name)),
  );
  const styles = columns.map(({ numeric }, i) => cellStyle(numeric, texts[i] ?? []));
  const isTall = texts.flat().some(({ length }) => length > LONG);
  const line = (row: readonly string[]): string =>
    row.map((text, i) => cellHtml("td", styles[i] ?? "", content(text))).join("");
  const begin = isTall ? '<tr style="vertical-align:top">' : "<tr>";
  const body = rows.map((row) => `${begin}${line(row)}</tr>`).join("");
  const rest = left === 0 ? "" : `<p>${moreRows(left)}</p>`;
  return `<div style="overflow-x:auto"><table><thead><tr>${head.join("")}</tr></thead><tbody>${body}</tbody></table></div>${rest}`;
}

const cellHtml = (tag: "th" | "td", style: string, html: string): string =>
  `<${tag} style="${style}">${html}</${tag}>`;

/** Longest text that is not broken. */
const SHORT = 24;
/** Texts that are longer get room to be read in, whatever stands beside them. */
const LONG = 60;
/** In widths of "m": of a letter on average, and of a column of long texts, of which two fit a screen 1,280 pixels wide. */
const WIDTH = { letter: 0.54, texts: 22 };

const align = (numeric: boolean): string => `text-align:${numeric ? "right" : "left"}`;

/** A clause has a line of its own, where there is room for it. */
const CLAUSE_END = /; (?![^()]*\))/g;

function headStyle(numeric: boolean, texts: readonly string[]): string {
  if (texts.every(({ length }) => length <= LONG)) return align(numeric);
  const clauses = texts.flatMap((text) => text.split(CLAUSE_END));
  const longest = Math.ceil(WIDTH.letter * Math.max(...clauses.map(({ length }) => length)));
  return `${align(numeric)};min-width:${Math.min(WIDTH.texts, longest)}em`;
}

/** A short name is not broken at its hyphen. */
const cellStyle = (numeric: boolean, texts: readonly string[]): string =>
  !numeric && texts.some((text) => text.includes("-")) && texts.every(({ length }) => length <= SHORT)
    ? `${align(numeric)};white-space:nowrap`
    : align(numeric);

/** With spaces at which no viewer breaks it. */
const unbroken = (text: string): string => text.replaceAll(" ", "\u00a0");

/** A column's name, which may be broken, as "accuracy_mean" after its stroke, but not within "t = 1". */
const title = (name: string): string => glued(escapeHtml(name)).replaceAll("_", "_<wbr>");

/** Short texts, such as "38.2 ± 0.2", on one line; paths may be broken after a stroke. */
const content = (text: string): string =>
  text.length <= SHORT
    ? unbroken(escapeHtml(text))
    : glued(escapeHtml(text)).replaceAll("/", "/<wbr>").replaceAll(CLAUSE_END, ";<br>");

const glued = (text: string): string => text.replaceAll(/ (=|±|&lt;|&gt;) /g, unbroken);

/** Text as HTML shows it. */
export function escapeHtml(text: string): string {
  return visibleLines(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
