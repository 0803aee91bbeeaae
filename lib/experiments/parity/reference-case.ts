import { z } from "zod";
import { cascadedResNet, type CascadedResNet } from "../../models/cascaded-resnet.js";
import type { Delay } from "../../nn/delay.js";
import { parseWithSchema } from "../../util/schema.js";

export const sampled = z.object({ norm: z.number(), at: z.array(z.number()), values: z.array(z.number()) });
/** Values [T, B, K]. */
export const cube = z.array(z.array(z.array(z.number())));

const referenceCaseSchema = z.object({
  case: z.object({
    name: z.string(),
    network: z.enum(["resnet18", "resnet34", "resnet50"]),
    classes: z.number().int().min(1).max(1000),
    size: z.number().int().min(1).max(256),
    batch: z.number().int().min(1).max(64),
    scheme: z.enum(["parallel", "serial"]),
    multiHead: z.boolean(),
    delay: z.union([
      z.object({ kind: z.literal("osd") }),
      z.object({ kind: z.literal("ews"), alpha: z.number() }),
    ]),
    temporalAffine: z.boolean(),
    normStatistics: z.enum(["same", "distinct"]),
    steps: z.number().int(),
    norm: z.object({ epsilon: z.number(), momentum: z.number() }),
  }),
  labels: z.array(z.number().int()),
  timesteps: z.number().int().min(1).max(1000),
  tensors: z.array(z.object({ name: z.string(), shape: z.array(z.number().int()) })),
  evalLogits: cube,
  td: z.array(
    z.object({
      lambda: z.number(),
      steps: z.array(
        z.object({
          loss: z.number(),
          lossPerTimestep: z.array(z.number()),
          trainLogits: cube,
          gradients: z.record(z.string(), sampled),
          updates: z.record(z.string(), sampled),
          statistics: z.record(z.string(), sampled),
        }),
      ),
    }),
  ),
  limits: z.record(z.string(), z.number().nullable()),
});

/** A case of the network that the authors' implementation computed. */
export type ReferenceCase = z.infer<typeof referenceCaseSchema>;
/** Norm of a tensor, and its values at some places of the authors' layout. */
export type Sampled = z.infer<typeof sampled>;

/** A parsed reference file as a case of the network; a UserError names the file and the field that does not fit. */
export function parseReferenceCase(json: unknown, where: string): ReferenceCase {
  return parseWithSchema(referenceCaseSchema, json, where);
}

/** The network of a case, as this project builds it. */
export function referenceNetwork(reference: ReferenceCase): CascadedResNet {
  const { case: given, timesteps, tensors } = reference;
  const stemFilter = tensors.find((tensor) => tensor.name === "stem.conv.weight");
  const delay: Delay =
    given.delay.kind === "osd"
      ? { kind: "oneStepDelay" }
      : { kind: "exponentialSmoothing", alpha: given.delay.alpha };
  return cascadedResNet({
    depth: Number(given.network.slice("resnet".length)) as 18 | 34 | 50,
    width: (stemFilter?.shape[0] ?? 64) / 64,
    classes: given.classes,
    stem: stemFilter?.shape[2] === 7 ? "imagenet" : "cifar",
    scheme:
      given.scheme === "serial"
        ? { kind: "serial", delay, asPublished: true, keepsUnreadStatistics: true }
        : { kind: "parallel", delay },
    heads: given.multiHead ? "perTimestep" : "single",
    norm: { ...given.norm, temporalAffine: given.temporalAffine },
    timesteps,
  });
}
