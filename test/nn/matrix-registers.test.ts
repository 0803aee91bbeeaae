import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { kernelLevel } from "../../lib/nn/backend/kernel-level.js";
import {
  interfaceDefinition,
  KERNEL_LEVELS,
  levelArguments,
  levelLibrary,
} from "../../lib/setup/kernel-levels.mjs";
import { inProject } from "../../lib/setup/project.mjs";
import { findCompiler } from "../../lib/setup/toolchain.mjs";
import { temporaryFolder } from "../temporary-folder.js";

const run = promisify(execFile);
const NATIVE = inProject("test", "nn", "native");

/** The model of the registers runs wherever the rest of the level does. */
const base = KERNEL_LEVELS.find(({ name }) => name === "avx512");
const present = KERNEL_LEVELS.find(({ name }) => name === kernelLevel);
const compiler = findCompiler();

function reasonToSkip(): string | false {
  if (base === undefined || present?.flags.includes("-mavx512f") !== true)
    return "this processor has no AVX-512";
  return compiler === undefined ? "there is no compiler" : false;
}

test(
  "matrix registers, after their manual, give the bits that pairs of integers give: convolutions of all shapes, and their gradients",
  { skip: reasonToSkip() },
  async (context) => {
    assert.ok(base !== undefined && compiler !== undefined);
    const folder = await temporaryFolder(context);
    const model = join(folder, "model.so");
    const compare = join(folder, "compare-levels");
    await Promise.all([
      run(compiler.command, [
        ...["-include", join(NATIVE, "matrix-registers.h")],
        ...levelArguments(base, model),
      ]),
      run(compiler.command, [
        ...["-O1", "-std=c++17", interfaceDefinition(), join(NATIVE, "compare-levels.cc")],
        ...["-o", compare, "-ldl", "-pthread"],
      ]),
    ]);
    const { stdout } = await run(compare, [levelLibrary(base), model]);
    const lines = stdout.trim().split("\n");
    assert.equal(lines.length, 12);
    for (const line of lines) assert.match(line, /: y same, dx same, dw same$/);
  },
);
