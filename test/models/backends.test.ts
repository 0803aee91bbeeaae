import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { hasOwnKernels } from "../../lib/nn/backend/kernel-level.js";
import { isNative } from "../../lib/nn/tensorflow.js";
import { assertNear, everyCombination, otherNetworks } from "./oracle-cases.js";
import type { OracleErrors } from "./oracle-comparison.js";

interface ChildReport {
  readonly backend: string;
  readonly results: readonly { readonly name: string; readonly errors: OracleErrors }[];
}

/** Runs cases in a process of its own, whose environment chooses the backend. */
async function runCases(environment: NodeJS.ProcessEnv, numbers: readonly number[]): Promise<ChildReport> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", "test/models/oracle-child.ts", ...numbers.map(String)],
    { env: { ...process.env, ...environment } },
  );
  return JSON.parse(stdout) as ChildReport;
}

/** Every `stride`-th combination; a stride that shares no factor with the table's lengths meets every setting. */
function everyNth(stride: number): number[] {
  return everyCombination.flatMap((_, n) => (n % stride === 0 ? [n] : []));
}

test(
  "composed of TensorFlow's own operations, the network gives what the own kernels give",
  { skip: hasOwnKernels ? false : "the own kernels are not compiled: nothing to compare with" },
  async () => {
    const others = otherNetworks.map((_, i) => everyCombination.length + i);
    const { backend, results } = await runCases({ CASCADE_KERNELS: "none" }, [...everyNth(13), ...others]);
    assert.equal(backend, "tensorflow");
    for (const { name, errors } of results) assertNear(name, errors);
  },
);

test(
  "the pure JavaScript backend gives the same numbers",
  { skip: isNative ? false : "JavaScript is the only backend here, and the other tests run on it" },
  async () => {
    const { backend, results } = await runCases({ CASCADE_BACKEND: "javascript" }, everyNth(17));
    assert.equal(backend, "javascript");
    for (const { name, errors } of results) assertNear(name, errors);
  },
);
