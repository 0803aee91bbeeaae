import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { zipSync } from "fflate";
import { joinCScores, readCScores } from "../../lib/datasets/c-scores.js";
import { parseNpy } from "../../lib/datasets/npy.js";
import { bytesOf, npy } from "./fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

const labels = npy("<i8", "(4,)", bytesOf(BigInt64Array.of(3n, 1n, 2n, 0n)));
const scores = npy("<f8", "(4,)", bytesOf(Float64Array.of(0.1, 0.25, NaN, 1)));
const set = {
  images: new Uint8Array(3 * 3),
  labels: Int32Array.of(1, 3, 5),
  ids: Int32Array.of(1, 0, 9),
  size: { height: 1, width: 1 },
  classNames: ["a", "b", "c", "d", "e", "f"],
};

test("npy: every element type, both header lengths, any shape", () => {
  const cases: [string, ArrayBufferView, number[]][] = [
    ["<f8", Float64Array.of(-1.5, 2), [-1.5, 2]],
    ["<f4", Float32Array.of(0.5, -4), [0.5, -4]],
    ["<i8", BigInt64Array.of(-7n, 2n ** 40n), [-7, 2 ** 40]],
    ["<u4", Uint32Array.of(1, 4294967295), [1, 4294967295]],
    ["<i4", Int32Array.of(-1, 5), [-1, 5]],
    ["<i2", Int16Array.of(-300, 5), [-300, 5]],
    ["|u1", Uint8Array.of(255, 5), [255, 5]],
    ["|b1", Uint8Array.of(1, 0), [1, 0]],
    ["<f2", Uint16Array.of(0x3800, 0x8001), [0.5, -(2 ** -24)]],
    ["<f2", Uint16Array.of(0x3c01, 0xfc00), [1 + 2 ** -10, -Infinity]],
    [">f2", Uint8Array.of(0x38, 0x00, 0x7b, 0xff), [0.5, 65504]],
    [">f8", Uint8Array.of(0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0), [1.5, -2]],
    [">i4", Uint8Array.of(0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff), [256, -1]],
  ];
  for (const version of [1, 2])
    for (const [descr, array, values] of cases) {
      const parsed = parseNpy(npy(descr, "(2, 1)", bytesOf(array), version), "x");
      assert.deepEqual([[...parsed.shape], [...parsed.values]], [[2, 1], values], descr);
    }
});

test("npy: pickled objects, foreign types and damaged files are refused with the reason", () => {
  const data = new Uint8Array(16);
  assert.throws(() => parseNpy(npy("|O", "(2,)", data), "x.npy"), /x\.npy holds pickled Python objects/);
  assert.throws(() => parseNpy(npy("<c16", "(1,)", data), "x"), /element type <c16; known are f8, f4, f2/);
  assert.throws(() => parseNpy(npy("<constructor", "(1,)", data), "x"), /element type <constructor; known/);
  assert.throws(() => parseNpy(npy("<f8", "(3,)", data), "x"), /16 bytes of data, its header promises 24/);
  const many = npy("|u1", `(${2 ** 24 + 1},)`, new Uint8Array(2 ** 24 + 1));
  assert.throws(() => parseNpy(many, "x"), /has 16777217 values, more than 16777216/);
  assert.throws(() => parseNpy(npy("<f8", "(2,)", data).subarray(0, 40), "x"), /damaged \.npy header/);
  assert.throws(() => parseNpy(Buffer.from("PK and other things"), "x"), /no NumPy array/);
});

test("scores join by original index; NaN where unknown or out of reach", async (context) => {
  const path = join(await temporaryFolder(context), "scores.npz");
  await writeFile(path, zipSync({ "labels.npy": labels, "scores.npy": scores }));
  const joined = joinCScores(set, await readCScores(path), path);
  assert.deepEqual([...(joined.cScores ?? [])], [0.25, Math.fround(0.1), NaN]);
});

test("another set's scores, damaged files and values out of range are refused", async (context) => {
  const path = join(await temporaryFolder(context), "scores.npz");
  const read = async (files: Record<string, Uint8Array>) => {
    await writeFile(path, zipSync(files));
    return readCScores(path);
  };
  const good = await read({ "labels.npy": labels, "scores.npy": scores });
  assert.throws(
    () => joinCScores({ ...set, labels: Int32Array.of(1, 4, 5) }, good, "scores.npz"),
    /scores\.npz does not belong to these data: example 0 has label 3 there and 4 here, and 1 of 2/,
  );
  assert.throws(
    () => joinCScores({ ...set, paths: ["b/x1.png", "b/0.png", "b/9.png"] }, good, ""),
    /x1\.png is not named by a number/,
  );
  await assert.rejects(
    read({ "labels.npy": labels, "scores.npy": npy("|O", "(4,)", new Uint8Array(32)) }),
    /scores\.npy holds pickled/,
  );
  await assert.rejects(read({ "labels.npy": labels }), /has no array scores\.npy/);
  await assert.rejects(
    read({ "labels.npy": labels, "scores.npy": npy("<f4", "(4,)", bytesOf(Float32Array.of(0, 1, 2, 0))) }),
    /scores\[2\] is 2, C-scores lie from 0 to 1/,
  );
  await writeFile(path, zipSync({ "labels.npy": labels, "scores.npy": scores }).subarray(0, 200));
  await assert.rejects(readCScores(path), /is no whole \.npz file/);
});

const published = join("..", "shared", "data", "cifar10-cscores-orig-order.npz");
test(
  "the published CIFAR-10 scores",
  { skip: existsSync(published) ? false : `${published} is not here` },
  async () => {
    const real = await readCScores(published);
    assert.equal(real.scores.length, 50000);
    const perClass = Array.from({ length: 10 }, (_, k) => real.labels.filter((label) => label === k).length);
    assert.deepEqual(perClass, Array<number>(10).fill(5000));
    // Their authors' most typical airplanes score 0.905 to 0.911.
    const airplanes = real.scores
      .filter((_, n) => real.labels[n] === 0)
      .sort()
      .reverse();
    assert.ok((airplanes[0] ?? 0) < 0.9115 && (airplanes[31] ?? 0) > 0.9045);
  },
);
