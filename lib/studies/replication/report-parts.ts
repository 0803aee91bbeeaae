import { visibleText } from "../../util/visible-text.js";
import type { TableRow } from "../study.js";
import { holds, isFormer, type RecordedFinding, type StudyRecord } from "./study-record.js";

/** Rows of a table that is shown without being asked for. */
const LONGEST_TABLE = 24;
/** Columns that fit on an upright page. */
const WIDEST_TABLE = 9;

export function findingsTable(title: string, findings: readonly RecordedFinding[]): string {
  if (findings.length === 0) return "";
  const rows = findings.map((finding) => {
    const project =
      "by" in finding && finding.by === "project" ? " <small>(asked by this project)</small>" : "";
    return `<tr><td class="outcome">${mark(finding)}</td><td>${escaped(finding.statement)}${project}</td><td>${escaped(finding.measured)}</td></tr>`;
  });
  return `<table class="findings"><caption>${escaped(title)}</caption><thead><tr><th>Holds</th><th>Finding</th><th>Measured</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table>`;
}

/** `label`: "3", or "A7" in the appendix. */
export function figureHtml(label: string, caption: string, svg: string | undefined): string {
  const drawing =
    svg === undefined ? `<p class="absent">This figure could not be drawn.</p>` : withoutFonts(svg);
  return `<figure>${drawing}<figcaption><b>Figure ${label}.</b> ${escaped(caption)}</figcaption></figure>`;
}

/** A drawing without the typeface inside it, which the page carries once for all. */
function withoutFonts(svg: string): string {
  return svg.replace(/<style>@font-face[^<]*<\/style>/, "").replace(/^<\?xml[^>]*>/, "");
}

/** `label` as of figures; `study` is the name of the file that has its numbers too. */
export function tableHtml(label: string, title: string, rows: readonly TableRow[], study: string): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const head = columns.map((name) => `<th>${escaped(name)}</th>`).join("");
  const body = rows.map((row) => `<tr>${columns.map((column) => cellHtml(row[column])).join("")}</tr>`);
  const table = `<div class="scroll"><table class="numbers"><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
  const wide = columns.length > WIDEST_TABLE ? "table wide" : "table";
  // Outside of what scrolls: a wide table would take its title along.
  if (rows.length <= LONGEST_TABLE)
    return `<div class="${wide}"><p class="title">Table ${label}. ${escaped(title)}</p>${table}</div>`;
  // On paper a long table stays folded: its numbers are in the study's own file.
  return `<details><summary>Table ${label}. ${escaped(title)} (${rows.length} rows, also in ${escaped(study)}.json)</summary>${table}</details>`;
}

function cellHtml(value: string | number | undefined): string {
  if (typeof value === "number") return `<td class="number">${number(value)}</td>`;
  const isNumeric = /^[-+−]?\d/.test(value ?? "");
  return `<td${isNumeric ? ' class="number"' : ""}>${escaped(value ?? "")}</td>`;
}

/** A verdict in words, with a shape and a colour of its own. */
export function badge(verdict: StudyRecord["verdict"]): string {
  const kinds = {
    reproduced: ["held", "✓"],
    "in part": ["part", "◐"],
    "not reproduced": ["not", "✗"],
    "not tested here": ["untested", "–"],
    withdrawn: ["untested", "–"],
  } as const;
  if (isFormer(verdict)) return `<span class="badge untested">by former rules</span>`;
  const [kind, sign] = kinds[verdict];
  return `<span class="badge ${kind}">${sign} ${verdict}</span>`;
}

function mark(finding: RecordedFinding): string {
  if (holds(finding)) return `<span class="held">✓ yes</span>`;
  const isOpen = "outcome" in finding && finding.outcome === "not decided";
  return isOpen ? "– not decided" : `<span class="not">✗ no</span>`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export function hours(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${(seconds / 3600).toFixed(1)} hours`;
}

/** Up to four significant digits, whole numbers in full with thousands set apart. */
export function number(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Math.abs(value) >= 1e-3 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escaped(text: string): string {
  return visibleText(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
