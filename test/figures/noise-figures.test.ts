import assert from "node:assert/strict";
import { test } from "node:test";
import { from } from "arquero";
import sharp from "sharp";
import { accuracyUnderNoiseFigure } from "../../lib/figures/accuracy-under-noise.js";
import type { PlotlyFigure, PlotlyObject } from "../../lib/figures/figure.js";
import { noiseDropFigure } from "../../lib/figures/noise-drop.js";
import { noisePicturesFigure } from "../../lib/figures/noise-pictures.js";
import { speedAccuracyUnderNoiseFigure } from "../../lib/figures/speed-accuracy-under-noise.js";
import { WIDTH } from "../../lib/figures/style.js";
import { assertSnapshot } from "./snapshot.js";

const MODELS = ["CascadedTD", "SerialCE"];
const NOISES = ["occlusion", "focus", "perlin"];
const SCHEDULES = ["persistent", "transient"];
const SEEDS = [0, 1];

/** A number of its own for each line, timestep and seed. */
function share(noise: string, schedule: string, model: string, t: number, seed: number): number {
  const line = NOISES.indexOf(noise) + 4 * SCHEDULES.indexOf(schedule) + 8 * MODELS.indexOf(model);
  return (line + t) / 100 + seed / 10;
}

const conditions = SCHEDULES.flatMap((schedule) => NOISES.map((noise) => ({ noise, schedule })));
const rows = conditions.flatMap(({ noise, schedule }) =>
  MODELS.flatMap((model) =>
    [0, 1, 2].flatMap((timestep) =>
      SEEDS.map((seed) => ({
        noise,
        schedule,
        model,
        timestep,
        threshold: timestep / 2,
        meanStoppingTime: timestep / 4 + seed,
        accuracy: share(noise, schedule, model, timestep, seed),
        change: share(noise, schedule, model, timestep, seed) / 100,
      })),
    ),
  ),
);

/** What is drawn in the panel of a noise and schedule, by name. */
function panel({ data }: PlotlyFigure, noise: string, schedule: string): Map<unknown, PlotlyObject> {
  const number = SCHEDULES.indexOf(schedule) * NOISES.length + NOISES.indexOf(noise) + 1;
  const own = number === 1 ? "" : String(number);
  const here = data.filter(({ xaxis, yaxis }) => xaxis === `x${own}` && yaxis === `y${own}`);
  return new Map(here.map((drawn) => [drawn["name"], drawn]));
}

const rounded = (values: unknown): number[] => (values as number[]).map((value) => Number(value.toFixed(9)));

test("each panel has its noise's lines, means over seeds in bands", () => {
  for (const [name, figure, xOf] of [
    ["accuracy-under-noise", accuracyUnderNoiseFigure(from(rows)), (t: number) => t],
    ["speed-accuracy-under-noise", speedAccuracyUnderNoiseFigure(from(rows)), (t: number) => t / 4 + 0.5],
  ] as const) {
    assertSnapshot(name, figure);
    assert.equal(figure.layout["width"], WIDTH.double);
    for (const { noise, schedule } of conditions)
      for (const model of MODELS) {
        const drawn = panel(figure, noise, schedule);
        assert.equal(drawn.size, 2 * MODELS.length);
        const expected = [0, 1, 2].map((t) => share(noise, schedule, model, t, 0.5));
        assert.deepEqual(rounded(drawn.get(model)?.["y"]), rounded(expected));
        assert.deepEqual(drawn.get(model)?.["x"], [0, 1, 2].map(xOf));
        // Seeds 0.1 apart have a standard error of 0.05.
        const band = drawn.get(`${model} ± standard error`)?.["y"] as number[];
        assert.ok(Math.abs((band[0] ?? NaN) - (expected[0] ?? NaN) - 0.05) < 1e-9);
      }
    const inLegend = figure.data.filter(({ showlegend }) => showlegend !== false);
    assert.deepEqual(
      inLegend.map(({ name }) => name),
      MODELS,
    );
    const names = (figure.layout["annotations"] as { text: string }[]).map(({ text }) => text);
    assert.deepEqual(names.slice(1), [...NOISES, ...SCHEDULES]);
  }
});

