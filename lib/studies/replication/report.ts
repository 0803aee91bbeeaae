import { NOTHING_OUTSIDE } from "../../figures/self-contained.js";
import { divergedText } from "../diverged.js";
import { type Discussion, discussionOf, TOGETHER } from "./discussion.js";
import { DATA_SETS_CAPTION } from "./data-sets-figure.js";
import {
  badge,
  escaped,
  figureHtml,
  findingsTable,
  hours,
  number,
  plural,
  tableHtml,
} from "./report-parts.js";
import { REPORT_STYLE } from "./report-style.js";
import { holds, isEndPoint, isFormer, type RecordedFinding, type StudyRecord } from "./study-record.js";

/** All that a report shows. */
export interface Report {
  readonly protocol: string;
  readonly purpose: string;
  readonly sections: readonly ReportSection[];
  /** Studies that have no result yet. */
  readonly missing: readonly string[];
  /** What the protocol wants and this replication does without. */
  readonly without: readonly string[];
  /** SVG text of the main figure for all data sets side by side; left out where there is one. */
  readonly dataSets?: string | undefined;
  /** What was written about the results. */
  readonly discussion: Discussion;
  /** CSS that carries the typeface of the figures. */
  readonly fonts: string;
}

/** One study on one data set. */
export interface ReportSection {
  readonly record: StudyRecord;
  /** SVG text of each figure by its name; one that is not here is said to be missing. */
  readonly drawings: ReadonlyMap<string, string>;
}

/**
 * One page for screen and print, whole in itself: no script, nothing from outside. Texts are escaped. First what carries the
 * claims, a figure each where it is told first, then limits; in the appendix everything else, with figures and tables numbered
 * through, and whole what decides nothing where other studies do.
 */
