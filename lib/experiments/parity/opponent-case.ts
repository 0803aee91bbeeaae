import { z } from "zod";
import { msdNet } from "../../models/msdnet.js";
import type { MultiExitNetwork } from "../../models/multi-exit-network.js";
import { shallowDeepNetwork } from "../../models/shallow-deep-network.js";
import { cube, sampled } from "./reference-case.js";

/** A multi-exit network as the public implementations' arguments describe it. */
const configSchema = z.union([
  z.object({
    nBlocks: z.int().min(1).max(64),
    nChannels: z.int().min(1).max(1024),
    base: z.int().min(1).max(64),
    stepmode: z.enum(["even", "lin_grow"]),
    step: z.int().min(1).max(64),
    growthRate: z.int().min(1).max(1024),
    grFactor: z.array(z.int().min(1)).min(1),
    bnFactor: z.array(z.int().min(1)).min(1),
    prune: z.enum(["min", "max"]),
    bottleneck: z.literal(true),
    reduction: z.number().min(0).max(1),
  }),
  z.object({
    add_ic: z.array(z.array(z.union([z.literal(0), z.literal(1)]))).min(1),
    channels: z.array(z.int().min(1)).default([16, 32, 64]),
  }),
]);

const sizeSchema = z.object({
  config: configSchema,
  parameters: z.int(),
  multiplyAdds: z.array(z.number()),
});

/** Parameters and multiply-adds of published configurations, by name; that of CIFAR-100 ends in "cifar100". */
export const publishedSizesSchema = z.record(z.string(), sizeSchema);

/** Logits, losses, gradients and statistics of one small case. */
export const opponentCaseSchema = z.object({
  ...sizeSchema.shape,
  name: z.string(),
  side: z.int().min(8).max(256),
  batch: z.int().min(1).max(64),
  classes: z.int().min(2).max(1000),
  labels: z.array(z.int()),
  tensors: z.array(z.tuple([z.string(), z.array(z.int()), z.string()])),
  evalLogits: cube,
  float32Error: z.number(),
  trainLogits: cube,
  losses: z.array(z.number()),
  /** Null where a tensor reaches no exit. */
  gradients: z.record(z.string(), sampled.nullable()),
  statistics: z.record(z.string(), z.object({ norm: z.number(), first: z.number() })),
});

export type OpponentCase = z.output<typeof opponentCaseSchema>;

/** The network that a configuration describes. */
export function opponentNetwork(
  config: z.output<typeof configSchema>,
  classes: number,
  imageSize: number,
): MultiExitNetwork {
  const shared = { classes, imageSize, norm: { epsilon: 1e-5, momentum: 0.1, temporalAffine: false } };
  if ("add_ic" in config) {
    const exitAfter = config.add_ic.map((stage) => stage.map((exit) => exit === 1));
    return shallowDeepNetwork({ ...shared, channels: config.channels, exitAfter });
  }
  return msdNet({
    ...shared,
    exits: config.nBlocks,
    base: config.base,
    stepMode: config.stepmode === "even" ? "even" : "linear",
    step: config.step,
    channels: config.nChannels,
    growth: config.growthRate,
    scaleFactors: config.grFactor,
    bottleneckFactors: config.bnFactor,
    prune: config.prune,
    reduction: config.reduction,
  });
}
