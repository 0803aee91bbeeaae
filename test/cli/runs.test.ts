import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runsCommand } from "../../lib/cli/runs.js";
import { temporaryFolder } from "../temporary-folder.js";
import { userError } from "../user-error.js";

const ROOT = join(import.meta.dirname, "../experiments/runs/former-runs");
const runs = (...words: string[]) => runsCommand().parseAsync(words, { from: "user" });

test("event files are written of the runs that are asked for", async (context) => {
  const folder = await temporaryFolder(context);
  await runs("tensorboard", join(folder, "none"), "--root", ROOT, "--where", "seed=99");
  assert.ok(!existsSync(join(folder, "none")));
  await runs("--where", "name~multihead", "tensorboard", join(folder, "one"), "--root", ROOT);
  assert.deepEqual(readdirSync(join(folder, "one")), ["serial-td-multihead-c661d6005246"]);
});

test("what a subcommand does not heed is refused, wherever it stands", async (context) => {
  const folder = await temporaryFolder(context);
  const [first = "", second = ""] = readdirSync(ROOT);
  for (const [words, message] of [
    [["diff", first, second, "--out", join(folder, "x.csv")], /^"cascade runs diff" has no option --out$/],
    [["--sort", "area", "show", first], /^"cascade runs show" has no option --sort$/],
    [
      ["pytorch", first, join(folder, "x"), "--where", "seed=0"],
      /^"cascade runs pytorch" has no option --where$/,
    ],
    [["tensorboard", folder, "--columns", "seed"], /^"cascade runs tensorboard" has no option --columns$/],
  ] as const)
    await assert.rejects(runs(...words, "--root", ROOT), userError(message));
  assert.deepEqual(readdirSync(folder), []);
});
