import { z } from "zod";
import type { Dataset, ImageSet } from "../../../datasets/dataset.js";
import { proceduralSplit } from "../../../datasets/procedural.js";
import { limit } from "../../../datasets/split.js";
import { splitByClass } from "../../../datasets/split-by-class.js";
import { detectorScores } from "../../../experiments/analyses/novelty-detection.js";
import { specHash } from "../../../experiments/specs/spec-hash.js";
import { openTrainedModel } from "../../../experiments/runs/trained-model.js";
import { testImages, trainingImages } from "../../../experiments/runs/image-splits.js";
import { aurocBootstrap } from "../../../trace/auroc.js";
import { randomStream } from "../../../util/random.js";
import type { Analysis } from "../../evidence/cached-analysis.js";
import type { StudyContext } from "../../study-context.js";
import { type NoveltyModel, noveltySpec, type TraceSettings } from "./runs.js";

/** The two kinds of foreign images. */
export const FOREIGN_SETS = ["held-out classes", "procedural images"] as const;
export type ForeignSet = (typeof FOREIGN_SETS)[number];

const rowSchema = z.object({
  model: z.string(),
  seed: z.number(),
  foreign: z.enum(FOREIGN_SETS),
  detector: z.string(),
  reads: z.enum(["last step", "whole trace"]),
  learntFrom: z.enum(["known images", "known and foreign images"]),
  auroc: z.number(),
  /** 95 % bootstrap interval. */
  low: z.number(),
  high: z.number(),
  knownImages: z.number(),
  foreignImages: z.number(),
});

/** How well a detector tells foreign test images from those of the classes that the network knows. */
export type NoveltyRow = z.output<typeof rowSchema>;

const NOVELTY: Analysis<NoveltyRow[]> = {
  name: "novelty",
  module: import.meta.url,
  schema: z.array(rowSchema),
};

/** AUROC of every detector on one network's traces of known and foreign test images. */
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
  const { foreignImages } = settings;
  return context.cachedOf(spec, NOVELTY, { model, gru, foreignImages }, async () => {
    context.onProgress(`${model}, seed ${seed}: foreign images`);
    const dataset = await context.datasetOf(spec);
    const trained = await openTrainedModel(directory, { model });
    try {
      const knownHeldOut = trained.trace(trainingImages(spec, dataset).validation);
      const knownTest = trained.trace(testImages(spec, dataset));
      const sets = foreignSets(dataset, settings, seed);
      return FOREIGN_SETS.flatMap((foreign) => {
        const { learn, test } = sets[foreign];
        const scores = detectorScores(
          { knownHeldOut, knownTest, foreignHeldOut: trained.trace(learn), foreignTest: trained.trace(test) },
          gru,
        );
        const isForeign = Uint8Array.from({ length: knownTest.examples + test.labels.length }, (_, n) =>
          Number(n >= knownTest.examples),
        );
        const { values, intervals } = aurocBootstrap(
          scores.map(({ known, foreign: others }) => Float64Array.of(...known, ...others)),
          isForeign,
          { stream: randomStream(seed, `bootstrap/novelty/${run}/${foreign}`) },
        );
        return scores.map(({ detector, reads, learntFrom }, i) => ({
          model,
          seed,
          foreign,
          detector,
          reads,
          learntFrom,
          auroc: values[i] as number,
          low: intervals[i]?.low as number,
          high: intervals[i]?.high as number,
          knownImages: knownTest.examples,
          foreignImages: test.labels.length,
        }));
      });
    } finally {
      trained.dispose();
    }
  });
}

interface ForeignImages {
  /** For the detectors that learn from foreign images. */
  readonly learn: ImageSet;
  readonly test: ImageSet;
}

/** Kinds of shape and texture that procedural data sets of up to ten classes lack. */
const PROCEDURAL_CLASSES = Array.from({ length: 10 }, (_, k) => 10 + k);

function foreignSets(
  { train, test }: Dataset,
  { heldOutClasses, foreignImages }: TraceSettings,
  seed: number,
): Readonly<Record<ForeignSet, ForeignImages>> {
  const upTo = (set: ImageSet): ImageSet => limit(set, Math.min(foreignImages, set.labels.length), seed);
  const procedural = (split: "train" | "test"): ImageSet => {
    const count = 2 * foreignImages;
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
