import { z } from "zod";
import { datasetSourceSchema } from "../../datasets/source.js";
import { cascadedDenseNet } from "../../models/cascaded-densenet.js";
import type { CascadedNetwork } from "../../models/cascaded-network.js";
import { cascadedResNet } from "../../models/cascaded-resnet.js";
import type { Delay } from "../../nn/delay.js";
import type { Scheme } from "../../nn/scheme.js";
import { parseWithSchema } from "../../util/schema.js";

/**
 * A run as plain data: every field that decides its result, none that does not. Unknown fields and values out of
 * range are refused by name.
 */

const delaySchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("oneStepDelay") }),
  z.strictObject({ kind: z.literal("exponentialSmoothing"), alpha: z.number().min(0).lt(1) }),
]);

const networkSchema = z
  .strictObject({
    depth: z.literal([18, 34, 50]),
    /** Multiple of the channels 64, 128, 256, 512. */
    width: z.number().gt(0).max(4),
    /** A DenseNet of this growth and this many layers a dense block, in place of the ResNet. */
    densenet: z
      .strictObject({
        growth: z.int().min(1).max(256),
        layers: z.array(z.int().min(1).max(64)).min(1).max(5),
      })
      .optional(),
    stem: z.enum(["cifar", "imagenet"]),
    /** "ordinary": trained as an ordinary network, on its final output; run as a cascade and serially afterwards. */
    scheme: z.enum(["parallel", "serial", "ordinary"]),
    /**
     * How residuals come in where the network is run serially. "published": delayed, as in the authors' code; "undelayed":
     * this project's own, at once at each block's turn. Left out of specs from before there was a choice: undelayed.
     */
    serialScheme: z.enum(["published", "undelayed"]).optional(),
    delay: delaySchema,
    heads: z.enum(["single", "perTimestep"]),
    temporalAffine: z.boolean(),
    epsilon: z.number().gt(0).max(1),
    momentum: z.number().gt(0).max(1),
    /** Timesteps T; null for the number of residual blocks or of dense layers + 1. */
    timesteps: z.int().min(2).max(1000).nullable(),
  })
  .refine(({ scheme, heads }) => scheme !== "ordinary" || heads === "single", {
    path: ["heads"],
    message: 'an ordinary network is trained on its one final output; allowed with it: "single"',
  })
  .refine(({ scheme, serialScheme }) => scheme !== "parallel" || serialScheme === undefined, {
    path: ["serialScheme"],
    message: "a parallel network is never run serially; leave network.serialScheme out",
  })
  .refine(({ densenet, depth }) => densenet === undefined || depth === 18, {
    path: ["depth"],
    message: "a DenseNet is as deep as densenet.layers says; allowed with it: 18",
  })
  .refine(({ densenet, width }) => densenet === undefined || width === 1, {
    path: ["width"],
    message: "a DenseNet is as wide as densenet.growth says; allowed with it: 1",
  });

const lossSchema = z
  .strictObject({
    lambda: z.number().min(0).max(1),
    /** One weight a timestep; null for 1 each. */
    weights: z.array(z.number().min(0)).nullable(),
    /** Weights that change over the training. */
    exitWeights: z.strictObject({ kind: z.literal("shallowDeep") }).optional(),
    /** Divide by the number of timesteps that count. */
    mean: z.boolean(),
  })
  .refine(({ weights, exitWeights }) => weights === null || exitWeights === undefined, {
    path: ["weights"],
    message: "loss.exitWeights gives the weights; allowed with it: null",
  });

const scheduleSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant") }),
  /** The learning rate is multiplied by `factor` at each of these epochs. */
  z.strictObject({
    kind: z.literal("step"),
    milestones: z.array(z.int().min(1)),
    factor: z.number().gt(0).max(1),
  }),
  /** Cosine up to the learning rate over the first share of all steps, then cosine down to nothing. */
  z.strictObject({ kind: z.literal("oneCycle"), warmup: z.number().gt(0).lt(1) }),
]);

