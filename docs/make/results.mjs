/**
 * The results in README.md and docs/results.md: between `<!-- made: NAME -->` and `<!-- end -->` stands what the records in
 * data/results give, so that no number there is copied by hand.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import prettier from "prettier";
import {
  DISCUSSION,
  discussionOf,
  readDiscussion,
  TOGETHER,
} from "../../lib/studies/replication/discussion.js";
import { holds, isEndPoint, isFormer, readStudyRecord } from "../../lib/studies/replication/study-record.js";
import { generated } from "./generated.mjs";
import { byThreads, matrixRegisters, onGpu, otherMachine } from "./other-machines.mjs";
import {
  againstPeers,
  byProcessor,
  fewImages,
  inShort,
  manyImages,
  measuredOn,
  whereTimeGoes,
} from "./speed.mjs";

/** @typedef {import("../../lib/studies/replication/study-record.js").StudyRecord} StudyRecord */
/** @typedef {import("../../lib/studies/replication/study-record.js").RecordedFinding} Finding */
/** @typedef {Record<string, string | number>} Row */

/** Studies in the order of the tables, and the notebook that goes through each. @type {[name: string, notebook: string][]} */
const STUDIES = [
  ["six-models", "03"],
  ["typicality", "05"],
  ["noise", "06"],
  ["trace", "07"],
  ["lambda", "04"],
  ["delays", "09"],
  ["densenet", "08"],
  ["norm-constants", "09"],
  ["precision", ""],
  ["norm-stability", ""],
  ["field", "10"],
  ["scaling", ""],
];
const MAIN = "reduced/cifar10";
/** What else is told, of other data and of another size. @type {[folder: string, title: string, name: string][]} */
const ELSEWHERE = [
  ["reduced/cifar100", "on CIFAR-100", "six-models"],
  ["reduced/tinyimagenet", "on TinyImageNet", "six-models"],
  ["reduced/cifar100", "on CIFAR-100", "field"],
  ["settled/cifar10", "of published size", "densenet"],
];
const FORMER = "by former rules";

const root = new URL("../../", import.meta.url);
/** Held to its own sum. @param {string} folder @param {string} name */
function readRecord(folder, name) {
  const path = fileURLToPath(new URL(`data/results/${folder}/${name}.json`, root));
  return readStudyRecord(path) ?? fail(`${path} is missing`);
}

/** Those of CIFAR-10, read once. */
const records = new Map(STUDIES.map(([name]) => [name, readRecord(MAIN, name)]));
/** By study and title, as "field on CIFAR-100". */
const elsewhere = new Map(
  ELSEWHERE.map(([folder, title, name]) => [`${name} ${title}`, readRecord(folder, name)]),
);

/** @param {string} name */
const record = (name) => records.get(name) ?? fail(`nothing is known of ${name}`);

/** @param {string} message @returns {never} */
function fail(message) {
  throw new Error(message);
}

/** @param {string} what @param {string} file */
function made(what, file) {
  const make = /** @type {(() => string) | undefined} */ (MADE[what]);
  if (make === undefined) throw new Error(`${file} asks for "${what}", which nothing makes`);
  return make();
}

