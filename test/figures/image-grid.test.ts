import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { pngDataUri } from "../../lib/datasets/encode.js";
import { type CaptionedImage, imageGrid } from "../../lib/figures/image-grid.js";
import { WIDTH } from "../../lib/figures/style.js";
import { assertSnapshot } from "./snapshot.js";

interface Placed {
  readonly source: string;
  readonly x: number;
  readonly y: number;
  readonly sizex: number;
  readonly sizey: number;
}

const image = (name: string): CaptionedImage => ({
  source: `data:image/png;base64,${name}`,
  caption: `of ${name}`,
});
const groups = [
  { title: "first", rows: [["a", "b", "c"].map(image), ["d", "e", "f"].map(image)] },
  { title: "second", rows: [["g", "h", "i"].map(image)] },
];

test("pictures are square, apart, inside and in reading order, each above its caption", () => {
  const figure = imageGrid(groups, { columns: ["x", "y", "z"] });
  assertSnapshot("image-grid", figure);
  const { width, height, margin } = figure.layout as {
    width: number;
    height: number;
    margin: Record<"l" | "r" | "t" | "b", number>;
  };
  assert.ok(width <= WIDTH.double);
  const inner = { width: width - margin.l - margin.r, height: height - margin.t - margin.b };
  const images = figure.layout["images"] as Placed[];
  assert.deepEqual(
    images.map(({ source }) => source.at(-1)),
    ["a", "b", "c", "d", "e", "f", "g", "h", "i"],
  );
  const boxes = images.map(({ x, y, sizex, sizey }) => ({
    left: x * inner.width,
    top: (1 - y) * inner.height,
    width: sizex * inner.width,
    height: sizey * inner.height,
  }));
  for (const [i, box] of boxes.entries()) {
    assert.ok(Math.abs(box.width - box.height) < 1e-9);
    assert.ok(box.left >= 0 && box.left + box.width <= inner.width + 1e-9);
    assert.ok(box.top >= 0 && box.top + box.height < inner.height);
    for (const other of boxes.slice(i + 1)) {
      const apart =
        other.left >= box.left + box.width ||
        other.top >= box.top + box.height ||
        other.left + other.width <= box.left;
      assert.ok(apart);
    }
  }
  const annotations = figure.layout["annotations"] as { text: string; y: number }[];
  for (const { source, y } of images) {
    const caption = annotations.find(({ text }) => text === `of ${source.at(-1) ?? ""}`);
    assert.ok(caption !== undefined && caption.y < y);
  }
  for (const text of ["x", "y", "z", "first", "second"])
    assert.equal(annotations.filter((one) => one.text === text).length, 1);
});

test("a picture's pixels come back from its data URI", async () => {
  const pixels = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => (37 * i) % 256);
  const uri = await pngDataUri(pixels, { height: 2, width: 3 });
  const [prefix, base64 = ""] = uri.split(",");
  assert.equal(prefix, "data:image/png;base64");
  const { data, info } = await sharp(Buffer.from(base64, "base64"))
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.height, info.width, info.channels], [2, 3, 3]);
  assert.deepEqual([...data], [...pixels]);
});