const trainSchema = z.strictObject({
  epochs: z.int().min(1).max(10000),
  batchSize: z.int().min(1).max(65536),
  learningRate: z.number().gt(0).max(100),
  momentum: z.number().min(0).lt(1),
  weightDecay: z.number().min(0).max(1),
  schedule: scheduleSchema,
  augmentation: z.strictObject({
    crop: z.int().min(0).max(64),
    flip: z.boolean(),
    occlusion: z.int().min(0).max(512),
  }),
  /** float32 where it is left out; "mixed" computes in bfloat16 and keeps weights, statistics and loss in float32. */
  precision: z.literal("mixed").optional(),
});

export const runSpecSchema = z
  .strictObject({
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1),
    data: datasetSourceSchema,
    /** Training images used, as many of each class as possible; null for all. Test images likewise. */
    trainImages: z.int().min(1).nullable(),
    testImages: z.int().min(1).nullable(),
    /**
     * Classes, by their places in the data set, whose images are left out of training and test; the others are
     * numbered anew in their order. Left out of the spec, and so of its hash, where there are none.
     */
    heldOutClasses: z.array(z.int().min(0)).min(1).optional(),
    /** Share of the training images held out for validation. */
    validation: z.number().min(0).lt(1),
    network: networkSchema,
    loss: lossSchema,
    train: trainSchema,
  })
  .refine(({ network, train }) => network.densenet === undefined || train.precision === undefined, {
    path: ["train", "precision"],
    message: "a DenseNet is trained in float32; leave train.precision out",
  });

/** All that decides a run: seed, data, network, loss and training, as plain data. Its hash names the run. */
export type RunSpec = z.output<typeof runSpecSchema>;

/** A spec with every field checked; `where` names its source in errors. */
export function parseRunSpec(value: unknown, where: string): RunSpec {
  return parseWithSchema(runSpecSchema, value, where);
}

/** One way of running trained weights over time, under the name that figures show. */
export interface ModelView {
  readonly model: string;
  readonly network: CascadedNetwork;
}

/** The network as it is trained. An ordinary network has a single timestep and no delay. */
export function trainedNetwork(spec: RunSpec, classes: number): CascadedNetwork {
  const { scheme, delay } = spec.network;
  if (scheme !== "ordinary") return networkOf(spec, classes, scheme, delay, spec.network.timesteps);
  return networkOf(spec, classes, "parallel", { kind: "none" }, 1);
}

/** The models that a run's weights give: one, or for an ordinary network its cascade and its serial run. */
export function modelViews(spec: RunSpec, classes: number): ModelView[] {
  const { scheme, heads, delay, timesteps } = spec.network;
  const view = (model: string, kind: "parallel" | "serial"): ModelView => ({
    model,
    network: networkOf(spec, classes, kind, delay, timesteps),
  });
  if (scheme === "ordinary") return [view("CascadedCE", "parallel"), view("SerialCE", "serial")];
  const name = scheme === "parallel" ? "CascadedTD" : "SerialTD";
  return [view(heads === "single" ? name : `${name}-MultiHead`, scheme)];
}

function networkOf(
  { network }: RunSpec,
  classes: number,
  kind: "parallel" | "serial",
  delay: Delay,
  timesteps: number | null,
): CascadedNetwork {
  const { depth, width, densenet, stem, heads, temporalAffine, epsilon, momentum, serialScheme } = network;
  const scheme: Scheme =
    kind === "parallel" ? { kind, delay } : { kind, delay, asPublished: serialScheme === "published" };
  const common = {
    classes,
    stem,
    scheme,
    heads,
    norm: { epsilon, momentum, temporalAffine },
    timesteps: timesteps ?? undefined,
  };
  return densenet === undefined
    ? cascadedResNet({ ...common, depth, width })
    : cascadedDenseNet({ ...common, ...densenet });
}
