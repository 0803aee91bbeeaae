import { divergedText } from "../diverged.js";
import type { TableRow } from "../study.js";
import type { StudyRecord } from "./study-record.js";

/** All that a report shows. */
export interface Report {
  readonly protocol: string;
  readonly purpose: string;
  readonly sections: readonly ReportSection[];
  /** Studies that have no result yet. */
  readonly missing: readonly string[];
  /** What the protocol wants and this replication does without. */
  readonly without: readonly string[];
  /** CSS that carries the typeface of the figures. */
  readonly fonts: string;
}

/** One study on one data set. */
export interface ReportSection {
  readonly record: StudyRecord;
  /** SVG text of each figure by its name; one that is not here is said to be missing. */
  readonly drawings: ReadonlyMap<string, string>;
}

/** Rows of a table that is shown without being asked for. */
const LONGEST_TABLE = 24;

/** One page for screen and print, whole in itself: no script, nothing from outside. Texts are escaped. */
export function reportHtml(report: Report): string {
  const { protocol, sections, missing, without, fonts } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`Replication report, protocol ${protocol}`)}</title>
<style>${fonts}
${STYLE}</style>
</head>
<body>
<header>
<p class="kicker">Replication report, protocol <b>${escaped(protocol)}</b></p>
<h1>Anytime prediction with parallel cascaded networks and a temporal-difference loss</h1>
<p>Iuzzolino, Mozer and Bengio, NeurIPS 2021, arXiv 2102.09808. This protocol: ${escaped(report.purpose)}.
Every verdict below is computed from the measured numbers by the rule that its finding states.</p>
</header>
<main>
${overview(sections)}
${notes("Not there yet", missing)}
${notes("Done without", without)}
${sections.map(sectionHtml).join("\n")}
${provenance(protocol, sections)}
</main>
</body>
</html>
`;
}

/** The verdicts, up front. */
function overview(sections: readonly ReportSection[]): string {
  if (sections.length === 0) return "<p>There are no results yet.</p>";
  const rows = sections.map(({ record }) => {
    const { study, data, verdict, findings } = record;
    const held = findings.filter(({ comesOut }) => comesOut).length;
    const notes = [
      ...(findings.length === 0 ? [] : [`${held} of ${findings.length} findings`]),
      ...lossesOf(record),
    ];
    return `<tr><td><a href="#${anchorOf(record)}">${escaped(study.title)}</a><br><small>${escaped(study.claim)}</small></td><td>${escaped(data.name)}</td><td class="verdict">${badge(verdict)}<br><small>${notes.map(escaped).join("; ")}</small></td></tr>`;
  });
  return `<section class="overview"><h2>Verdicts</h2>
<table><thead><tr><th>Claim of the paper</th><th>Data</th><th>Verdict</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table></section>`;
}

/** What trainings that diverged cost a study: nothing where none did. */
function lossesOf({ notTested, diverged = [], runs }: StudyRecord): string[] {
  if (notTested !== undefined) return [notTested];
  return diverged.length === 0 ? [] : [divergedText(diverged, runs.length)];
}

function notes(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `<section class="notes"><h2>${title}</h2><ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul></section>`;
}

function sectionHtml({ record, drawings }: ReportSection): string {
  const { study, data, verdict, findings, figures, tables } = record;
  const found = findings.map(
    ({ statement, measured, comesOut }) =>
      `<tr><td class="outcome">${mark(comesOut)}</td><td>${escaped(statement)}</td><td>${escaped(measured)}</td></tr>`,
  );
  const diverged = (record.diverged ?? []).map(
    ({ name, hash, seed, text }) =>
      `<li>${escaped(name)}-<code>${escaped(hash)}</code> (seed ${seed}): ${escaped(text)}</li>`,
  );
  const losses = lossesOf(record).map(
    (text) => `<p><b>${escaped(text)}.</b></p><ul>${diverged.join("")}</ul>\n`,
  );
  return `<section class="study" id="${anchorOf(record)}">
