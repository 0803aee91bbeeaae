import type { StoredTensor } from "../../../lib/util/safetensors.js";

export const SPEC = { model: { kind: "cascaded", width: 0.25 }, seed: 1 };
export const CHECKPOINT_EVERY = 5;

/** A state of 240 kB that only its step decides. */
export function stateAfter(step: number): Map<string, StoredTensor> {
  return new Map<string, StoredTensor>([
    ["weights", { dtype: "F32", shape: [200, 300], data: new Float32Array(60_000).fill(1 / (step + 1)) }],
    ["counter", { dtype: "I32", shape: [], data: Int32Array.of(step) }],
  ]);
}
