import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { speedAccuracyStudy } from "../../lib/experiments/speed-accuracy-study.js";
import type { RunSpec } from "../../lib/experiments/spec.js";
import { accuracyOverTimeFigure } from "../../lib/figures/accuracy-over-time.js";
import { speedAccuracyFigure } from "../../lib/figures/speed-accuracy.js";
import { UserError } from "../../lib/util/errors.js";
import { tinyRunSpec } from "./tiny-run.js";

const root = mkdtempSync(join(tmpdir(), "study-"));
after(() => {
  rmSync(root, { recursive: true });
});

const SEEDS = [1, 2];
const MODELS = ["CascadedTD", "CascadedCE", "SerialCE", "SerialTD-MultiHead"];

function tiny(spec: RunSpec): RunSpec {
  const { data, validation, train, network } = tinyRunSpec("cascaded-td", { train: { epochs: 1 } });
  return { ...spec, data, validation, train, network: { ...spec.network, width: network.width } };
}

test("three trainings a seed give four models, in tables that the figures take; a second call trains nothing", async () => {
  const study = await speedAccuracyStudy(tiny, { root, seeds: SEEDS, quiet: true });
  const { accuracy, speedAccuracy, summary } = study;
  assert.deepEqual(
    summary.models.map(({ model, seed }) => `${model} ${seed}`).sort(),
    SEEDS.flatMap((seed) => MODELS.map((model) => `${model} ${seed}`)).sort(),
  );
  assert.equal(readdirSync(root).length, 3 * SEEDS.length);
  assert.equal(accuracy.numRows(), SEEDS.length * MODELS.length * 9);
  for (const { run, multiplyAdds, accuracy: shares } of summary.models) {
    assert.match(run, /^[0-9a-f]{12}$/);
    assert.equal(multiplyAdds.length, 9);
    assert.equal(shares.length, 9);
    assert.ok(shares.every((share) => share >= 0 && share <= 1));
    // Before the image arrives, one answer for all is right for one class of ten.
    assert.equal(shares[0], 0.1);
  }
  for (const seed of SEEDS) {
    const runs = ["CascadedCE", "SerialCE"].map(
      (name) => summary.models.find(({ model, seed: other }) => model === name && other === seed)?.run,
    );
    assert.equal(runs[0], runs[1], "the two CE models are the same weights");
  }

  for (const figure of [
    accuracyOverTimeFigure(accuracy),
    speedAccuracyFigure(speedAccuracy, "meanStoppingTime"),
    speedAccuracyFigure(speedAccuracy, "meanMultiplyAdds"),
  ]) {
    const names = figure.data.flatMap(({ name, showlegend }) => (showlegend === false ? [] : [name]));
    assert.deepEqual([...new Set(names)].sort(), [...MODELS].sort());
  }

  const done = (): string[] =>
    readdirSync(root).map((run) => readFileSync(join(root, run, "DONE.json"), "utf8"));
  const before = done();
  const again = await speedAccuracyStudy(tiny, { root, seeds: SEEDS, quiet: true });
  assert.deepEqual(done(), before);
  assert.deepEqual(again.summary.models, summary.models);
  assert.deepEqual(again.speedAccuracy.objects(), speedAccuracy.objects());
});

test("a study without seeds, or of a spec that cannot be, is refused", async () => {
  await assert.rejects(speedAccuracyStudy(tiny, { root, seeds: [] }), UserError);
  const wrong = (spec: RunSpec): unknown => ({ ...tiny(spec), epochs: 3 });
  await assert.rejects(
    speedAccuracyStudy(wrong, { root }),
    /^UserError: preset cascaded-td: epochs is not a known/,
  );
});
