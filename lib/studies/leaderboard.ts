import { basename, join } from "node:path";
import { from, type ColumnTable } from "arquero";
import { z } from "zod";
import type { Dataset } from "../datasets/dataset.js";
import { validationTrace } from "../experiments/analyses/metacognition.js";
import { runsWhere } from "../experiments/comparing/runs-table.js";
import { divergedSummary } from "../experiments/runs/divergence.js";
import { runDataset, runOutcome } from "../experiments/runs/run-images.js";
import { listRuns } from "../experiments/runs/run-record.js";
import { runSummary } from "../experiments/runs/run-summary.js";
import { testTrace } from "../experiments/runs/run-trace.js";
import { parseRunSpec, type RunSpec } from "../experiments/specs/spec.js";
import { leaderboardRow, type LeaderboardRow } from "../trace/leaderboard.js";
import { assertComparable } from "../trace/split.js";
import type { Trace } from "../trace/trace.js";
import { UserError } from "../util/errors.js";
import { type Analysis, cachedAnalysis, cachedNumber } from "./evidence/cached-analysis.js";

/** What a leaderboard of runs compares, and on which of them. */
export interface LeaderboardOptions {
  /** Multiply-adds of an image within which models are compared, ascending; the last one ends the area over budgets. */
  readonly budgets: readonly number[];
  /** Only runs on this data set, by its name or the beginning of its hash. */
  readonly data?: string | undefined;
  /** Conditions on runs that all hold, as those of `RunsQuery`: "heldOutClasses=null" leaves runs out that never saw some classes. */
  readonly where?: readonly string[] | undefined;
  /** Told what is being worked on, and what cannot be measured. */
  readonly report?: (message: string) => void;
}

/** A model of a finished run, and its line. */
export interface RunOnLeaderboard extends LeaderboardRow {
  readonly run: string;
  readonly seed: number;
}

interface Candidate {
  readonly directory: string;
  readonly model: string;
  readonly spec: RunSpec;
  readonly seed: number;
  readonly test: Trace;
}

const row = z.object({
  name: z.string(),
  withinBudgets: z.array(cachedNumber),
  measures: z.record(z.string(), cachedNumber),
});
const ANALYSIS: Analysis<LeaderboardRow> = {
  name: "leaderboard",
  module: import.meta.url,
  schema: row as unknown as z.ZodType<LeaderboardRow>,
};

/**
 * A line for each model of every finished run in the folder `root`, the largest area over budgets first. Thresholds are chosen on each
 * run's validation images; where those are not to be had, `report` is told, and what needs them is NaN. A UserError where the runs saw
 * different test images, which says where they differ.
 */
export async function leaderboardOfRuns(
  root: string,
  { budgets, data, where = [], report = () => undefined }: LeaderboardOptions,
): Promise<RunOnLeaderboard[]> {
  const candidates = await candidatesIn(root, data, where);
  const named = ({ directory, model }: Candidate): string => `${model} of ${basename(directory)}`;
  assertComparable(
    candidates.map(({ test }) => test),
    (_, i) => named(candidates[i] as Candidate),
  );
  const datasets = new Map<string, Promise<Dataset | undefined>>();
  const rows: RunOnLeaderboard[] = [];
  for (const one of candidates) {
    const { directory, model, spec, seed, test } = one;
    const source = JSON.stringify(spec.data);
    if (!datasets.has(source)) datasets.set(source, imagesOf(directory, report));
    const dataset = await datasets.get(source);
    const key = { ...runOutcome(directory), model, budgets, canChoose: dataset !== undefined };
    const measured = await cachedAnalysis(
      join(root, "analyses"),
      ANALYSIS,
      key,
      async () => {
        report(`measuring ${named(one)}`);
        const choice =
          dataset === undefined ? {} : { heldOut: await validationTrace(directory, spec, dataset, model) };
        return leaderboardRow({ name: model, test, ...choice }, budgets);
      },
      report,
    );
    rows.push({ ...measured, run: basename(directory), seed });
  }
  return rows.sort((a, b) => b.measures.area - a.measures.area);
}

/** Every model of the finished runs that gave one. */
async function candidatesIn(
  root: string,
  data: string | undefined,
  where: readonly string[],
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const record of runsWhere(where, listRuns(root))) {
    const { directory } = record;
    if (!record.isDone() || divergedSummary(directory) !== null) continue;
    const { models, seed, data: seen } = runSummary(directory);
    if (data !== undefined && seen.name !== data && !seen.hash.startsWith(data)) continue;
    const spec = parseRunSpec(record.spec, directory);
    for (const { model } of models)
      candidates.push({ directory, model, spec, seed, test: await testTrace(directory, model) });
  }
  if (candidates.length > 0) return candidates;
  const conditions = [...(data === undefined ? [] : [`on ${data}`]), ...where.map((text) => `with ${text}`)];
  const of = conditions.map((text) => ` ${text}`).join(" and");
  throw new UserError(
    `${root} has no finished run${of} whose models could be compared; train with "cascade run"`,
  );
}

async function imagesOf(directory: string, report: (message: string) => void): Promise<Dataset | undefined> {
  try {
    return await runDataset(directory);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    report(`no threshold can be chosen without the validation images: ${error.message}`);
    return undefined;
  }
}

/** Lines of a leaderboard as a table, for notebooks, CSV and LaTeX: names, accuracy within each budget, then all measures. */
export function leaderboardTable(rows: readonly RunOnLeaderboard[], budgets: readonly number[]): ColumnTable {
  return from(
    rows.map(({ name, run, seed, withinBudgets, measures }) => ({
      model: name,
      seed,
      run,
      ...Object.fromEntries(budgets.map((budget, i) => [`within ${budget / 1e6}M`, withinBudgets[i] ?? NaN])),
      ...measures,
    })),
  );
}