export function reportHtml(report: Report): string {
  const { protocol, sections, missing, without, dataSets, discussion, fonts } = report;
  const shown = shownSections(sections);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${NOTHING_OUTSIDE}
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
Every finding below is decided from the measured numbers by the rule that it states ("images ± x" is the part of the error that the choice of test images has), and a verdict follows from the
findings that carry its claim, the end points: all of them hold, some, or none. End points of one claim are tested
together (Holm's correction: at most one time in twenty is any of them wrongly said to hold), every other finding at 5 %
by itself. What does not hold was not seen with so many seeds, which need not mean that the opposite is so.</p>
</header>
${contents(sections)}
<main>
${overview(sections)}
${notes("Not there yet", missing)}
${notes("Done without", without)}
${notes("Of a former form, unverified: no sum tells whether they were edited", unverified(sections))}
${notes("Discussion left out, written for other findings", discussion.stale)}
${dataSets === undefined ? "" : `<section class="study" id="data-sets"><h2>All data sets</h2>\n${figureHtml("1", DATA_SETS_CAPTION, dataSets)}</section>`}
${studies(shown, discussion, dataSets === undefined ? 1 : 2)}
${together(discussion)}
${sections.length === 0 ? "" : LIMITS}
${appendix(sections, shown, discussion)}
${provenance(protocol, sections)}
</main>
</body>
</html>
`;
}

/** The studies that stand before the appendix: those that decide something, or all where none does. */
function shownSections(sections: readonly ReportSection[]): readonly ReportSection[] {
  const deciding = sections.filter(
    ({ record }) => noVerdict(record) === undefined && record.verdict !== "not tested here",
  );
  return deciding.length === 0 ? sections : deciding;
}

/** Whether a study's claim was told before, on other data. */
function isTold(section: ReportSection, shown: readonly ReportSection[]): boolean {
  const before = shown.slice(0, shown.indexOf(section));
  return before.some(({ record }) => record.study.name === section.record.study.name);
}

/** A way through the page, which stays in sight on a wide screen. */
function contents(sections: readonly ReportSection[]): string {
  const links = sections.map(
    ({ record }) =>
      `<li><a href="#${anchorOf(record)}">${escaped(record.study.title)}</a> <small>${escaped(record.data.name)}</small></li>`,
  );
  return `<nav aria-label="Contents"><ul><li><a href="#verdicts">Verdicts</a></li>${links.join("")}<li><a href="#appendix">Appendix</a></li></ul></nav>`;
}

function unverified(sections: readonly ReportSection[]): string[] {
  return sections.flatMap(({ record: { study, data, sum, numbers } }) => {
    const what =
      sum === undefined ? "the record" : numbers === undefined ? "the numbers of its runs" : undefined;
    return what === undefined ? [] : [`${study.title}, ${data.name}: ${what}`];
  });
}

/** The verdicts, up front. */
function overview(sections: readonly ReportSection[]): string {
  if (sections.length === 0) return "<p>There are no results yet.</p>";
  const rows = sections.map(({ record }) => {
    const { study, data, verdict, findings } = record;
    const reason = noVerdict(record);
    const notes = reason === undefined ? [...countsOf(verdict, findings), ...lossesOf(record)] : [reason];
    const kind = reason === undefined ? "" : ' class="reason"';
    return `<tr><td><a href="#${anchorOf(record)}">${escaped(study.title)}</a><br><small class="told-below">${escaped(study.claim)}</small></td><td>${escaped(data.name)}</td><td class="verdict">${badge(verdict)}<br><small${kind}>${notes.map(escaped).join("; ")}</small></td></tr>`;
  });
  return `<section class="overview" id="verdicts"><h2>Verdicts</h2>
<table><thead><tr><th>Claim</th><th>Data</th><th>Verdict</th></tr></thead><tbody>
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

/** Why a study has no verdict, where that is so. */
const noVerdict = ({ notTested, withdrawn }: StudyRecord): string | undefined => notTested ?? withdrawn;

/** What trainings that diverged cost a study: nothing where none did. */
function lossesOf({ diverged = [], runs }: StudyRecord): string[] {
  return diverged.length === 0 ? [] : [divergedText(diverged, runs.length)];
}

function notes(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `<section class="notes"><h2>${title}</h2><ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul></section>`;
}

/** The studies before the appendix, each with what carries its claim; figures are numbered from `firstFigure`. */
function studies(shown: readonly ReportSection[], discussion: Discussion, firstFigure: number): string {
  let figure = firstFigure;
  const parts = shown.map((section) => {
    const { record } = section;
    const told = isTold(section, shown);
    const claim = claimHtml(section, discussion, told ? TOLD_BEFORE : { figure: String(figure) });
    if (!told && record.figures.length > 0) figure++;
    return `<section class="study" id="${anchorOf(record)}">
<h2>${escaped(record.study.title)}${told ? `, ${escaped(record.data.name)}` : ""} ${badge(record.verdict)}</h2>
${claim}
<p class="source">More: <a href="#${appendixAnchor(record)}">${escaped(restOf(record, told).join(", "))}</a>.</p>
</section>`;
  });
  return parts.join("\n");
}

/** Claim and first figure of a section stand where the same study of other data is told. */
const TOLD_BEFORE = "told before";

/** What carries a claim: the claim itself, its end points, and the study's first figure under this number. */
function claimHtml(
  { record, drawings }: ReportSection,
  discussion: Discussion,
  place: { readonly figure: string } | typeof TOLD_BEFORE,
): string {
  const { study, data, findings, figures } = record;
  const diverged = (record.diverged ?? []).map(
    ({ name, hash, seed, text }) =>
      `<li>${escaped(name)}-<code>${escaped(hash)}</code> (seed ${seed}): ${escaped(text)}</li>`,
  );
  const reason = noVerdict(record);
  const losses = (reason === undefined ? lossesOf(record) : [`No verdict: ${reason}`]).map(
    (text) => `<p><b>${escaped(text)}.</b></p><ul>${diverged.join("")}</ul>\n`,
  );
  const [first] = figures;
  return `<p class="where">${escaped(data.name)}, ${number(data.train)} training images, those held out for validation among them, and ${number(data.test)} test images, where the settings in the appendix name no fewer; ${plural(record.settings.seeds.length, "seed")} (${record.settings.seeds.join(", ")})</p>
${place === TOLD_BEFORE ? "" : `<p class="claim">${escaped(study.claim)}</p>`}
${losses.join("")}${findingsTable("End points: findings that carry the claim", findings.filter(isEndPoint))}
${first === undefined || place === TOLD_BEFORE ? "" : figureHtml(place.figure, first.caption, drawings.get(first.name))}
${paragraphs(discussionOf(discussion, record))}`;
}

/** What of a study stands in the appendix: all its figures where it was `told` before. */
function restOf({ findings, figures, tables }: StudyRecord, told: boolean): string[] {
  const counts = [
    [findings.filter((one) => !isEndPoint(one)).length, "other finding"],
    [figures.length - (told ? 0 : 1), "figure"],
    [tables.length, "table"],
  ] as const;
  return [...counts.flatMap(([count, noun]) => (count > 0 ? [plural(count, noun)] : [])), "trainings"];
}

function paragraphs(texts: readonly string[]): string {
  return texts.map((text) => `<p>${escaped(text)}</p>`).join("\n");
}

/** What all results say together. */
function together({ parts }: Discussion): string {
  const texts = parts.get(TOGETHER);
  return texts === undefined ? "" : `<section><h2>Discussion</h2>\n${paragraphs(texts)}</section>`;
}

const LIMITS = `<section><h2>Limits</h2>
<p>The verdicts are of this protocol's networks, epochs and images, which each study's settings in the appendix name; what is
not reproduced here may be so at the paper's size, and the other way round. Errors count the seeds of the trainings and the
choice of test images, and not the choice of data set, architecture or training recipe. Margins of equivalence and the end
points were chosen by this project, before the trainings that they are tested on but with earlier ones known. Measured
milliseconds are of one machine. Numbers read off the paper's figures are good to about a point.</p></section>`;

/** Everything that does not carry a claim: figures and tables are numbered through, with an A before. */
function appendix(
  sections: readonly ReportSection[],
  shownBefore: readonly ReportSection[],
  discussion: Discussion,
): string {
  let figure = 0;
  let table = 0;
  const parts = sections.map((section) => {
    const { record, drawings } = section;
    const { study, data, verdict, findings, figures, tables } = record;
    const shown = shownBefore.includes(section);
    const label = `A${figures.length === 0 ? figure : ++figure}`;
    const claim = shown ? "" : claimHtml(section, discussion, { figure: label });
    return `<section class="study" id="${shown ? appendixAnchor(record) : anchorOf(record)}">
<h3>${escaped(study.title)}, ${escaped(data.name)}${shown ? "" : ` ${badge(verdict)}`}</h3>
${claim}
${findingsTable(
  isFormer(verdict) ? FORMER_FINDINGS : "Other findings",
  findings.filter((one) => !isEndPoint(one)),
)}
${figures
  .slice(shown && isTold(section, shownBefore) ? 0 : 1)
  .map(({ name, caption }) => figureHtml(`A${++figure}`, caption, drawings.get(name)))
  .join("\n")}
${tables.map(({ title, rows }) => tableHtml(`A${++table}`, title, rows, study.name)).join("\n")}
${sourceOf(record)}
</section>`;
  });
  return parts.length === 0
    ? ""
    : `<section class="appendix" id="appendix"><h2>Appendix</h2>\n${parts.join("\n")}</section>`;
}

function sourceOf({ runs, settings, analysisSeconds, finishedAt }: StudyRecord): string {
  const trainings = runs.map(
    ({ name, hash, seed }) => `${escaped(name)}-<code>${escaped(hash)}</code> (seed ${seed})`,
  );
  const seconds = runs.reduce((sum, run) => sum + run.trainingSeconds, 0);
  return `<p class="source">Training took ${hours(seconds)} in all, the analysis ${hours(analysisSeconds)}; finished ${escaped(finishedAt.slice(0, 16).replace("T", " "))} UTC. Overrides: <code>${escaped(settings.overrides.join(" ") || "none")}</code>.</p>
<details class="source"><summary>${plural(runs.length, "training")}</summary><p>${trainings.join(", ")}.</p></details>`;
}

const FORMER_FINDINGS =
  "Findings by rules of an earlier version: each study had its own, and nothing says which of them carry the claim";

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

function anchorOf({ study, data }: StudyRecord): string {
  return encodeURIComponent(`${data.name}-${study.name}`);
}

const appendixAnchor = (record: StudyRecord): string => `${anchorOf(record)}-more`;
