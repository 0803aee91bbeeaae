import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRun, type Run } from "../../../lib/experiments/runs/run-store.js";
import { UserError } from "../../../lib/util/errors.js";
import { SPEC, stateAfter } from "./run-store-fixture.js";
import { folderOfTests } from "../../temporary-folder.js";

export const folder = folderOfTests("run-store");

export function emptyRoot(): string {
  return mkdtempSync(join(folder, "root-"));
}

export function openTest(root: string, warnings: string[] = [], spec: unknown = SPEC): Promise<Run> {
  return openRun({ root, name: "run", spec, warn: (message) => warnings.push(message) });
}

/** A released run with checkpoints at steps 5 and 10. */
export async function checkpointedRoot(): Promise<{ root: string; newest: string; previous: string }> {
  const root = emptyRoot();
  const run = await openTest(root);
  for (const step of [5, 10]) await run.saveCheckpoint(step, stateAfter(step), { epoch: String(step) });
  await run.release();
  const path = (step: number): string => join(run.directory, `checkpoint-${step}.safetensors`);
  return { root, newest: path(10), previous: path(5) };
}

export function flipByte(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  writeFileSync(path, bytes);
}

export function refuseWarning(message: string): void {
  throw new Error(`unexpected warning: ${message}`);
}

export function userError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  };
}
