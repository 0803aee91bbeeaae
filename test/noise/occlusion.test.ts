import assert from "node:assert/strict";
import { test } from "node:test";
import { occlude } from "../../lib/noise/occlusion.js";
import { UserError } from "../../lib/util/errors.js";
import { randomStream } from "../../lib/util/random.js";

const size = { height: 6, width: 5 };
const image = Float32Array.from({ length: 6 * 5 * 3 }, (_, i) => i + 1);

test("exactly one patch inside the image becomes zero, at every place in turn, the rest stays", () => {
  const places = new Set<string>();
  const stream = randomStream(1, "noise");
  for (let draw = 0; draw < 400; draw++) {
    const out = occlude(image, size, 2, stream);
    const zeros = [...out.keys()].filter((i) => out[i] === 0);
    assert.equal(zeros.length, 2 * 2 * 3);
    const pixels = [...new Set(zeros.map((i) => Math.floor(i / 3)))];
    const [rows, columns] = [pixels.map((p) => Math.floor(p / 5)), pixels.map((p) => p % 5)];
    assert.equal(Math.max(...rows) - Math.min(...rows), 1);
    assert.equal(Math.max(...columns) - Math.min(...columns), 1);
    assert.ok(out.every((value, i) => value === 0 || value === image[i]));
    places.add(`${Math.min(...rows)},${Math.min(...columns)}`);
  }
  assert.equal(places.size, 5 * 4);
  assert.equal(image[0], 1, "the input is left alone");
});

test("the same stream gives the same patch; a patch larger than the image is refused", () => {
  const once = () => occlude(image, size, 3, randomStream(7, "noise"));
  assert.deepEqual(once(), once());
  assert.throws(() => occlude(image, size, 6, randomStream(7, "noise")), UserError);
});
