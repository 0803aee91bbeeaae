import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import { hasKernel } from "./commands.js";
import { killCommands } from "./kills.js";

const PROJECT = join(import.meta.dirname, "..", "..");

before(() => {
  execFileSync(process.execPath, [join(PROJECT, "node_modules/typescript/bin/tsc"), "--build", "lib"], {
    cwd: PROJECT,
  });
});

/** The short part of `npm run test:faults`; a training's own kills are in training-run-interrupted.test.ts. */
test("commands that are killed leave nothing behind, and end as if they had been left alone", async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed of the kill times: ${seed}`);
  const only = ["sweep", "data import", ...(hasKernel ? ["notebook"] : [])];
  const { rows, problems } = await killCommands({ kills: 2, seed, only });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    rows.map(({ begun, finished }) => [begun, finished]),
    only.map(() => [2, 1]),
  );
});
