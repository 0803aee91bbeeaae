import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { planReplication } from "../../../lib/studies/replication/replication.js";
import { analyseParts, writeReport } from "../../../lib/studies/replication/results.js";
import { readNumbers } from "../../../lib/studies/replication/number-file.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { userError } from "../../user-error.js";
import { SMALL_DATA, SMALL_PROTOCOL, smallStudy } from "../small-study.js";

/** Bytes in the middle of the file are others. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0x3f, bytes.length >> 1, (bytes.length >> 1) + 64);
  writeFileSync(path, bytes);
}

test("nothing is reported of runs, records and drawings that are not as they were written", async (context) => {
  const folder = await temporaryFolder(context);
  const folders = { runs: join(folder, "runs"), results: join(folder, "results"), prints: folder };
  const replication = planReplication({
    protocol: SMALL_PROTOCOL,
    studies: [smallStudy("one", [0]), smallStudy("two", [1])],
    data: [SMALL_DATA],
  });
  const runs: string[] = [];
  for (const { spec } of replication.trainings)
    runs.push(await trainingRun(spec, { root: folders.runs, quiet: true }));
  const [first = "", second = ""] = runs;

  const trace = readdirSync(first).find((name) => name.endsWith(".arrow")) ?? "";
  const whole = readFileSync(join(first, trace));
  damage(join(first, trace));
  const said: string[] = [];
  const analyse = () => analyseParts(replication, folders, { onProgress: (line) => said.push(line) });
  const problems = await analyse();
  assert.deepEqual(
    problems.map(({ part, problem }) => [part.study.name, problem]),
    [["one", `${first} is damaged: ${trace} has changed; delete the folder and run it again`]],
  );
  const place = join(folders.results, "quick", "procedural");
  assert.deepEqual(readdirSync(place).sort(), ["two-accuracy.svg", "two.arrow", "two.json"]);
  assert.doesNotMatch(said.join(), /unverified/);

  // A run of the former form is reported, and that is said once.
  writeFileSync(join(first, trace), whole);
  for (const run of [first, second]) {
    const done = join(run, "DONE.json");
    writeFileSync(done, readFileSync(done, "utf8").replace(/,\s*"sum": "\w+"/, ""));
  }
  assert.deepEqual(await analyse(), []);
  assert.equal(said.filter((line) => line.includes("is of a former form, unverified")).length, 1);

  const inOrder = ["one", "two"].map((study) => ({ data: "procedural", study }));
  const report = () => writeReport(replication, inOrder, folders.results);
  const numbers = join(place, "one.arrow");
  const heard: string[] = [];
  assert.ok((await readNumbers(numbers, (line) => heard.push(line))).numRows() > 0);
  assert.deepEqual(heard, []);
  const written = readFileSync(numbers);
  damage(numbers);
  await assert.rejects(report(), userError(/one\.arrow was changed after it was written/));
  await assert.rejects(readNumbers(numbers), userError(/one\.arrow was changed after it was written/));
  writeFileSync(numbers, written);

  const svg = join(place, "one-accuracy.svg");
  const drawn = readFileSync(svg, "utf8");
  writeFileSync(svg, drawn.replace("</svg>", "<!-- --></svg>"));
  await assert.rejects(report(), userError(/one-accuracy\.svg was changed after it was written/));
  rmSync(svg);
  const [page = ""] = await report();
  assert.match(readFileSync(page, "utf8"), /This figure could not be drawn/);
});