/** @param {string[]} heads @param {(string | number)[][]} rows */
function table(heads, rows) {
  const line = (/** @type {(string | number)[]} */ cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

/** @param {StudyRecord} of @param {string} name @returns {Row[]} */
function rowsOf({ tables, study }, name) {
  const found = tables.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${study.name} has no table "${name}"`);
  return found.rows;
}

/** @param {StudyRecord} of @param {string} [name] */
function accuracyTable(of, name = "accuracy") {
  const rows = rowsOf(of, name);
  const steps = Object.keys(rows[0] ?? {}).filter((key) => /^t = \d+$/.test(key));
  const last = "last" in (rows[0] ?? {}) ? "last" : (steps.at(-1) ?? "");
  const keys = ["model", "t = 1", "t = 2", "t = 3", "early", last, "paper, last", "area"].filter(
    (key) => key in (rows[0] ?? {}),
  );
  const heads = keys.map((key) => (key === "model" ? "accuracy, %" : key === last ? "last" : key));
  return table(
    heads,
    rows.map((row) => keys.map((key) => row[key] ?? "")),
  );
}

/** A table of a study, whose first column has the names. @param {StudyRecord} of @param {string} name */
function accuraciesOf(of, name) {
  const rows = rowsOf(of, name);
  const heads = Object.keys(rows[0] ?? {}).filter((key) => key !== "n");
  return table(
    heads.map((head, i) => (i === 0 ? "accuracy, %" : head)),
    rows.map((row) => heads.map((head) => row[head] ?? "")),
  );
}

/** What longer training changes: the six models' own length, the longest one, and the paper. */
function scalingInShort() {
  const { settings } = record("scaling");
  const { width, epochs } = /** @type {{ width: number, epochs: number[] }} */ (
    /** @type {unknown} */ (settings)
  );
  const [, usual, longest] = epochs;
  const rows = rowsOf(record("scaling"), "sizes");
  const of = (/** @type {string} */ size, /** @type {string} */ column) =>
    rows.find((row) => row["size"] === size)?.[column] ?? fail(`no size "${size}" among those of scaling`);
  const cells = (/** @type {string} */ column) =>
    [usual, longest].map((count) => of(`width ${String(width)}, ${String(count)} epochs`, column));
  const [leadBefore, lead] = cells("lead");
  const [gapBefore, gap] = cells("difference");
  return `Trained for ${String(longest)} epochs in place of ${String(usual)}, CascadedTD is ${String(lead)} points ahead of SDN (SerialTD-MultiHead) at a mean stopping time of 3 (${String(leadBefore)} before; in the paper, after 100 and more, +${String(of("paper, width 1", "lead"))}), and at the last step ${String(gap)} from CascadedCE (${String(gapBefore)} before; ${String(of("paper, width 1", "difference"))}).`;
}

/** @param {Finding[]} of */
const countOf = (of) => (of.length === 0 ? "" : `${String(of.filter(holds).length)} of ${String(of.length)}`);

/** The findings that carry the claim, and the others. @param {StudyRecord} of */
const partsOf = ({ findings: all }) => ({
  carriers: all.filter(isEndPoint),
  others: all.filter((finding) => !isEndPoint(finding)),
});

function verdictTable() {
  return table(
    ["claim", "verdict", "end points that hold", "other findings that hold", "notebook"],
    STUDIES.map(([name, notebook]) => {
      const one = record(name);
      const { carriers, others } = partsOf(one);
      const verdict = isFormer(one.verdict) ? FORMER : one.verdict;
      const counts = one.verdict === "withdrawn" ? ["", ""] : [countOf(carriers), countOf(others)];
      return [one.study.title, verdict, ...counts, notebook];
    }),
  );
}

/** The end points with their numbers, and how many others hold. @param {StudyRecord} one */
function findings(one) {
  const { carriers, others } = partsOf(one);
  const marks = (/** @type {Finding} */ finding) =>
    holds(finding) ? "yes" : "outcome" in finding && finding.outcome === "not decided" ? "not decided" : "no";
  const shown = carriers.length > 0 ? carriers : others;
  const rows = shown.map((finding) => [marks(finding), finding.statement, finding.measured]);
  const verdict = isFormer(one.verdict) ? FORMER : `**${one.verdict}**`;
  const rest =
    carriers.length > 0 && others.length > 0 ? ` Of the other findings ${countOf(others)} hold.` : "";
  const seeds = one.settings.seeds;
  return `${one.study.claim} Verdict: ${verdict} (${String(seeds.length)} seeds, ${one.finishedAt.slice(0, 10)}).${one.withdrawn === undefined ? rest : ` The reason: ${one.withdrawn}.`}\n\n${table(["holds", "finding", "measured"], rows)}`;
}

const told = [...records.values(), ...elsewhere.values()];
/** What is written about the results of each protocol, by its name. */
const discussions = new Map(
  [...new Set(told.map(({ protocol }) => protocol))].map((protocol) => {
    const path = fileURLToPath(new URL(`data/results/${protocol}/${DISCUSSION}`, root));
    return [
      protocol,
      readDiscussion(
        path,
        told.filter((one) => one.protocol === protocol),
      ),
    ];
  }),
);
for (const text of [...discussions.values()].flatMap(({ stale }) => stale)) fail(text);

/** @param {StudyRecord["protocol"]} protocol */
const discussionOfAll = (protocol) => discussions.get(protocol) ?? fail(protocol);
/** @param {StudyRecord} one */
const discussed = (one) => discussionOf(discussionOfAll(one.protocol), one).join("\n\n");

/** @param {{ heads: string[], rows: string[][] }} of */
const tableOf = ({ heads, rows }) => table(heads, rows);

/** What can stand between the marks, by its name. @type {Record<string, () => string>} */
const MADE = {
  accuracy: () => accuracyTable(record("six-models")),
  "accuracy at speed": () => accuraciesOf(record("six-models"), "accuracy-at-speed"),
  "area of field": () => accuraciesOf(record("field"), "area"),
  "sizes of scaling": () => accuraciesOf(record("scaling"), "sizes"),
  "scaling in short": scalingInShort,
  verdicts: verdictTable,
  "speed in short": inShort,
  "where the time goes": whereTimeGoes,
  "where speed was measured": measuredOn,
  "speed of many images against peers": () => tableOf(againstPeers(128)),
  "speed of one image against peers": () => tableOf(againstPeers(1)),
  "speed of few images": () => tableOf(fewImages()),
  "speed of many images": () => tableOf(manyImages()),
  "where else speed was measured": otherMachine,
  "speed by processor": () => tableOf(byProcessor()),
  "speed by threads": () => tableOf(byThreads()),
  "speed of matrix registers": () => tableOf(matrixRegisters()),
  "speed on a GPU": () => tableOf(onGpu()),
  ...Object.fromEntries(
    [...records].flatMap(([name, one]) => [
      [`findings of ${name}`, () => findings(one)],
      [`discussion of ${name}`, () => discussed(one)],
    ]),
  ),
  ...Object.fromEntries(
    [...elsewhere].flatMap(([name, one]) => [
      [`findings of ${name}`, () => findings(one)],
      [
        `accuracy of ${name}`,
        () => accuracyTable(one, one.study.name === "densenet" ? "densenet" : "accuracy"),
      ],
      [`area of ${name}`, () => accuraciesOf(one, "area")],
      [`discussion of ${name}`, () => discussed(one)],
    ]),
  ),
  discussion: () => (discussionOfAll("reduced").parts.get(TOGETHER) ?? []).join("\n\n"),
};

/** A drawing that no record names is of former results, and would be shown as if it were of today's. @param {string} results */
function refuseFormerDrawings(results) {
  const folder = fileURLToPath(new URL(`data/results/${results}/`, root));
  const files = readdirSync(folder);
  const named = files
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => readStudyRecord(join(folder, file))?.figures.map((figure) => figure.file) ?? []);
  const former = files.filter((file) => file.endsWith(".svg") && !named.includes(file));
  if (former.length > 0)
    fail(`${folder} has drawings that no record names: ${former.join(", ")}; delete them`);
}

[MAIN, ...new Set(ELSEWHERE.map(([folder]) => folder))].forEach(refuseFormerDrawings);

for (const name of ["README.md", "docs/results.md"]) {
  const text = readFileSync(new URL(name, root), "utf8");
  const filled = text.replace(
    /(<!-- made: (.+?) -->\n)[^]*?(<!-- end -->)/g,
    (
      /** @type {string} */ _all,
      /** @type {string} */ begin,
      /** @type {string} */ what,
      /** @type {string} */ end,
    ) => `${begin}\n${made(what, name)}\n\n${end}`,
  );
  const path = fileURLToPath(new URL(name, root));
  const options = await prettier.resolveConfig(path);
  await generated(name, await prettier.format(filled, { ...options, filepath: path }));
}