<h2>${escaped(study.title)} ${badge(verdict)}</h2>
<p class="where">${escaped(data.name)}, ${number(data.train)} training and ${number(data.test)} test images; ${plural(record.settings.seeds.length, "seed")} (${record.settings.seeds.join(", ")})</p>
<p class="claim">${escaped(study.claim)}</p>
${losses.join("")}${found.length === 0 ? "" : findingsTable(found)}
${figures.map(({ name, caption }, i) => figureHtml(i + 1, caption, drawings.get(name))).join("\n")}
${tables.map(({ title, rows }) => tableHtml(title, rows, study.name)).join("\n")}
<p class="source">Trainings: ${record.runs.map(({ name, hash, seed }) => `${escaped(name)}-<code>${escaped(hash)}</code> (seed ${seed})`).join(", ")}. Overrides: <code>${escaped(record.settings.overrides.join(" ") || "none")}</code>. Training took ${hours(record.runs.reduce((sum, run) => sum + run.trainingSeconds, 0))} in all, the analysis ${hours(record.analysisSeconds)}; finished ${escaped(record.finishedAt.slice(0, 16).replace("T", " "))} UTC.</p>
</section>`;
}

function findingsTable(rows: readonly string[]): string {
  return `<table class="findings"><thead><tr><th>Outcome</th><th>Finding</th><th>Measured</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table>`;
}

function figureHtml(position: number, caption: string, svg: string | undefined): string {
  const drawing =
    svg === undefined ? `<p class="absent">This figure could not be drawn.</p>` : withoutFonts(svg);
  return `<figure>${drawing}<figcaption><b>Figure ${position}.</b> ${escaped(caption)}</figcaption></figure>`;
}

/** A drawing without the typeface inside it, which the page carries once for all. */
function withoutFonts(svg: string): string {
  return svg.replace(/<style>@font-face[^<]*<\/style>/, "").replace(/^<\?xml[^>]*>/, "");
}

function tableHtml(title: string, rows: readonly TableRow[], study: string): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const head = columns.map((name) => `<th>${escaped(name)}</th>`).join("");
  const body = rows.map((row) => `<tr>${columns.map((column) => cellHtml(row[column])).join("")}</tr>`);
  const table = (
    caption: string,
  ): string => `<div class="scroll"><table class="numbers">${caption}<thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
  if (rows.length <= LONGEST_TABLE) return table(`<caption>${escaped(title)}</caption>`);
  // On paper a long table stays folded: its numbers are in the study's own file.
  return `<details><summary>${escaped(title)} (${rows.length} rows, also in ${escaped(study)}.json)</summary>${table("")}</details>`;
}

function cellHtml(value: string | number | undefined): string {
  if (typeof value === "number") return `<td class="number">${number(value)}</td>`;
  const isNumeric = /^[-+−]?\d/.test(value ?? "");
  return `<td${isNumeric ? ' class="number"' : ""}>${escaped(value ?? "")}</td>`;
}

/** Where it was computed, and how to compute it again. */
function provenance(protocol: string, sections: readonly ReportSection[]): string {
  const places = new Map<string, unknown>();
  for (const { record } of sections)
    for (const place of [record.environment, ...record.trainedIn]) places.set(JSON.stringify(place), place);
  const facts = [...places.values()].map((place) => `<li>${escaped(placeText(place))}</li>`);
  const names = [...new Set(sections.map(({ record }) => record.data.name))];
  const data = names
    .map((name) => (name === "procedural" ? "" : ` --data ${escaped(name)}=&lt;path&gt;`))
    .join("");
  return `<section><h2>Where, and how to run it again</h2>
<p>Computed in ${facts.length === 1 ? "this environment" : "these environments"}:</p><ul>${facts.join("")}</ul>
<p><code>npm run replicate -- --protocol ${escaped(protocol)}${data}</code> does all of it again, or goes on where it was stopped; finished trainings are kept in <code>data/runs</code> and are not repeated. What was computed on another processor, or with another number of threads, may differ in the last bits and, after many steps, in more.</p></section>`;
}

