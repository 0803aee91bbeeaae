import { join } from "node:path";
import { z } from "zod";
import { VELOCITY } from "../../train/checkpoint.js";
import type { StoredTensor } from "../../util/safetensors.js";
import { parseWithSchema } from "../../util/schema.js";
import { DONE } from "./done-record.js";
import { readRun } from "./run-record.js";

/** Where a training stopped being one: what became not finite, and when it was seen. */
const divergenceSchema = z.object({
  /** Steps done, from 1. */
  step: z.number(),
  /** From 0. */
  epoch: z.number(),
  quantity: z.enum(["loss", "weights", "velocities", "running statistics", "logits"]),
  value: z.enum(["NaN", "Infinity", "-Infinity"]),
  /** null where no step had a finite one. */
  lastLoss: z.number().nullable(),
});

/**
 * At which step of which epoch a training became infinite or no number, which quantity did, and the last finite
 * loss.
 */
export type Divergence = z.output<typeof divergenceSchema>;

const divergedSummarySchema = z.object({
  seed: z.number(),
  steps: z.number(),
  trainingSeconds: z.number(),
  diverged: divergenceSchema,
});

/** What a run that diverged says of itself in DONE.json, in the place of a summary: it gives no model. */
export type DivergedSummary = z.output<typeof divergedSummarySchema>;

/** What a finished run says of its divergence; null for one that did not diverge and for one that is not finished. */
export function divergedSummary(directory: string): DivergedSummary | null {
  const summary = readRun(directory).done?.summary;
  if (typeof summary !== "object" || summary === null || !("diverged" in summary)) return null;
  return parseWithSchema(divergedSummarySchema, summary, join(directory, DONE));
}

/** "the loss became NaN at step 12, in epoch 1; the last finite loss was 2.303": epochs counted from 1. */
export function divergenceText({ step, epoch, quantity, value, lastLoss }: Divergence): string {
  const became = `the ${quantity} became ${value} at step ${step}, in epoch ${epoch + 1}`;
  return lastLoss === null ? became : `${became}; the last finite loss was ${lastLoss.toPrecision(4)}`;
}

/** Values that are not all finite, and the first of them that is not. */
export type NotFinite = Pick<Divergence, "quantity" | "value">;

/** The first value that is not finite, named as JSON can hold it; null if there is none. */
export function notFinite(quantity: Divergence["quantity"], values: ArrayLike<number>): NotFinite | null {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) continue;
    return { quantity, value: Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity" };
  }
  return null;
}

/** The same of a stored training state. */
export function notFiniteState(stored: ReadonlyMap<string, StoredTensor>): NotFinite | null {
  for (const [name, { dtype, data }] of stored) {
    const found = dtype === "F32" ? notFinite(quantityOf(name), data) : null;
    if (found !== null) return found;
  }
  return null;
}

function quantityOf(tensor: string): Divergence["quantity"] {
  if (tensor.startsWith(VELOCITY)) return "velocities";
  return /\.(mean|variance)$/.test(tensor) ? "running statistics" : "weights";
}
