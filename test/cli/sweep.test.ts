import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sweepCommand } from "../../lib/cli/sweep.js";
import { runFolder } from "../../lib/experiments/runs/run-folder.js";
import { parseRunSpec } from "../../lib/experiments/specs/spec.js";
import { temporaryFolder } from "../temporary-folder.js";

test("each training's spec is written under the name of its run's folder", async (context) => {
  const folder = await temporaryFolder(context);
  const sweep = join(folder, "sweep.json");
  const data = { kind: "procedural", classes: 3, size: 8, train: 30, test: 6 };
  // Seed 1 twice is one training.
  writeFileSync(
    sweep,
    JSON.stringify({
      models: ["serial-td"],
      seeds: [1, 2, 1],
      change: { data },
      grid: { "loss.lambda": [0, 1] },
    }),
  );
  await sweepCommand().parseAsync([sweep, "--specs", join(folder, "specs")], { from: "user" });
  const files = readdirSync(join(folder, "specs"));
  assert.equal(files.length, 4);
  for (const file of files) {
    const spec = parseRunSpec(JSON.parse(readFileSync(join(folder, "specs", file), "utf8")));
    assert.equal(file, `${runFolder(spec)}.json`);
  }
});
