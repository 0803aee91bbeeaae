import { z } from "zod";
import { datasetSourceSchema } from "../../datasets/source.js";
import { architectureNamed } from "../../models/architectures.js";
import { parseWithSchema } from "../../util/schema.js";
import { upgradedSpec } from "./former-spec.js";
import { isCascade, networkSchema } from "./network-spec.js";

/**
 * A run as plain data: every field that decides its result, none that does not. Unknown fields and values out of
 * range are refused by name.
 */

const lossSchema = z
  .strictObject({
    lambda: z.number().min(0).max(1),
    /** One weight a timestep; null for 1 each. */
    weights: z.array(z.number().min(0)).nullable(),
    /** Weights that change over the training. */
    exitWeights: z
      .discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("shallowDeep") }),
        z.strictObject({ kind: z.literal("mixed"), backbone: z.number().gt(0).lt(1) }),
        z.strictObject({ kind: z.literal("disjoint"), backbone: z.number().gt(0).lt(1) }),
      ])
      .optional(),
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

const runSpecSchema = z
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
  .refine(
    ({ network, train }) => {
      const architecture = architectureNamed(network.architecture);
      const hasMixed = architecture.kind === "cascade" && architecture.mixedPrecision;
      return hasMixed || train.precision === undefined;
    },
    {
      path: ["train", "precision"],
      message: "a network of this architecture is trained in float32; leave train.precision out",
    },
  )
  .refine(
    ({ network, loss: { exitWeights } }) =>
      exitWeights === undefined || exitWeights.kind === "shallowDeep" || !isCascade(network),
    {
      path: ["loss", "exitWeights"],
      message: 'a cascade has no backbone apart from its exits; allowed with it: kind "shallowDeep"',
    },
  );

/** All that decides a run: seed, data, network, loss and training, as plain data. Its hash names the run. */
export type RunSpec = z.output<typeof runSpecSchema>;

/** A spec of today's form or a former one with every field checked; `where` names its source in errors. */
export function parseRunSpec(value: unknown, where = "the spec"): RunSpec {
  return parseWithSchema(runSpecSchema, upgradedSpec(value, where), where);
}
