import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PresetName } from "../../lib/experiments/specs/presets.js";
import { MODEL_FILE } from "../../lib/experiments/runs/model-file.js";
import { trainingRun } from "../../lib/experiments/runs/training-run.js";
import { kernelLevel } from "../../lib/nn/backend/kernel-level.js";
import { readTrace } from "../../lib/trace/trace-file.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";

/**
 * Trains a few small networks, which together take every kernel, and prints the hashes of their weights and of the logits
 * of their traces.
 */
type Change = Parameters<typeof tinyRunSpec>[1];

const SMALL = { train: 48, test: 12 };
const TRAININGS: readonly [PresetName, Change][] = [
  ["cascaded-td", { data: SMALL }],
  // Channels and rows enough for Winograd's transforms, and maps of 8, 4, 2 and 1 positions a side.
  ["cascaded-td", { data: { ...SMALL, size: 16 }, network: { width: 1 / 4 }, train: { batchSize: 24 } }],
  ["cascaded-td", { data: { ...SMALL, size: 16 }, network: { width: 1 / 4 }, train: { precision: "mixed" } }],
  ["serial-td-multihead", { data: { ...SMALL, size: 10 }, network: { serialScheme: "undelayed" } }],
  ["cascaded-td", { data: SMALL, network: { delay: { kind: "exponentialSmoothing", alpha: 0.5 } } }],
  ["densenet-cascaded-td", { data: { ...SMALL, size: 16 } }],
];

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const root = mkdtempSync(join(tmpdir(), "bits-"));
const results: { name: string; weights: string; trace: string }[] = [];
try {
  for (const [preset, change] of TRAININGS) {
    const spec = tinyRunSpec(preset, { ...change, train: { epochs: 1, ...change?.train } });
    const directory = await trainingRun(spec, { root, quiet: true });
    const trace = readdirSync(directory).find((file) => file.startsWith("trace-")) ?? "";
    const { logits } = await readTrace(join(directory, trace));
    results.push({
      name: `${preset} ${JSON.stringify(change)}`,
      weights: sha256(readFileSync(join(directory, MODEL_FILE))),
      trace: sha256(new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength)),
    });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.stdout.write(JSON.stringify({ level: kernelLevel ?? null, results }));
