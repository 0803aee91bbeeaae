import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PresetName } from "../../lib/experiments/presets.js";
import { trainingRun } from "../../lib/experiments/training-run.js";
import { kernelLevel } from "../../lib/nn/tensorflow.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";

/**
 * Trains a few small networks, which together take every kernel, and prints the hashes of their weights and traces: for
 * each network, those of one training.
 */
type Change = Parameters<typeof tinyRunSpec>[1];

const SMALL = { train: 48, test: 12 };
const TRAININGS: readonly [PresetName, Change][] = [
  ["cascaded-td", { data: SMALL }],
  // Channels and rows enough for Winograd's transforms, and maps of 8, 4, 2 and 1 positions a side.
  ["cascaded-td", { data: { ...SMALL, size: 16 }, network: { width: 1 / 4 }, train: { batchSize: 24 } }],
  ["cascaded-td", { data: { ...SMALL, size: 16 }, network: { width: 1 / 4 }, train: { precision: "mixed" } }],
  ["serial-td-multihead", { data: { ...SMALL, size: 10 } }],
  ["cascaded-td", { data: SMALL, network: { delay: { kind: "exponentialSmoothing", alpha: 0.5 } } }],
  ["densenet-cascaded-td", { data: { ...SMALL, size: 16 }, network: { width: 1 } }],
];

const root = mkdtempSync(join(tmpdir(), "bits-"));
const results: { name: string; hash: string }[] = [];
try {
  for (const [preset, change] of TRAININGS) {
    const spec = tinyRunSpec(preset, { ...change, train: { epochs: 1, ...change?.train } });
    const directory = await trainingRun(spec, { root, quiet: true });
    const hash = createHash("sha256");
    for (const file of readdirSync(directory).sort())
      if (/^(?:model|trace)/.test(file)) hash.update(file).update(readFileSync(join(directory, file)));
    results.push({ name: `${preset} ${JSON.stringify(change)}`, hash: hash.digest("hex") });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.stdout.write(JSON.stringify({ level: kernelLevel ?? null, results }));
