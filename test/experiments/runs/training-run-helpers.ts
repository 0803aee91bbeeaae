import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { decodeSafetensors } from "../../../lib/util/safetensors.js";
import { folderOfTests } from "../../temporary-folder.js";

export const folder = folderOfTests("training-run");

/** The order of summation, and with it the last bit, depends on the number of threads. */
export const ENVIRONMENT = { ...process.env, TF_NUM_INTRAOP_THREADS: "1", OMP_NUM_THREADS: "1" };

export function emptyRoot(): string {
  return mkdtempSync(join(folder, "root-"));
}

export async function firstCheckpoint(root: string): Promise<void> {
  const saved = (): boolean =>
    readdirSync(root).some((run) =>
      readdirSync(join(root, run)).some((name) => /^checkpoint-\d+\.safetensors$/.test(name)),
    );
  while (!saved()) await sleep(2);
}

/** The last checkpoint's tensors; its metadata holds the time that the training took. */
export function lastState(directory: string): unknown {
  const steps = readdirSync(directory).flatMap(
    (name) => /^checkpoint-(\d+)\.safetensors$/.exec(name)?.[1] ?? [],
  );
  const path = join(directory, `checkpoint-${Math.max(...steps.map(Number))}.safetensors`);
  return decodeSafetensors(readFileSync(path), path).tensors;
}

export function timeless(directory: string): { metrics: unknown; summary: unknown } {
  const untimed = (record: object): object =>
    Object.fromEntries(
      Object.entries(record).filter(
        ([name]) => !["imagesPerSecond", "dataShare", "trainingSeconds"].includes(name),
      ),
    );
  return {
    metrics: readRun(directory).readMetrics().map(untimed),
    summary: untimed(runSummary(directory)),
  };
}

export function losses(directory: string): number[] {
  return readRun(directory)
    .readMetrics()
    .flatMap(({ loss }) => (loss === undefined ? [] : [Number(loss)]));
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
