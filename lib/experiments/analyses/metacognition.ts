import { type Dataset } from "../../datasets/dataset.js";
import { stratifiedSplit } from "../../datasets/split.js";
import { gruInputs, gruProbabilities, type TraceGru } from "../../models/trace-gru.js";
import { correctness } from "../../trace/probabilities.js";
import { assertValidation, type ValidationTrace } from "../../trace/split.js";
import { subtrace } from "../../trace/subtrace.js";
import type { Trace } from "../../trace/trace.js";
import {
  type GruExamples,
  type GruTrainingSettings,
  type TrainedGru,
  trainTraceGru,
} from "../../train/trace-gru-training.js";
import { assertSameImages } from "../runs/run-images.js";
import type { RunSpec } from "../specs/spec.js";
import { openTrainedModel } from "../runs/trained-model.js";
import { trainingImages } from "../runs/image-splits.js";

/** Part of the held-out images that a GRU's epoch is chosen on; it learns from the others. */
const SELECTION = 0.2;

/** The trace of a finished run's validation images: what everything that is chosen is chosen on. */
export async function validationTrace(
  directory: string,
  spec: RunSpec,
  dataset: Dataset,
  model: string,
): Promise<ValidationTrace> {
  assertSameImages(directory, dataset.hash, spec.data);
  const trained = await openTrainedModel(directory, { model });
  try {
    const trace = trained.trace(trainingImages(spec, dataset).validation);
    return { ...trace, data: dataset.hash, split: "validation" };
  } finally {
    trained.dispose();
  }
}

/**
 * A GRU that says at each timestep how probable it is that the answer is right, learnt from a trace of images that the
 * network was not trained on: a learned gate, for `budgetedBatchCurve` with `traceProbabilities` as its signal.
 */
export function correctnessGru(heldOut: ValidationTrace, settings: GruTrainingSettings): TrainedGru {
  assertValidation(heldOut, "a gate learns");
  return gruOfExamples(heldOut, correctness(heldOut), heldOut.labels, settings);
}

/** A GRU that says at each timestep how probable it is that the answer at the last timestep will be right. */
export function lastAnswerGru(heldOut: ValidationTrace, settings: GruTrainingSettings): TrainedGru {
  assertValidation(heldOut, "a gate learns");
  const { timesteps, examples, labels } = heldOut;
  const atEnd = correctness(heldOut).subarray((timesteps - 1) * examples);
  const targets = Uint8Array.from(
    { length: timesteps * examples },
    (_, row) => atEnd[row % examples] as number,
  );
  return gruOfExamples(heldOut, targets, labels, settings);
}

/**
 * A GRU trained on part of a trace [T, N, K] with targets [T, N], its epoch chosen on the rest; both parts hold the
 * same share of each of the groups [N].
 */
export function gruOfExamples(
  trace: Trace,
  targets: Uint8Array,
  groups: Int32Array,
  settings: GruTrainingSettings,
): TrainedGru {
  const { train, validation } = stratifiedSplit(groups, SELECTION, settings.seed);
  const part = (places: Int32Array): GruExamples => ({
    inputs: gruInputs(subtrace(trace, places)),
    targets: Uint8Array.from(
      { length: trace.timesteps * places.length },
      (_, row) =>
        targets[
          Math.floor(row / places.length) * trace.examples + (places[row % places.length] as number)
        ] as number,
    ),
  });
  return trainTraceGru(part(train), part(validation), settings);
}

/** The probability [T, N] that a GRU gives at each timestep of a trace. */
export function traceProbabilities(gru: TraceGru, trace: Trace): Float64Array {
  return gruProbabilities(gru, gruInputs(trace));
}
