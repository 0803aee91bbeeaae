import { z } from "zod";
import type { Dataset } from "../../../datasets/dataset.js";
import { detectorScores, type NoveltyTraces } from "../../../experiments/analyses/novelty-detection.js";
import { specHash } from "../../../experiments/specs/spec-hash.js";
import { openTrainedModel } from "../../../experiments/runs/trained-model.js";
import { testImages, trainingImages } from "../../../experiments/runs/image-splits.js";
import { aurocBootstrap } from "../../../trace/auroc.js";
import type { GruTrainingSettings } from "../../../train/trace-gru-training.js";
import { type RandomStream, randomStream } from "../../../util/random.js";
import { type Analysis, cachedNumber } from "../../evidence/cached-analysis.js";
import { aurocWithoutGroup } from "../../evidence/image-groups.js";
import type { NamedDataset, StudyContext } from "../../study-context.js";
import { type OutOfDistributionImages, ownOutOfDistributionSets } from "./out-of-distribution.js";
import { atSide, photographsOf, setName } from "./photographs.js";
import { type NoveltyModel, noveltySpec, type TraceSettings } from "./runs.js";

const rowSchema = z.object({
  model: z.string(),
  seed: z.number(),
  /** Name of the set. */
  outOfDistribution: z.string(),
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

/** AUROC of every detector on one network's traces of in- and out-of-distribution test images, each set kept by itself. */
export async function noveltyRows(
  model: NoveltyModel,
  seed: number,
  settings: TraceSettings,
  context: StudyContext,
): Promise<NoveltyRow[]> {
  const rows = await rowsOfSets(model, seed, settings, context, undefined);
  for (const other of await context.otherDatasets())
    rows.push(...(await rowsOfSets(model, seed, settings, context, other)));
  return rows;
}

/** The rows of another data set's photographs, or, without, of the sets that need no other data. */
function rowsOfSets(
  model: NoveltyModel,
  seed: number,
  settings: TraceSettings,
  context: StudyContext,
  other: NamedDataset | undefined,
): Promise<NoveltyRow[]> {
  const spec = noveltySpec(model, seed, settings, context.data);
  const directory = context.run(spec);
  const run = specHash(spec);
  const gru = { ...settings.gru, seed };
  const { outOfDistributionImages } = settings;
  const set = other && { photographs: { name: other.name, hash: other.dataset.hash } };
  return context.cachedOf(spec, NOVELTY, { model, gru, outOfDistributionImages, ...set }, async () => {
    context.onProgress(`${model}, seed ${seed}: ${other ? setName(other) : "out-of-distribution images"}`);
    const dataset = await context.datasetOf(spec);
    const trained = await openTrainedModel(directory, { model });
    try {
      const validation = trained.trace(trainingImages(spec, dataset).validation);
      const inDistributionHeldOut = { ...validation, split: "validation" } as const;
      const inDistributionTest = trained.trace(testImages(spec, dataset));
      const sets =
        other === undefined
          ? ownOutOfDistributionSets(dataset, settings, seed)
          : { [setName(other)]: shrunkPhotographs(other, dataset, settings, seed) };
      return Object.entries(sets).flatMap(([outOfDistribution, { learn, test }]) => {
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

/** As large as the study's own images. */
function shrunkPhotographs(
  other: NamedDataset,
  { train }: Dataset,
  { outOfDistributionImages }: TraceSettings,
  seed: number,
): OutOfDistributionImages {
  return atSide(
    photographsOf(other, train.classNames, outOfDistributionImages, seed),
    train.size.height,
    other.name,
  );
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
  const ids = [...traces.inDistributionTest.ids, ...traces.outOfDistributionTest.ids];
  const { values, intervals } = aurocBootstrap(signals, isOutOfDistribution, { stream });
  return scores.map(({ detector, reads, learntFrom }, i) => ({
    detector,
    reads,
    learntFrom,
    auroc: values[i] as number,
    withoutGroup: aurocWithoutGroup(signals[i] as Float64Array, isOutOfDistribution, ids),
    low: intervals[i]?.low as number,
    high: intervals[i]?.high as number,
    inDistributionImages,
    outOfDistributionImages,
  }));
}
