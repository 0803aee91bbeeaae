import { energy, entropyScore, oneMinusMaxProbability } from "../../trace/novelty-scores.js";
import { fitClassGaussians, nearestClassDistance } from "../../trace/mahalanobis.js";
import type { ValidationTrace } from "../../trace/split.js";
import { joinedTraces, lastStep } from "../../trace/subtrace.js";
import type { Trace } from "../../trace/trace.js";
import type { GruTrainingSettings } from "../../train/trace-gru-training.js";
import { correctnessGru, gruOfExamples, traceProbabilities } from "./metacognition.js";

/** What a detector of out-of-distribution images reads, and whether such images taught it. */
export interface Detector {
  readonly detector: string;
  readonly reads: "last step" | "whole trace";
  readonly learntFrom: "in-distribution images" | "in- and out-of-distribution images";
}

/** A detector's scores, higher for what seems out of distribution. */
export interface DetectorScores extends Detector {
  /** Test images of the classes that the network knows. */
  readonly inDistribution: Float64Array;
  /** Out-of-distribution test images. */
  readonly outOfDistribution: Float64Array;
}

/** Traces of one network: of images that its training held out, of test images, and of out-of-distribution images. */
export interface NoveltyTraces {
  readonly inDistributionHeldOut: ValidationTrace;
  readonly inDistributionTest: Trace;
  /** For the detectors that learn from out-of-distribution images; none of them is tested on. */
  readonly outOfDistributionHeldOut: Trace;
  readonly outOfDistributionTest: Trace;
}

/** How each detector is told apart, by name. */
export const DETECTORS = {
  confidence: "confidence",
  entropy: "entropy",
  energy: "energy",
  gaussian: "class Gaussians",
  correctnessGru: "GRU of correctness",
  noveltyGru: "GRU",
} as const;

/**
 * Scores of every detector. Confidence, entropy and energy are read off the last timestep and learn nothing; class
 * Gaussians are fitted to logits of held-out in-distribution images, of the last timestep or of all; the GRU of
 * correctness learns from in-distribution images alone that an answer is wrong; the last two GRUs are shown
 * out-of-distribution images in training, as in the paper, and read the last timestep or the whole trace.
 */
export function detectorScores(traces: NoveltyTraces, settings: GruTrainingSettings): DetectorScores[] {
  const atEnd: NoveltyTraces = {
    inDistributionHeldOut: { ...lastStep(traces.inDistributionHeldOut), split: "validation" },
    inDistributionTest: lastStep(traces.inDistributionTest),
    outOfDistributionHeldOut: lastStep(traces.outOfDistributionHeldOut),
    outOfDistributionTest: lastStep(traces.outOfDistributionTest),
  };
  const { gru } = correctnessGru(traces.inDistributionHeldOut, settings);
  const scored = (
    of: Omit<Detector, "learntFrom"> & Partial<Detector>,
    score: (trace: Trace) => Float64Array,
  ): DetectorScores => ({
    learntFrom: "in-distribution images",
    ...of,
    inDistribution: score(of.reads === "last step" ? atEnd.inDistributionTest : traces.inDistributionTest),
    outOfDistribution: score(
      of.reads === "last step" ? atEnd.outOfDistributionTest : traces.outOfDistributionTest,
    ),
  });
  const reads = (one: NoveltyTraces): Detector["reads"] => (one === atEnd ? "last step" : "whole trace");
  return [
    scored({ detector: DETECTORS.confidence, reads: "last step" }, (trace) =>
      oneMinusMaxProbability(trace, 0),
    ),
    scored({ detector: DETECTORS.entropy, reads: "last step" }, (trace) => entropyScore(trace, 0)),
    scored({ detector: DETECTORS.energy, reads: "last step" }, (trace) => energy(trace, 0)),
    ...[atEnd, traces].map((seen) =>
      scored({ detector: DETECTORS.gaussian, reads: reads(seen) }, gaussianScore(seen.inDistributionHeldOut)),
    ),
    scored({ detector: DETECTORS.correctnessGru, reads: "whole trace" }, (trace) =>
      atLast(traceProbabilities(gru, trace), trace).map((right) => 1 - right),
    ),
    ...[atEnd, traces].map((seen) =>
      scored(
        {
          detector: DETECTORS.noveltyGru,
          reads: reads(seen),
          learntFrom: "in- and out-of-distribution images",
        },
        noveltyGruScore(seen, settings),
      ),
    ),
  ];
}

function gaussianScore(heldOut: Trace): (trace: Trace) => Float64Array {
  const gaussians = fitClassGaussians(logitsOfExamples(heldOut), heldOut.labels, heldOut.classes);
  return (trace) => nearestClassDistance(gaussians, logitsOfExamples(trace));
}

function noveltyGruScore(
  { inDistributionHeldOut, outOfDistributionHeldOut }: NoveltyTraces,
  settings: GruTrainingSettings,
): (trace: Trace) => Float64Array {
  const shown = joinedTraces([inDistributionHeldOut, outOfDistributionHeldOut]);
  const outOfDistribution = Int32Array.from({ length: shown.examples }, (_, n) =>
    Number(n >= inDistributionHeldOut.examples),
  );
  const targets = Uint8Array.from(
    { length: shown.timesteps * shown.examples },
    (_, row) => outOfDistribution[row % shown.examples] as number,
  );
  const { gru } = gruOfExamples(shown, targets, outOfDistribution, settings);
  return (trace) => atLast(traceProbabilities(gru, trace), trace);
}

/** Logits [T, N, K] as a row for each example, [N, T K]. */
function logitsOfExamples({ timesteps: T, examples: N, classes: K, logits }: Trace): Float64Array {
  const rows = new Float64Array(logits.length);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++)
      rows.set(logits.subarray((t * N + n) * K, (t * N + n + 1) * K), (n * T + t) * K);
  }
  return rows;
}

function atLast(values: Float64Array, { timesteps, examples }: Trace): Float64Array {
  return values.slice((timesteps - 1) * examples);
}
