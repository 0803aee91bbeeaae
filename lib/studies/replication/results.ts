import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { changeTexts } from "../../experiments/specs/spec-change.js";
import { currentEnvironment } from "../../experiments/runs/environment.js";
import { readRun } from "../../experiments/runs/run-record.js";
import { divergedSummary } from "../../experiments/runs/divergence.js";
import { runSummary } from "../../experiments/runs/run-summary.js";
import { embeddedFonts } from "../../figures/draw.js";
import { exportFigure, printPage } from "../../figures/export.js";
import { describeBackend } from "../../nn/backend/kernel-level.js";
import { canonicalJson } from "../../util/canonical-json.js";
import { UserError } from "../../util/errors.js";
import { removeFile, sha256, sha256OfFile, writeFileAtomic } from "../../util/files.js";
import { Stopped } from "../../util/stopping.js";
import { dataSetsFigure, SHOWN_STUDY } from "./data-sets-figure.js";
import { DISCUSSION, readDiscussion } from "./discussion.js";
import { assertNumbers, writeNumbers } from "./number-file.js";
import type { ReportPlace } from "./report-order.js";
import { lackOf, type NamedSource, type Replication, type ReplicationPart } from "./replication.js";
import { type ReportSection, reportHtml } from "./report.js";
import { verdictOf } from "../evidence/finding.js";
import type { StudyResult } from "../study.js";
import { StudyContext } from "../study-context.js";
import { Verification } from "./verification.js";
import { readStudyRecord, type StudyRecord, writeStudyRecord } from "./study-record.js";

/** Where a replication reads and writes. */
export interface ReplicationFolders {
  /** All runs. */
  readonly runs: string;
  /** `<results>/<protocol>/<data set>/<study>.json` and `.arrow`, every run's own numbers, with the figures as SVG, and the report. */
  readonly results: string;
  /** The figures as PDF, in the same folders. */
  readonly prints: string;
}

/** A part that gave no result, and why. */
export interface PartProblem {
  readonly part: ReplicationPart;
  readonly problem: string;
}

export interface AnalyseOptions {
  /** Data sets that nothing is trained on (`StudyContext`). */
  readonly photographs?: readonly NamedSource[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string) => void;
}

/**
 * Analyses every part whose trainings are finished and writes its result. A part that cannot be analysed is reported
 * and the others go on; where one is stopped, so is all.
 */
export async function analyseParts(
  { protocol, parts }: Replication,
  folders: ReplicationFolders,
  { signal, photographs = [], onProgress = () => undefined }: AnalyseOptions = {},
): Promise<PartProblem[]> {
  const problems: PartProblem[] = [];
  const contexts = new Map<string, StudyContext>();
  const verification = new Verification(folders.runs, onProgress);
  for (const part of parts) {
    if (signal?.aborted === true) break;
    const { data, study, trainings } = part;
    const unfinished = trainings.filter(({ directory }) => !readRunIfDone(join(folders.runs, directory)));
    if (unfinished.length > 0) {
      const problem = `${unfinished.length} of its ${trainings.length} trainings are not finished`;
      problems.push({ part, problem });
      continue;
    }
    onProgress(`${data.name}: ${study.title}`);
    const context =
      contexts.get(data.name) ?? new StudyContext(data.source, folders.runs, onProgress, photographs);
    // Only the data set that is being worked on stays in memory: parts come data set by data set.
    contexts.clear();
    contexts.set(data.name, context);
    try {
      const begun = performance.now();
      await verification.verify(trainings);
      const result = await study.analyse(context);
      const seconds = Math.round((performance.now() - begun) / 1000);
      const { problem } = await writeResult(protocol.name, part, result, context, seconds, folders);
      if (problem !== undefined) problems.push({ part, problem });
    } catch (error) {
      if (error instanceof Stopped) throw error;
      // One study must not take the others' hours with it; what is no plain refusal is shown whole.
      problems.push({ part, problem: messageOf(error) });
    }
  }
  return problems;
}

