import { z } from "zod";
import { divergedSummary } from "../../../experiments/runs/divergence.js";
import { readRun } from "../../../experiments/runs/run-record.js";
import { isCascade } from "../../../experiments/specs/network-spec.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { runSummary } from "../../../experiments/runs/run-summary.js";
import { areaUnderAccuracy } from "../../../trace/area.js";
import type { ValidatedTraining } from "./choice.js";

/** A training measured on the images that it held out; its accuracy on the test images beside. */
export interface StabilityTraining extends ValidatedTraining {
  readonly run: string;
  readonly outcome: "trained" | "diverged" | "at chance";
  /** Accuracy at each timestep, shares; an ordinary network answers once. Empty where it diverged. */
  readonly heldOut: readonly number[];
  readonly test: readonly number[];
}

/** A last accuracy below so many times that of guessing counts as chance. */
const TIMES_CHANCE = 1.5;

const validationSchema = z.object({ validationAccuracy: z.array(z.number()) });

/** What a finished run says of itself, without its place among the trainings of the study. */
export function stabilityTraining(
  spec: RunSpec,
  directory: string,
): Omit<StabilityTraining, "arm" | "size" | "epsilon" | "momentum"> {
  const record = readRun(directory);
  const common = { seed: spec.seed, run: record.hash };
  if (divergedSummary(directory) !== null)
    return { ...common, outcome: "diverged", failed: true, accuracies: {}, heldOut: [], test: [] };
  const { models, classNames } = runSummary(directory);
  const heldOut = record
    .readMetrics()
    .flatMap((line) => validationSchema.safeParse(line).data?.validationAccuracy ?? []);
  const isOrdinary = isCascade(spec.network) && spec.network.scheme === "ordinary";
  const timesteps = isOrdinary ? 1 : (models[0]?.accuracy.length ?? 0);
  const last = heldOut.slice(-timesteps);
  // The serial run of an ordinary network ends with the whole network's answer.
  const test = isOrdinary ? [models.at(-1)?.accuracy.at(-1) ?? NaN] : (models[0]?.accuracy ?? []);
  const percent = (t: number): number => 100 * (last.at(t) ?? NaN);
  const failed = (last.at(-1) ?? 0) < TIMES_CHANCE / classNames.length;
  return {
    ...common,
    outcome: failed ? "at chance" : "trained",
    failed,
    accuracies: isOrdinary
      ? { last: percent(-1) }
      : { "t = 2": percent(2), "t = 3": percent(3), last: percent(-1), area: 100 * areaUnderAccuracy(last) },
    heldOut: last,
    test,
  };
}
