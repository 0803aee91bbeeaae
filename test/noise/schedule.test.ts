import assert from "node:assert/strict";
import { test } from "node:test";
import { NOISE_NAMES, NOISES } from "../../lib/noise/noises.js";
import { CLEAN, disturbedFrames, type NoiseSchedule, scheduledDraws } from "../../lib/noise/schedule.js";
import { UserError } from "../../lib/util/errors.js";
import { gap, randomImage } from "./noisy-images.js";

const size = { height: 16, width: 16 };
const image = randomImage(size);
const T = 9;

function frames(
  noise: (typeof NOISE_NAMES)[number],
  schedule: NoiseSchedule,
  id = 5,
  seed = 1,
): Float32Array[] {
  return disturbedFrames({ noise, schedule, seed }, image, size, id, T);
}

test("which draw is shown when", () => {
  assert.deepEqual(scheduledDraws({ kind: "persistent" }, 4), [0, 0, 0, 0]);
  assert.deepEqual(scheduledDraws({ kind: "transient" }, 4), [0, 1, 2, 3]);
  assert.deepEqual(scheduledDraws({ kind: "pulsed", timesteps: [3, 1] }, 5), [CLEAN, 1, CLEAN, 3, CLEAN]);
  assert.throws(() => scheduledDraws({ kind: "pulsed", timesteps: [1, 5] }, 5), UserError);
});

test("the paper's six noises come first", () => {
  assert.deepEqual(NOISE_NAMES.slice(0, 6), [
    "occlusion",
    "focus",
    "resolution",
    "translation",
    "perlin",
    "rotation",
  ]);
});

for (const noise of NOISE_NAMES) {
  test(`${noise}: persistent holds the first draw, transient goes on from it, pulses leave clean images between`, () => {
    const before = image.slice();
    const persistent = frames(noise, { kind: "persistent" });
    const transient = frames(noise, { kind: "transient" });
    const pulsed = frames(noise, { kind: "pulsed", timesteps: [2, 6] });
    for (let t = 0; t < T; t++) {
      // A walk begins at the centre, one place that is held is anywhere.
      if (noise === "translation") assert.deepEqual(persistent[t], persistent[0]);
      else assert.deepEqual(persistent[t], transient[0]);
      assert.deepEqual(pulsed[t], t === 2 || t === 6 ? transient[t] : image);
    }
    const different = new Set(transient.map((frame) => frame.join()));
    assert.ok(
      different.size > (noise === "resolution" || noise === "translation" ? 1 : T - 3),
      `${different.size} different frames`,
    );
    const untouched = transient.filter((frame) => gap(frame, image) === 0).length;
    // The published resolution leaves a third of the frames as they are, and walks pass through the centre.
    const mayStay = noise === "resolution" || noise === "translation";
    assert.ok(mayStay ? untouched < T : untouched === 0, `${untouched} frames as they were`);
    assert.deepEqual(image, before, "the image is left alone");
  });

  test(`${noise}: a frame is a function of seed, image and timestep, whatever was drawn before`, () => {
    const draw = { seed: 7, id: 11, t: 4 };
    const alone = NOISES[noise](image, size, draw);
    for (let t = 8; t >= 0; t--) NOISES[noise](randomImage(size, t), size, { ...draw, id: t, t });
    assert.deepEqual(NOISES[noise](image, size, draw), alone);
    const others = [0, 1, 2, 3, 4, 5, 6, 7];
    for (const change of [(n: number) => ({ ...draw, seed: n }), (n: number) => ({ ...draw, id: n })]) {
      const drawn = others.map((n) => NOISES[noise](image, size, change(n)).join());
      assert.ok(new Set(drawn).size > 1, "seed and image matter");
    }
  });
}

test("the published strengths are the default; the strong ones are others in focus, resolution and translation alone", () => {
  for (const noise of NOISE_NAMES) {
    const shown = (strength?: "published" | "strong"): string[] =>
      [5, 6, 7, 8].flatMap((id) =>
        disturbedFrames(
          { noise, schedule: { kind: "transient" }, seed: 1, strength },
          image,
          size,
          id,
          T,
        ).map((frame) => frame.join()),
      );
    assert.deepEqual(shown(), shown("published"));
    const differs = ["focus", "resolution", "translation"].includes(noise);
    assert.equal(shown().join() !== shown("strong").join(), differs, noise);
  }
});
