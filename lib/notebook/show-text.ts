import { visibleLines } from "../util/visible-text.js";
import { emitDisplay } from "./emit-display.js";
import { escapeHtml } from "./show-table.js";

/** Shows a sentence or two below the cell, broken between words where `console.log` would break inside them. */
export function showText(text: string): void {
  emitDisplay({
    "text/html": `<p style="margin:4px 0">${escapeHtml(text)}</p>`,
    "text/plain": visibleLines(text),
  });
}
