import { z } from "zod";
import type { Dataset, ImageSet } from "../../../datasets/dataset.js";
import { proceduralSplit } from "../../../datasets/procedural.js";
import { limit } from "../../../datasets/split.js";
import { splitByClass } from "../../../datasets/split-by-class.js";
import { detectorScores, type NoveltyTraces } from "../../../experiments/analyses/novelty-detection.js";
import { specHash } from "../../../experiments/specs/spec-hash.js";
import { openTrainedModel } from "../../../experiments/runs/trained-model.js";
import { testImages, trainingImages } from "../../../experiments/runs/image-splits.js";
import { aurocBootstrap } from "../../../trace/auroc.js";
import type { GruTrainingSettings } from "../../../train/trace-gru-training.js";
import { type RandomStream, randomStream } from "../../../util/random.js";
import { type Analysis, cachedNumber } from "../../evidence/cached-analysis.js";
import { aurocWithoutGroup } from "../../evidence/image-groups.js";
import type { StudyContext } from "../../study-context.js";
import { type NoveltyModel, noveltySpec, type TraceSettings } from "./runs.js";

/** The two kinds of out-of-distribution images. */
export const OUT_OF_DISTRIBUTION_SETS = ["held-out classes", "procedural images"] as const;
export type OutOfDistributionSet = (typeof OUT_OF_DISTRIBUTION_SETS)[number];

const rowSchema = z.object({
  model: z.string(),
  seed: z.number(),
  outOfDistribution: z.enum(OUT_OF_DISTRIBUTION_SETS),
  detector: z.string(),
  reads: z.enum(["last step", "whole trace"]),
  learntFrom: z.enum(["in-distribution images", "in- and out-of-distribution images"]),
  auroc: z.number(),
  /** Without each group of test images, of both kinds. */
  withoutGroup: z.array(cachedNumber),
  /** 95 % bootstrap interval. */
  low: z.number(),
  high: z.number(),
  inDistributionImages: z.number(),
  outOfDistributionImages: z.number(),
});

/** How well a detector tells out-of-distribution test images from those of the classes that the network knows. */
export type NoveltyRow = z.output<typeof rowSchema>;

const NOVELTY: Analysis<NoveltyRow[]> = {
  name: "novelty",
  module: import.meta.url,
  schema: z.array(rowSchema),
};

/** AUROC of every detector on one network's traces of in- and out-of-distribution test images. */
export async function noveltyRows(
  model: NoveltyModel,
  seed: number,
  settings: TraceSettings,
  context: StudyContext,
): Promise<NoveltyRow[]> {
  const spec = noveltySpec(model, seed, settings, context.data);
  const directory = context.run(spec);
  const run = specHash(spec);
  const gru = { ...settings.gru, seed };
  const { outOfDistributionImages } = settings;
  return context.cachedOf(spec, NOVELTY, { model, gru, outOfDistributionImages }, async () => {
    context.onProgress(`${model}, seed ${seed}: out-of-distribution images`);
    const dataset = await context.datasetOf(spec);
    const trained = await openTrainedModel(directory, { model });
    try {
      const inDistributionHeldOut = trained.trace(trainingImages(spec, dataset).validation);
      const inDistributionTest = trained.trace(testImages(spec, dataset));
      const sets = outOfDistributionSets(dataset, settings, seed);
      return OUT_OF_DISTRIBUTION_SETS.flatMap((outOfDistribution) => {
        const { learn, test } = sets[outOfDistribution];
        const traces: NoveltyTraces = {
          inDistributionHeldOut,
          inDistributionTest,
          outOfDistributionHeldOut: trained.trace(learn),
          outOfDistributionTest: trained.trace(test),
        };
        const stream = randomStream(seed, `bootstrap/novelty/${run}/${outOfDistribution}`);
        return detectorRows(traces, gru, stream).map((row) => ({ model, seed, outOfDistribution, ...row }));
      });
    } finally {
      trained.dispose();
    }
  });
}

/** A row for each detector, on one kind of out-of-distribution images. */
function detectorRows(
  traces: NoveltyTraces,
  gru: GruTrainingSettings,
  stream: RandomStream,
): Omit<NoveltyRow, "model" | "seed" | "outOfDistribution">[] {
  const inDistributionImages = traces.inDistributionTest.examples;
  const outOfDistributionImages = traces.outOfDistributionTest.examples;
  const scores = detectorScores(traces, gru);
  const isOutOfDistribution = Uint8Array.from(
    { length: inDistributionImages + outOfDistributionImages },
    (_, n) => Number(n >= inDistributionImages),
  );
  const signals = scores.map(({ inDistribution, outOfDistribution }) =>
    Float64Array.of(...inDistribution, ...outOfDistribution),
  );
  const places = Array.from(isOutOfDistribution, (_, n) => n);
  const { values, intervals } = aurocBootstrap(signals, isOutOfDistribution, { stream });
  return scores.map(({ detector, reads, learntFrom }, i) => ({
    detector,
    reads,
    learntFrom,
    auroc: values[i] as number,
    withoutGroup: aurocWithoutGroup(signals[i] as Float64Array, isOutOfDistribution, places),
    low: intervals[i]?.low as number,
    high: intervals[i]?.high as number,
    inDistributionImages,
    outOfDistributionImages,
  }));
}

interface OutOfDistributionImages {
  /** For the detectors that learn from out-of-distribution images. */
  readonly learn: ImageSet;
  readonly test: ImageSet;
}

/** Kinds of shape and texture that procedural data sets of up to ten classes lack. */
const PROCEDURAL_CLASSES = Array.from({ length: 10 }, (_, k) => 10 + k);

function outOfDistributionSets(
  { train, test }: Dataset,
  { heldOutClasses, outOfDistributionImages }: TraceSettings,
  seed: number,
): Readonly<Record<OutOfDistributionSet, OutOfDistributionImages>> {
  const upTo = (set: ImageSet): ImageSet =>
    limit(set, Math.min(outOfDistributionImages, set.labels.length), seed);
  const procedural = (split: "train" | "test"): ImageSet => {
    const count = 2 * outOfDistributionImages;
    const source = {
      kind: "procedural",
      classes: 20,
      size: train.size.height,
      train: count,
      test: count,
      seed: 1,
    } as const;
    return splitByClass(proceduralSplit(source, split), PROCEDURAL_CLASSES).chosen;
  };
  return {
    "held-out classes": {
      learn: upTo(splitByClass(train, heldOutClasses).chosen),
      test: splitByClass(test, heldOutClasses).chosen,
    },
    "procedural images": { learn: procedural("train"), test: procedural("test") },
  };
}
