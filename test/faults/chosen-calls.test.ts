import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenCalls } from "./shim.js";

const CALLS = [
  "open /runs/run-0a1b2c3d4e5f/checkpoint-2.safetensors",
  "open /runs/run-0a1b2c3d4e5f/metrics.jsonl",
  "open /runs/run-0a1b2c3d4e5f/checkpoint-4.safetensors",
  "rename /runs/run-0a1b2c3d4e5f/checkpoint-4.safetensors",
  "open /runs/run-0a1b2c3d4e5f/checkpoint-16.safetensors",
  "open /runs/run-f00ba4f00ba4/checkpoint-6.safetensors",
];

test("calls are alike if the same function meets the same path but for its numbers; the first and the last are among those chosen", () => {
  assert.deepEqual(chosenCalls(CALLS, 1), [0, 1, 3]);
  assert.deepEqual(chosenCalls(CALLS, 2), [0, 1, 3, 5]);
  assert.deepEqual(chosenCalls(CALLS, 3), [0, 1, 3, 4, 5]);
  assert.deepEqual(chosenCalls(CALLS, 100), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(chosenCalls([], 2), []);
});
