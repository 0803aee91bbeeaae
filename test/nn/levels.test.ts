import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { promisify } from "node:util";
import { kernelLevel } from "../../lib/nn/backend/kernel-level.js";
import { usesGpu } from "../../lib/nn/backend/native-operation.js";
import { KERNEL_LEVELS } from "../../lib/setup/kernel-levels.mjs";

const run = promisify(execFile);
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const NODE = ["--import", "tsx"];

const names = KERNEL_LEVELS.map(({ name }) => name);
const present = names.slice(0, kernelLevel === undefined ? 0 : names.indexOf(kernelLevel) + 1);
const lower = present.slice(0, -1);
/** From AVX2 on the processor fuses multiplication and addition, and results are the same to the last bit. */
const fused = present.filter((name) => name !== "baseline");

const skip = kernelLevel === undefined ? "the project's own kernels are not in use" : false;

test("the project's own kernels are in use, unless somebody chose to go on without them", () => {
  const chosen = process.env["CASCADE_KERNELS"] === "none" || process.env["CASCADE_BACKEND"] === "javascript";
  assert.ok(
    kernelLevel !== undefined || chosen || usesGpu(),
    'they are missing: "npm run doctor" says why; CASCADE_KERNELS=none goes on without them',
  );
});

test("a level is named that is not there: one sentence says so", { skip }, async () => {
  const environment = { ...process.env, CASCADE_KERNELS: "avx1024" };
  const child = run(process.execPath, [...NODE, "test/nn/bit-equality-child.ts"], { env: environment });
  await assert.rejects(child, /CASCADE_KERNELS=avx1024 names no level; there are: none, baseline/);
});

test(
  "code that was compiled for another level is told apart, and JavaScript has none",
  { skip },
  async () => {
    const script =
      'import { compiledCode } from "./lib/experiments/runs/compiled-code.ts"; console.log(compiledCode());';
    const codeOf = async (environment: NodeJS.ProcessEnv): Promise<string> => {
      const env = { ...process.env, ...environment };
      return (await run(process.execPath, [...NODE, "--input-type=module", "-e", script], { env })).stdout;
    };
    const levels = [...new Set([...present.slice(0, 1), ...present.slice(-1), "none"])];
    const codes = await Promise.all(levels.map((level) => codeOf({ CASCADE_KERNELS: level })));
    assert.equal(new Set(codes).size, levels.length);
    for (const code of codes) assert.match(code, /^[0-9a-f]{12}\n$/);
    assert.equal(await codeOf({ CASCADE_BACKEND: "javascript" }), "undefined\n");
  },
);

const KERNEL_TESTS = [
  "nn/convolution",
  "nn/delay",
  "nn/mixed-precision",
  "nn/normalize",
  "models/native-run",
].map((name) => `test/${name}.test.ts`);

for (const level of lower) {
  test(`the kernels pass their tests at level ${level} too`, async () => {
    const environment: NodeJS.ProcessEnv = { ...process.env, CASCADE_KERNELS: level };
    // Else the inner runner reports to the outer one, in its own way.
    delete environment["NODE_TEST_CONTEXT"];
    // Named, since the reporter of output that is no terminal is another one from Node 23 on.
    const runner = [...NODE, "--test", "--test-reporter=tap"];
    const { stdout } = await run(process.execPath, [...runner, ...KERNEL_TESTS], { env: environment });
    assert.match(stdout, /^# fail 0$/m);
    assert.match(stdout, /^# skipped 0$/m);
  });
}

interface Trainings {
  readonly level: string;
  readonly results: readonly { readonly name: string; readonly weights: string; readonly trace: string }[];
}

/**
 * SHA-256 of the trainings' hashes, as they came out on an AMD EPYC (Zen 5), another (Zen 4) and an Intel Xeon with AMX and
 * avx512_fp16. Whoever changes the arithmetic or a default on purpose puts the new value here.
 */
const ON_OTHER_PROCESSORS = "63e8b1181c66a2583c47e1652813726ad65a3d0f5f1761cad9a8016ffb67fc88";

/** Hashes of weights and traces of a few trainings, in a process of its own. */
async function trainings(environment: NodeJS.ProcessEnv): Promise<Trainings> {
  const { stdout } = await run(process.execPath, [...NODE, "test/nn/bit-equality-child.ts"], {
    env: { ...process.env, ...environment },
  });
  return JSON.parse(stdout) as Trainings;
}

test(
  "weights and traces are equal to the bit on any number of threads, at any level from AVX2 on, whatever oneDNN does",
  { skip },
  async () => {
    const expected = await trainings({ TF_NUM_INTRAOP_THREADS: "1" });
    const hashes = expected.results.flatMap(({ weights, trace }) => [weights, trace]);
    assert.equal(new Set(hashes).size, 2 * expected.results.length);
    const others: NodeJS.ProcessEnv[] = [
      { TF_NUM_INTRAOP_THREADS: "3", ONEDNN_MAX_CPU_ISA: "SSE41" },
      ...fused.slice(0, -1).map((level) => ({ TF_NUM_INTRAOP_THREADS: "2", CASCADE_KERNELS: level })),
    ];
    for (const environment of others) {
      const { results } = await trainings(environment);
      assert.deepEqual(results, expected.results, JSON.stringify(environment));
    }
    if (fused.length > 0) assert.equal(sha256(JSON.stringify(hashes)), ON_OTHER_PROCESSORS);
  },
);

test(
  "without fused multiplication and addition too, the number of threads changes nothing",
  { skip: skip || (lower.length === 0 ? "this processor has no lower level" : false) },
  async () => {
    const one = await trainings({ CASCADE_KERNELS: "baseline", TF_NUM_INTRAOP_THREADS: "1" });
    const three = await trainings({ CASCADE_KERNELS: "baseline", TF_NUM_INTRAOP_THREADS: "3" });
    assert.equal(one.level, "baseline");
    assert.deepEqual(three.results, one.results);
  },
);
