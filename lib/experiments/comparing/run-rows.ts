import { basename } from "node:path";
import { UserError } from "../../util/errors.js";
import { parseRunSpec } from "../specs/spec.js";
import { divergedSummary } from "../runs/divergence.js";
import type { RunRecord } from "../runs/run-record.js";
import { runSummary } from "../runs/run-summary.js";

/** What a field of a table of runs can hold; null where a run does not say. */
export type RunValue = string | number | boolean | null;

/** A model of a finished run, or a run that gives none (yet). */
export interface RunRow {
  /** Its folder's name: name and hash. */
  readonly run: string;
  readonly directory: string;
  readonly name: string;
  readonly hash: string;
  readonly seed: number | null;
  readonly model: string | null;
  readonly state: "done" | "diverged" | "begun" | "damaged";
  /** Share of the epochs that is trained. */
  readonly progress: number | null;
  /** [T] on the test images. */
  readonly accuracy: readonly number[] | null;
  /** Mean accuracy over time. */
  readonly area: number | null;
  /** Of training. */
  readonly seconds: number | null;
  readonly finished: string | null;
  /** Every field of the spec by its path, such as "train.epochs". */
  readonly spec: Readonly<Record<string, RunValue>>;
}

/** A row for each model of each run; a run that is not finished, diverged or cannot be read has one row. */
export function runRows(runs: readonly RunRecord[]): RunRow[] {
  return runs.flatMap((run) => {
    try {
      return rowsOfRun(run);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return [{ ...NOTHING, ...nameOf(run), state: "damaged" as const }];
    }
  });
}

const NOTHING = {
  hash: "",
  seed: null,
  model: null,
  progress: null,
  accuracy: null,
  area: null,
  seconds: null,
  finished: null,
  spec: {},
};

const nameOf = ({ directory, name }: RunRecord) => ({ run: basename(directory), directory, name });

function rowsOfRun(run: RunRecord): RunRow[] {
  const { spec: raw, hash, done, directory } = run;
  const spec = parseRunSpec(raw, directory);
  const shared = { ...NOTHING, ...nameOf(run), hash, seed: spec.seed, spec: flatSpec(spec) };
  if (done === null) return [{ ...shared, state: "begun", progress: epochsDone(run) / spec.train.epochs }];
  const finished = done.finishedAt;
  const diverged = divergedSummary(directory);
  if (diverged !== null) {
    const progress = diverged.diverged.epoch / spec.train.epochs;
    return [{ ...shared, state: "diverged", progress, seconds: diverged.trainingSeconds, finished }];
  }
  const { trainingSeconds: seconds, models } = runSummary(directory);
  return models.map(({ model, accuracy, area }) => ({
    ...shared,
    state: "done",
    progress: 1,
    model,
    accuracy,
    area,
    seconds,
    finished,
  }));
}

/** Epochs that were begun are counted from 0. */
function epochsDone(run: RunRecord): number {
  const last = run.readMetrics().at(-1);
  return typeof last?.["epoch"] === "number" ? last["epoch"] : 0;
}

/** A spec as one row: nested fields by their path, lists as JSON. */
function flatSpec(spec: object, path = ""): Record<string, RunValue> {
  return Object.fromEntries(
    Object.entries(spec).flatMap(([key, value]: [string, unknown]) => {
      const name = `${path}${key}`;
      if (typeof value === "object" && value !== null && !Array.isArray(value))
        return Object.entries(flatSpec(value, `${name}.`));
      const isPlain = value === null || ["string", "number", "boolean"].includes(typeof value);
      return value === undefined ? [] : [[name, isPlain ? (value as RunValue) : JSON.stringify(value)]];
    }),
  );
}
