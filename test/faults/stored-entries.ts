import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { CheckpointFolder } from "../../lib/experiments/runs/checkpoint-folder.js";
import { cachedAnalysis } from "../../lib/studies/evidence/cached-analysis.js";
import { json, mutatedBytes } from "./mutations.js";
import type { Reader } from "./reader.js";

/** Writes the input where its reader looks for it. */
export function at<Result>(path: string, read: () => Result): (input: Uint8Array) => Result {
  return (input) => {
    writeFileSync(path, input);
    return read();
  };
}

/** A kept analysis: whatever becomes of its file, what comes back is the result. */
export async function cachedEntry(folder: string): Promise<Reader> {
  const place = join(folder, "analyses");
  const analysis = {
    name: "a",
    module: pathToFileURL(join(import.meta.dirname, "mutations.ts")).href,
    schema: z.object({ accuracy: z.array(z.number()) }),
  };
  const ask = () =>
    cachedAnalysis(
      place,
      analysis,
      { run: "1" },
      () => ({ accuracy: [0.25, 0.5] }),
      () => undefined,
    );
  await ask();
  const path = join(place, readdirSync(place)[0] ?? "");
  return {
    name: "kept analysis",
    samples: [readFileSync(path)],
    mutate: json,
    isSummed: true,
    read: at(path, ask),
  };
}

export async function checkpointEntry(folder: string): Promise<Reader> {
  const place = join(folder, "run");
  mkdirSync(place);
  const checkpoints = () => new CheckpointFolder(place, () => "0123456789ab");
  const tensors = new Map([["a", { dtype: "F32" as const, shape: [4], data: Float32Array.of(1, 2, 3, 4) }]]);
  await checkpoints().save({ step: 3, tensors, metadata: { seconds: "1" } });
  const path = join(place, "checkpoint-3.safetensors");
  const sample = readFileSync(path);
  const sum = readFileSync(`${path}.sha256`);
  return {
    name: "checkpoint",
    samples: [sample],
    mutate: mutatedBytes,
    isSummed: true,
    read: at(path, () => {
      rmSync(`${path}.sha256`, { force: true });
      writeFileSync(`${path}.sha256`, sum);
      return checkpoints().latest(() => undefined);
    }),
  };
}