test("panels do not overlap, and share their axes", () => {
  const { layout } = accuracyUnderNoiseFigure(from(rows));
  const axesOf = (axis: "x" | "y") =>
    Array.from({ length: 6 }, (_, i) => {
      const { domain, range } = layout[`${axis}axis${i === 0 ? "" : i + 1}`] as Record<string, number[]>;
      return { domain: domain ?? [], range };
    });
  const [across, down] = [axesOf("x"), axesOf("y")];
  const separate = (a: readonly number[] = [], b: readonly number[] = []): boolean =>
    (a[1] ?? 0) < (b[0] ?? 0) || (b[1] ?? 0) < (a[0] ?? 0);
  for (let i = 0; i < 6; i++)
    for (let j = 0; j < i; j++)
      assert.ok(
        separate(across[i]?.domain, across[j]?.domain) || separate(down[i]?.domain, down[j]?.domain),
        `${i} and ${j}`,
      );
  for (const axes of [across, down]) assert.equal(new Set(axes.map(({ range }) => String(range))).size, 1);
});

test("drops: a dot each model and noise, in the panel of its training and schedule, with its standard error", () => {
  const trainings = ["clean", "occluded"];
  const drop = (training: string, schedule: string, noise: string, model: string): number =>
    trainings.indexOf(training) / 2 + share(noise, schedule, model, 0, 0);
  const table = trainings.flatMap((training) =>
    SCHEDULES.flatMap((schedule) =>
      NOISES.flatMap((noise) =>
        MODELS.flatMap((model) =>
          SEEDS.map((seed) => ({
            training,
            schedule,
            noise,
            model,
            lead: (drop(training, schedule, noise, model) + seed / 50) / 100,
          })),
        ),
      ),
    ),
  );
  const figure = noiseDropFigure(from(table), "CascadedTD keeps more (points)");
  assertSnapshot("noise-drop", figure);
  const places = trainings.flatMap((training) => SCHEDULES.map((schedule) => [training, schedule] as const));
  for (const [i, [training, schedule]] of places.entries())
    for (const [m, model] of MODELS.entries()) {
      const dots = figure.data.find(
        ({ name, xaxis }) => name === model && xaxis === `x${i === 0 ? "" : i + 1}`,
      );
      const expected = NOISES.map((noise) => drop(training, schedule, noise, model) + 0.01);
      assert.deepEqual(rounded(dots?.["y"]), rounded(expected));
      assert.deepEqual(rounded((dots?.["error_y"] as { array: number[] }).array), [0.01, 0.01, 0.01]);
      // Beside each other around the noise's place.
      const x = dots?.["x"] as number[];
      assert.ok(
        x.every((value, n) => (m === 0 ? value < n && value > n - 0.5 : value > n && value < n + 0.5)),
      );
    }
  const ranges = places.map(
    (_, i) => (figure.layout[`yaxis${i === 0 ? "" : i + 1}`] as { range: number[] }).range,
  );
  const drops = table.map(({ lead }) => 100 * lead);
  for (const [low = NaN, high = NaN] of ranges) {
    assert.deepEqual([low, high], ranges[0]);
    assert.ok(low < Math.min(0, ...drops) && high > Math.max(...drops));
  }
  assert.throws(() => noiseDropFigure(from([{ training: "clean", lead: 1 }]), ""), /"schedule"/);
});

test("pictures stand in their row and column, pixel by pixel", async () => {
  const side = 4;
  const colour = (row: number, column: number): number[] => [40 * row + 1, 30 * column + 2, 200];
  const pictures = NOISES.flatMap((noise, row) =>
    SCHEDULES.flatMap((schedule, half) =>
      [0, 1].map((timestep) => ({
        noise,
        schedule,
        timestep,
        pixels: Uint8ClampedArray.from(
          { length: side * side * 3 },
          (_, i) => colour(row, 2 * half + timestep)[i % 3] ?? 0,
        ),
      })),
    ),
  );
  const figure = await noisePicturesFigure(pictures, side);
  assertSnapshot("noise-pictures", figure);
  const [image] = figure.data;
  const png = Buffer.from(String(image?.["source"]).replace("data:image/png;base64,", ""), "base64");
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const { tickvals: across } = figure.layout["xaxis"] as { tickvals: number[] };
  const { tickvals: down } = figure.layout["yaxis"] as { tickvals: number[] };
  assert.equal(across.length, 4);
  assert.equal(down.length, 3);
  const enlarged = 1 / Number(image?.["dx"]);
  for (const [row, y] of down.entries())
    for (const [column, x] of across.entries())
      for (const [dy, dx] of [
        [0, 0],
        [-1.5, 1.5],
        [1.5, -1.5],
      ] as const) {
        const at =
          (Math.floor((y + dy) * enlarged) * info.width + Math.floor((x + dx) * enlarged)) * info.channels;
        assert.deepEqual([...data.subarray(at, at + 3)], colour(row, column));
      }
});