function placeText(place: unknown): string {
  if (typeof place !== "object" || place === null) return String(place);
  return Object.entries(place)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(", ");
}

/** A verdict in words, with a shape and a colour of its own. */
function badge(verdict: StudyRecord["verdict"]): string {
  const kinds = {
    "comes out": ["held", "✓"],
    "comes out in part": ["part", "◐"],
    "does not come out": ["not", "✗"],
    "not tested here": ["untested", "–"],
  } as const;
  const [kind, sign] = kinds[verdict];
  return `<span class="badge ${kind}">${sign} ${verdict}</span>`;
}

function mark(comesOut: boolean): string {
  return comesOut ? `<span class="held">✓ yes</span>` : `<span class="not">✗ no</span>`;
}

function anchorOf({ study, data }: StudyRecord): string {
  return encodeURIComponent(`${data.name}-${study.name}`);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function hours(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${(seconds / 3600).toFixed(1)} hours`;
}

/** Up to four significant digits, whole numbers in full with thousands set apart. */
function number(value: number): string {
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

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

const STYLE = `
@page { size: A4; margin: 18mm 16mm 20mm; @bottom-center { content: counter(page) " / " counter(pages); font: 8pt "Open Sans", Arial, sans-serif; color: #666; } }
:root { --ink: #1d1d1f; --soft: #5c5c62; --line: #d9d9de; --held: #00694d; --part: #7a5200; --not: #a33a00; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 46rem; color: var(--ink); font: 10.5pt/1.5 "Open Sans", Arial, Helvetica, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.15rem; line-height: 1.35; margin: 2.4rem 0 .4rem; }
p { margin: .4rem 0; }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .15em; }
small, .where, .source, figcaption { color: var(--soft); font-size: .85em; }
code { font: .92em ui-monospace, "DejaVu Sans Mono", Menlo, monospace; overflow-wrap: anywhere; }
.kicker { color: var(--soft); margin: 0 0 .2rem; }
.claim { border-left: 3px solid var(--line); padding-left: .8rem; font-style: italic; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .9em; }
th, td { text-align: left; vertical-align: top; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 700; border-bottom-color: var(--ink); }
caption { text-align: left; font-weight: 700; padding: .8rem 0 .3rem; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.numbers { width: auto; min-width: 60%; font-size: .82em; }
.numbers th, .numbers td { padding-top: .15rem; padding-bottom: .15rem; }
details { margin: .8rem 0; }
summary { font-size: .9em; font-weight: 700; }
.scroll { overflow-x: auto; }
.verdict, .outcome { white-space: nowrap; }
.findings td:nth-child(2) { width: 45%; }
.untested { color: var(--soft); border-style: dotted; }
.badge { display: inline-block; padding: .05rem .5rem; border: 1.5px solid; border-radius: 1rem; font-size: .72rem; font-weight: 700; white-space: nowrap; vertical-align: middle; }
.held { color: var(--held); } .part { color: var(--part); border-style: dashed; } .not { color: var(--not); }
span.held, span.not { font-weight: 700; }
.notes { border: 1px solid var(--line); padding: .2rem 1rem .4rem; margin-top: 1.5rem; }
.notes h2 { margin-top: .6rem; font-size: 1rem; }
figure { margin: 1.4rem 0; break-inside: avoid; }
figure svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { margin-top: .4rem; }
.absent { border: 1px dashed var(--line); padding: 1.5rem; text-align: center; color: var(--soft); }
ul { padding-left: 1.2rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 9pt; }
  h2 { break-after: avoid; }
  .study { break-before: page; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  .numbers { font-size: .78em; }
  .numbers th { overflow-wrap: anywhere; }
}
`;
