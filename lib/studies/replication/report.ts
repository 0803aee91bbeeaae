import { divergedText } from "../diverged.js";
import type { TableRow } from "../study.js";
import { REPORT_STYLE } from "./report-style.js";
import { holds, isFormer, type RecordedFinding, type StudyRecord } from "./study-record.js";

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
${REPORT_STYLE}</style>
</head>
<body>
<header>
<p class="kicker">Replication report, protocol <b>${escaped(protocol)}</b></p>
<h1>Anytime prediction with parallel cascaded networks and a temporal-difference loss</h1>
<p>Iuzzolino, Mozer and Bengio, NeurIPS 2021, arXiv 2102.09808. This protocol: ${escaped(report.purpose)}.
Every finding below is decided from the measured numbers by the rule that it states, and a verdict follows from the
findings that carry its claim, the end points: all of them hold, some, or none. End points of one claim are tested
together (Holm's correction: at most one time in twenty is any of them wrongly said to hold), every other finding at 5 %
by itself. What does not hold was not seen with so many seeds, which need not mean that the opposite is so.</p>
</header>
${contents(sections)}
<main>
${overview(sections)}
${notes("Not there yet", missing)}
${notes("Done without", without)}
${notes("Records of a former form, unverified: they have no sum that tells whether they were edited", unverified(sections))}
${sections.map(sectionHtml).join("\n")}
${provenance(protocol, sections)}
</main>
</body>
</html>
`;
}

/** A way through the page, which stays in sight on a wide screen. */
function contents(sections: readonly ReportSection[]): string {
  const links = sections.map(
    ({ record }) =>
      `<li><a href="#${anchorOf(record)}">${escaped(record.study.title)}</a> <small>${escaped(record.data.name)}</small></li>`,
  );
  return `<nav aria-label="Contents"><ul><li><a href="#verdicts">Verdicts</a></li>${links.join("")}</ul></nav>`;
}

function unverified(sections: readonly ReportSection[]): string[] {
  return sections
    .filter(({ record }) => record.sum === undefined)
    .map(({ record: { study, data } }) => `${study.title}, ${data.name}`);
}

/** The verdicts, up front. */
function overview(sections: readonly ReportSection[]): string {
  if (sections.length === 0) return "<p>There are no results yet.</p>";
  const rows = sections.map(({ record }) => {
    const { study, data, verdict, findings } = record;
    const notes = [...countsOf(verdict, findings), ...lossesOf(record)];
    return `<tr><td><a href="#${anchorOf(record)}">${escaped(study.title)}</a><br><small>${escaped(study.claim)}</small></td><td>${escaped(data.name)}</td><td class="verdict">${badge(verdict)}<br><small>${notes.map(escaped).join("; ")}</small></td></tr>`;
  });
  return `<section class="overview" id="verdicts"><h2>Verdicts</h2>
<table><thead><tr><th>Claim of the paper</th><th>Data</th><th>Verdict</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table></section>`;
}

/** How many findings hold, the end points first. */
function countsOf(verdict: StudyRecord["verdict"], findings: readonly RecordedFinding[]): string[] {
  const count = (of: readonly RecordedFinding[], what: string): string[] =>
    of.length === 0 ? [] : [`${of.filter(holds).length} of ${plural(of.length, what)}`];
  if (isFormer(verdict)) return count(findings, "finding").map((text) => `${text} came out`);
  const carriers = findings.filter(isEndPoint);
  const others = findings.filter((one) => !isEndPoint(one));
  return [...count(carriers, "end point"), ...count(others, "other finding")].map((text) => `${text} hold`);
}

const isEndPoint = (finding: RecordedFinding): boolean => "carries" in finding && finding.carries;

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
${losses.join("")}${findingsTable("End points: findings that carry the claim", findings.filter(isEndPoint))}
${findingsTable(
  isFormer(verdict) ? FORMER_FINDINGS : "Other findings",
  findings.filter((one) => !isEndPoint(one)),
)}
${figures.map(({ name, caption }, i) => figureHtml(i + 1, caption, drawings.get(name))).join("\n")}
${tables.map(({ title, rows }) => tableHtml(title, rows, study.name)).join("\n")}
<p class="source">Trainings: ${record.runs.map(({ name, hash, seed }) => `${escaped(name)}-<code>${escaped(hash)}</code> (seed ${seed})`).join(", ")}. Overrides: <code>${escaped(record.settings.overrides.join(" ") || "none")}</code>. Training took ${hours(record.runs.reduce((sum, run) => sum + run.trainingSeconds, 0))} in all, the analysis ${hours(record.analysisSeconds)}; finished ${escaped(record.finishedAt.slice(0, 16).replace("T", " "))} UTC.</p>
</section>`;
}

const FORMER_FINDINGS =
  "Findings by rules of an earlier version: each study had its own, and nothing says which of them carry the claim";

function findingsTable(title: string, findings: readonly RecordedFinding[]): string {
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
  const table = `<div class="scroll"><table class="numbers"><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
  // Outside of what scrolls: a wide table would take its title along.
  if (rows.length <= LONGEST_TABLE) return `<p class="title">${escaped(title)}</p>${table}`;
  // On paper a long table stays folded: its numbers are in the study's own file.
  return `<details><summary>${escaped(title)} (${rows.length} rows, also in ${escaped(study)}.json)</summary>${table}</details>`;
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
    reproduced: ["held", "✓"],
    "in part": ["part", "◐"],
    "not reproduced": ["not", "✗"],
    "not tested here": ["untested", "–"],
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
