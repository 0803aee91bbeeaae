import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { decodeImages } from "../../lib/datasets/decode.js";
import { sha256 } from "../../lib/util/files.js";

test("a split that cannot be held is refused by its size before any image is opened", async () => {
  const opened: string[] = [];
  const image = {
    index: 0,
    file: "1.png",
    read: () => Promise.reject(new Error(String(opened.push("1.png")))),
  };
  const size = { height: 4096, width: 4096 };
  await assert.rejects(decodeImages([image], 1_000_000, { size, onBroken: "fail" }), {
    name: "UserError",
    message:
      /1000000 images of 4096 x 4096 pixels are 46875\.0 GiB, but .* GiB .*; give a smaller size \(--size, or data\.size/,
  });
  assert.deepEqual(opened, []);
});

test("a split of 2 GiB and more has a hash, the one of its bytes", () => {
  const bytes = new Uint8Array(2 ** 31 + 5);
  bytes[2 ** 31 + 1] = 7;
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += 2 ** 29) hash.update(bytes.subarray(at, at + 2 ** 29));
  assert.equal(sha256([bytes]), hash.digest("hex"));
});
