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
  const align = columns.map(({ numeric }) => ` style="text-align:${numeric ? "right" : "left"}"`);
  const line = (tag: string, texts: readonly string[]): string =>
    `<tr>${texts.map((text, i) => `<${tag}${align[i] ?? ""}>${onOneLine(escapeHtml(text))}</${tag}>`).join("")}</tr>`;
  const head = line(
    "th",
    columns.map(({ name }) => name),
  );
  const body = rows.map((row) => line("td", row)).join("");
  const rest = left === 0 ? "" : `<p>${moreRows(left)}</p>`;
  return `<div style="overflow-x:auto"><table><thead>${head}</thead><tbody>${body}</tbody></table></div>${rest}`;
}

/** Longest text that is not broken. */
const SHORT = 24;

/** Short texts, such as "38.2 ± 0.2", with spaces at which no viewer breaks them. */
const onOneLine = (text: string): string => (text.length <= SHORT ? text.replaceAll(" ", "\u00a0") : text);

/** Text as HTML shows it. */
export function escapeHtml(text: string): string {
  return visibleLines(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
