import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { desc, op } from "arquero";
import {
  anytimeSeries,
  type CurveRow,
  curvesOfNumbers,
  numberRows,
  overTimeSeries,
  seriesRows,
  wholeRun,
} from "../../../lib/studies/evidence/numbers.js";
import { curveTable } from "../../../lib/studies/evidence/tables.js";
import { accuracyAt, lastStep } from "../../../lib/studies/evidence/quantities.js";
import { readNumbers, writeNumbers } from "../../../lib/studies/replication/number-file.js";
import { mean } from "../../../lib/util/statistics.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { madeArms } from "../claims/made-models.js";

test("means over seeds come back from the file, whatever its arms are called", async (context) => {
  const arms = madeArms({ CascadedTD: [0.1, 0.5, 0.7], "λ = 0, “quoted”": [0.1, 0.2, 0.6] });
  const path = join(await temporaryFolder(context), "numbers.arrow");
  const rows = numberRows(arms, anytimeSeries, "sweep");
  await writeNumbers(path, rows);
  const said: string[] = [];
  const table = await readNumbers(path, (line) => said.push(line));
  assert.match(said.join(), /numbers\.arrow is unverified: no record beside it has its sum/);
  assert.equal(table.numRows(), rows.length);
  const means = table
    .filter((row: { quantity: string; at: number }) => row.quantity === "accuracy" && row.at === 2)
    .groupby("part", "arm")
    .rollup({ mean: op.mean("value"), n: op.count() })
    .orderby(desc("mean"))
    .objects() as { part: string; arm: string; mean: number; n: number }[];
  assert.deepEqual(
    means.map(({ part, arm, n }) => [part, arm, n]),
    [
      ["sweep", "CascadedTD", 3],
      ["sweep", "λ = 0, “quoted”", 3],
    ],
  );
  for (const { arm, mean: own } of means) {
    assert.ok(Math.abs(100 * own - mean(arms.bySeed(arm, lastStep))) < 1e-9);
    assert.ok(Math.abs(100 * own - mean(arms.bySeed(arm, accuracyAt(2)))) < 1e-9);
  }
});

test("a whole run's number has no place, a diverged run no numbers, and an empty study a file too", async (context) => {
  const rows = seriesRows({ part: "", arm: "a", seed: 7 }, [
    overTimeSeries("accuracy", [0.5, NaN]),
    wholeRun("area", Infinity),
  ]);
  assert.deepEqual(
    rows.map(({ quantity, at, value }) => [quantity, at, value]),
    [
      ["accuracy", 0, 0.5],
      ["accuracy", 1, NaN],
      ["area", NaN, Infinity],
    ],
  );
  const folder = await temporaryFolder(context);
  const path = join(folder, "numbers.arrow");
  const read = (file = path) => readNumbers(file, () => undefined);
  await writeNumbers(path, rows);
  assert.deepEqual((await read()).objects(), rows);
  await writeNumbers(path, []);
  assert.equal((await read()).numRows(), 0);
  await writeFile(path, "ARROW1 but no more");
  await assert.rejects(read(), /holds no numbers of a study; replicate it again/);
  await assert.rejects(read(join(folder, "none")), /there is no such file/);
});

test("equal numbers are equal bytes, whichever of its NaNs the processor gave", async (context) => {
  const path = join(await temporaryFolder(context), "numbers.arrow");
  const sums = await Promise.all(
    [0x7ff8_0000, 0xfff8_0000].map((high) => {
      const [value = 0] = new Float64Array(Uint32Array.of(0, high).buffer);
      const row = { part: "", arm: "a", seed: 0, quantity: "q", at: 0, value };
      return writeNumbers(path, [row]);
    }),
  );
  assert.equal(sums[0], sums[1]);
});

test("the numbers give the main figure's table again, and deadlines at each timestep", () => {
  const arms = madeArms({ CascadedTD: [0.1, 0.5, 0.7], SDN: [0.1, 0.2, 0.6] });
  const { curves, deadlines } = curvesOfNumbers(numberRows(arms, anytimeSeries));
  const drawn = curveTable(arms).objects() as CurveRow[];
  assert.equal(curves.length, drawn.length);
  curves.forEach(({ asymptoticAccuracy, ...row }, i) => {
    assert.deepEqual({ ...drawn[i], ...row }, drawn[i]);
    // It went through a percentage there.
    assert.ok(Math.abs(asymptoticAccuracy - (drawn[i]?.asymptoticAccuracy ?? NaN)) < 1e-12);
  });
  assert.equal(deadlines.length, 2 * arms.seeds.length * 3);
  for (const { model, threshold, meanStoppingTime, accuracy } of deadlines) {
    assert.equal(meanStoppingTime, threshold);
    const own = arms.bySeed(model, accuracyAt(threshold)).map((value) => value / 100);
    assert.ok(own.some((value) => Math.abs(value - accuracy) < 1e-12));
  }
});
