import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { SourceShape } from "../../datasets/source-shape.js";
import { divergedSummary, divergenceText } from "../../experiments/runs/divergence.js";
import { DONE, METRICS } from "../../experiments/runs/done-record.js";
import type { RunSpec } from "../../experiments/specs/spec.js";
import { lastJsonLine } from "../../util/json-lines.js";
import type { Training } from "./replication.js";

/** How far a training is. */
export interface TrainingStatus {
  readonly training: Training;
  readonly state: "done" | "begun" | "not begun";
  /** Images gone through, each counted once an epoch. */
  readonly images: number;
  readonly totalImages: number;
  /** How it diverged, where it is done and did. */
  readonly diverged?: string;
}

const stepSchema = z.object({ step: z.number() });

/** How far the training is in the folder of all runs, `root`; reading only. */
export function trainingStatus(training: Training, root: string, shape: SourceShape): TrainingStatus {
  const directory = join(root, training.directory);
  const totalImages = imagesOfTraining(training.spec, shape);
  if (existsSync(join(directory, DONE))) {
    const diverged = divergedSummary(directory)?.diverged;
    return {
      training,
      state: "done",
      images: totalImages,
      totalImages,
      ...(diverged && { diverged: divergenceText(diverged) }),
    };
  }
  const last = stepSchema.safeParse(lastJsonLine(join(directory, METRICS)));
  const images = last.success ? last.data.step * training.spec.train.batchSize : 0;
  const state = existsSync(directory) ? "begun" : "not begun";
  return { training, state, images: Math.min(images, totalImages), totalImages };
}

/** Images that a training goes through in all its epochs. */
export function imagesOfTraining(spec: RunSpec, shape: SourceShape): number {
  const { epochs, batchSize } = spec.train;
  const { training } = imagesOfSplit(spec, shape);
  return Math.floor(training / batchSize) * batchSize * epochs;
}

/** Images that are trained on and held out, to about an image for each class. */
export function imagesOfSplit(
  { trainImages, validation }: RunSpec,
  { train }: SourceShape,
): { readonly training: number; readonly validation: number } {
  const all = Math.min(trainImages ?? train, train);
  const held = Math.round(validation * all);
  return { training: all - held, validation: held };
}