function readRunIfDone(directory: string): boolean {
  try {
    return readRun(directory).isDone();
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Writes figures and record; figures that cannot be drawn are a problem, but no reason to lose the numbers. */
async function writeResult(
  protocol: StudyRecord["protocol"],
  { data, study, trainings }: ReplicationPart,
  result: StudyResult,
  context: StudyContext,
  analysisSeconds: number,
  folders: ReplicationFolders,
): Promise<{ readonly problem?: string }> {
  const place = join(protocol, data.name);
  let problem: string | undefined;
  const figures: StudyRecord["figures"] = [];
  for (const { name, caption, figure } of result.figures) {
    const base = `${study.name}-${name}`;
    try {
      const svg = join(folders.results, place, `${base}.svg`);
      await exportFigure(figure, { svg, pdf: join(folders.prints, place, `${base}.pdf`) });
      figures.push({ name, caption, file: `${base}.svg`, sha256: await sha256OfFile(svg) });
    } catch (error) {
      problem = `figure ${name} is missing: ${messageOf(error)}`;
      figures.push({ name, caption, file: null });
    }
  }
  const { name, title, claim } = study;
  const { hash, train, test } = await context.dataset();
  const records = trainings.map(({ directory }) => readRun(join(folders.runs, directory)));
  const trainedIn = new Map(
    records.flatMap(({ environments }) => environments).map((at) => [canonicalJson(at), at] as const),
  );
  const path = join(folders.results, place, `${name}.json`);
  const former = figureFilesOf(path);
  const numbers = await writeNumbers(join(folders.results, place, `${name}.arrow`), result.numbers);
  await writeStudyRecord(path, {
    protocol,
    data: { name: data.name, hash, train: train.labels.length, test: test.labels.length },
    study: { name, title, claim },
    settings: {
      ...study.settings,
      seeds: [...study.settings.seeds],
      overrides: changeTexts(study.settings.change),
    },
    verdict: verdictOf(result),
    findings: result.findings.map((one) => ({
      ...one,
      contrasts: one.contrasts.map((each) => ({ ...each })),
    })),
    tables: result.tables.map((table) => ({ ...table, rows: table.rows.map((row) => ({ ...row })) })),
    figures,
    numbers,
    runs: records.map((record) => {
      const { seed, trainingSeconds } = divergedSummary(record.directory) ?? runSummary(record.directory);
      return { name: record.name, hash: record.hash, seed, trainingSeconds };
    }),
    ...(result.diverged && { diverged: result.diverged.map((one) => ({ ...one })) }),
    ...(result.notTested !== undefined && { notTested: result.notTested }),
    analysisSeconds,
    finishedAt: new Date().toISOString(),
    environment: currentEnvironment({ backend: describeBackend() }),
    trainedIn: [...trainedIn.values()],
  });
  // A figure that has another name now would lie beside today's, and be taken for one of them.
  const current = new Set(figures.map((figure) => `${name}-${figure.name}.svg`));
  for (const file of former.filter((one) => !current.has(one))) {
    await removeFile(join(folders.results, place, file));
    await removeFile(join(folders.prints, place, file.replace(/\.svg$/, ".pdf")));
  }
  return problem === undefined ? {} : { problem };
}

/** Names of the drawings beside a record; none where it is missing or cannot be read, and is about to be replaced. */
function figureFilesOf(path: string): string[] {
  try {
    const files = readStudyRecord(path)?.figures.flatMap(({ file }) => file ?? []) ?? [];
    // A record from elsewhere may name what is not beside it, which is not this project's to delete.
    return files.filter((file) => file === basename(file) && file.endsWith(".svg"));
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

/**
 * Writes report.html and report.pdf from all results of the protocol that are there, of this call and of earlier ones, in
 * this order (`reportOrder`).
 */
export async function writeReport(
  { protocol, without }: Pick<Replication, "protocol" | "without">,
  inOrder: readonly ReportPlace[],
  folder: string,
): Promise<readonly string[]> {
  const sections: ReportSection[] = [];
  const missing: string[] = [];
  for (const { data, study } of inOrder) {
    const place = join(folder, protocol.name, data);
    const record = readStudyRecord(join(place, `${study}.json`));
    if (record === undefined) {
      missing.push(`${study} on ${data}`);
      continue;
    }
    await checkNumbers(record, join(place, `${study}.arrow`));
    sections.push({ record, drawings: await drawingsOf(record, place) });
  }
  const dataSets = await drawnDataSets(sections, join(folder, protocol.name));
  const records = sections.map(({ record }) => record);
  const discussion = readDiscussion(join(folder, protocol.name, DISCUSSION), records);
  const { name, purpose, datasets } = protocol;
  // Of what this call does without an earlier one may have left results.
  const there = datasets.filter((one) => records.some(({ data }) => data.name === one.name)).map(lackOf);
  const lacking = without.filter((text) => !there.includes(text));
  const parts = { protocol: name, purpose, sections, missing, without: lacking, dataSets, discussion };
  const fonts = await embeddedFonts(reportHtml({ ...parts, fonts: "" }), "all");
  const html = reportHtml({ ...parts, fonts });
  const report = join(folder, protocol.name, "report");
  await writeFileAtomic(`${report}.html`, html);
  await writeFileAtomic(`${report}.pdf`, await printPage(html));
  return [`${report}.html`, `${report}.pdf`];
}

/** A UserError where the numbers of the runs are not those that the record is of. */
async function checkNumbers({ numbers }: StudyRecord, path: string): Promise<void> {
  const bytes = numbers === undefined ? undefined : await readFile(path).catch(() => undefined);
  if (numbers !== undefined && bytes !== undefined) assertNumbers(path, bytes, numbers);
}

/** The main figure for all data sets, written beside their folders; undefined where there are not several. */
async function drawnDataSets(
  sections: readonly ReportSection[],
  folder: string,
): Promise<string | undefined> {
  const names = sections
    .filter(({ record }) => record.study.name === SHOWN_STUDY)
    .map(({ record }) => record.data.name);
  const figure = await dataSetsFigure(
    new Map(names.map((name) => [name, join(folder, name, `${SHOWN_STUDY}.arrow`)])),
  );
  if (figure === undefined) return undefined;
  const svg = join(folder, `${SHOWN_STUDY}-data-sets.svg`);
  await exportFigure(figure, { svg });
  return await readFile(svg, "utf8");
}

/** The SVG texts of a record's figures, by name; a UserError where one is not the one that the record is of. */
async function drawingsOf({ figures }: StudyRecord, place: string): Promise<ReadonlyMap<string, string>> {
  const drawings = new Map<string, string>();
  for (const { name, file, sha256: expected } of figures) {
    if (file === null) continue;
    const path = join(place, file);
    const svg = await readFile(path, "utf8").catch(() => undefined);
    if (svg === undefined) continue;
    if (expected !== undefined && sha256(svg) !== expected)
      throw new UserError(`${path} was changed after it was written; delete it and replicate again`);
    drawings.set(name, svg);
  }
  return drawings;
}
