import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import { decodeImages, type EncodedImage } from "../../lib/datasets/decode.js";
import { Expansion, PixelRoom } from "../../lib/datasets/decode-limits.js";
import { userError } from "../user-error.js";

/** A PNG file whose header says so many pixels, with as many black ones as `rows` have. */
function png(width: number, height: number, rows: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8); // 8 bits, RGB
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const values = deflateSync(Buffer.alloc(rows * (1 + 3 * width)));
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", values),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function named(...contents: Buffer[]): EncodedImage[] {
  return contents.map((content, index) => ({
    index,
    file: `${index}.png`,
    read: () => Promise.resolve(content),
  }));
}

test("a size that does not fit is seen in the header, before anything is decoded", async () => {
  // These would be 192 MB each, and have no pixels at all.
  const promising = png(8000, 8000, 0);
  await assert.rejects(
    decodeImages(named(png(8, 8, 8), promising), 2, { onBroken: "skip" }),
    userError(/image 1\.png has 8000 x 8000 pixels, but 0\.png has 8 x 8/),
  );
  await assert.rejects(
    decodeImages(named(png(30_000, 30_000, 0)), 1, { onBroken: "fail" }),
    userError(/it has 30000 x 30000 pixels, more than 67108864/),
  );
});

test("small files that decode to gigabytes are refused once that is seen, with a size to resize to as well", async () => {
  const bomb = png(6000, 6000, 6000);
  assert.ok(bomb.length < 200_000);
  const images = named(...Array<Buffer>(30).fill(bomb));
  for (const size of [undefined, { height: 8, width: 8 }]) {
    const before = process.memoryUsage().rss;
    await assert.rejects(
      decodeImages(images, images.length, { onBroken: "skip", size }),
      userError(/decode to more than 200 times the size of their files/),
    );
    assert.ok(process.memoryUsage().rss - before < 700 * 2 ** 20);
  }
});

test("photographs, and black images of a common size, are no bombs", () => {
  const expansion = new Expansion();
  for (let n = 0; n < 10_000; n++) expansion.add(40_000, { height: 480, width: 640 });
  const black = new Expansion();
  for (let n = 0; n < 10_000; n++) black.add(png(32, 32, 32).length, { height: 32, width: 32 });
});

test("of large images only so many are decoded at once", async () => {
  const room = new PixelRoom();
  const first = await room.take(2 ** 26);
  let entered = false;
  const second = room.take(1).then((leave) => {
    entered = true;
    return leave;
  });
  await new Promise(setImmediate);
  assert.equal(entered, false);
  first();
  (await second)();
  assert.equal(entered, true);
});
