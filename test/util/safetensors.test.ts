import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../lib/util/errors.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../lib/util/safetensors.js";

/** Made by Python's safetensors 0.8.0: safetensors.numpy.save of the tensors below, metadata {"step": "40"}. */
const PYTHON_FILE = Buffer.from(
  "iAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJzdGVwIjoiNDAifSwibWVhbiI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzAsMTZdfSwiY29udi53ZWlnaHQiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzE2LDQwXX0sImVtcHR5Ijp7ImR0eXBlIjoiSTMyIiwic2hhcGUiOlswLDRdLCJkYXRhX29mZnNldHMiOls0MCw0MF19LCJvcmRlciI6eyJkdHlwZSI6IkkzMiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzQwLDQ4XX0sInNjYWxhciI6eyJkdHlwZSI6IkkzMiIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbNDgsNTJdfSwiw6kiOnsiZHR5cGUiOiJVOCIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzUyLDU1XX19ICAgIBgtRFT7IQlAAAAAAAAAAIAAAIA/AAAgwAAAQEAAAIB/whYBAM3MzD3/////////fwcAAAAA/wM=",
  "base64",
);

const PYTHON_TENSORS = new Map<string, StoredTensor>([
  ["conv.weight", { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, -2.5, 3, Infinity, 1e-40, 0.1) }],
  ["empty", { dtype: "I32", shape: [0, 4], data: new Int32Array() }],
  ["mean", { dtype: "F64", shape: [2], data: Float64Array.of(Math.PI, -0) }],
  ["order", { dtype: "I32", shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) }],
  ["scalar", { dtype: "I32", shape: [], data: Int32Array.of(7) }],
  ["é", { dtype: "U8", shape: [3], data: Uint8Array.of(0, 255, 3) }],
]);

function encoded(tensors: ReadonlyMap<string, StoredTensor>, metadata: Record<string, string> = {}): Buffer {
  return Buffer.concat(encodeSafetensors(tensors, metadata));
}

/** A file with any header, to try what no encoder would write. */
function fileOf(
  header: string | object,
  values: Uint8Array = new Uint8Array(),
  claimedLength?: bigint,
): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimedLength ?? BigInt(json.length));
  return Buffer.concat([length, json, values]);
}

test("reads what Python's safetensors wrote, and writes the same bytes", () => {
  const { tensors, metadata } = decodeSafetensors(PYTHON_FILE, "golden");
  assert.deepEqual(tensors, PYTHON_TENSORS);
  assert.deepEqual(metadata, { step: "40" });
  assert.deepEqual(encoded(PYTHON_TENSORS, { step: "40" }), PYTHON_FILE);
});

test("every map of tensors comes back, from any alignment", () => {
  const shape = fc.array(fc.nat(4), { maxLength: 3 });
  const tensor = fc
    .tuple(fc.constantFrom("F32", "F64", "I32", "U8"), shape)
    .map(([dtype, sizes]): StoredTensor => {
      const values = Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);
      switch (dtype) {
        case "F32":
          return { dtype, shape: sizes, data: Float32Array.from(values) };
        case "F64":
          return { dtype, shape: sizes, data: Float64Array.from(values) };
        case "I32":
          return { dtype, shape: sizes, data: Int32Array.from(values) };
        case "U8":
          return { dtype, shape: sizes, data: Uint8Array.from(values) };
      }
    });
  const name = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "constructor", "0"));
  const tensorMap = fc.array(fc.tuple(name, tensor)).map((entries) => new Map(entries));
  fc.assert(
    fc.property(tensorMap, fc.dictionary(fc.string(), fc.string()), fc.nat(7), (tensors, metadata, shift) => {
      tensors.delete("__metadata__");
      const file = encoded(tensors, metadata);
      assert.equal(file.readBigUInt64LE() % 8n, 0n);
      const shifted = new Uint8Array(Buffer.concat([Buffer.alloc(shift), file])).subarray(shift);
      const decoded = decodeSafetensors(shifted, "property");
      assert.deepEqual(decoded.tensors, tensors);
      assert.deepEqual({ ...decoded.metadata }, { ...metadata });
    }),
  );
});

test("a file cut at any byte or with a byte too many is refused", () => {
  for (let length = 0; length < PYTHON_FILE.length; length++) {
    assert.throws(() => decodeSafetensors(PYTHON_FILE.subarray(0, length), "cut.safetensors"), UserError);
  }
  assert.throws(
    () => decodeSafetensors(Buffer.concat([PYTHON_FILE, Buffer.alloc(1)]), "long.safetensors"),
    /long\.safetensors .*1 bytes after the last tensor/,
  );
});

test("a header that contradicts itself is refused, with file and tensor named", () => {
  const u8 = (start: number, end: number, shape = [end - start]): object => ({
    dtype: "U8",
    shape,
    data_offsets: [start, end],
  });
  const four = new Uint8Array(4);
  const cases: [Buffer, RegExp][] = [
    [fileOf("{}", four, 100_000_001n), /header claims 100000001 bytes, more than/],
    [fileOf("{}", four, 2n ** 63n), /more than/],
    [fileOf("{}", four, 7n), /truncated/],
    [fileOf("nonsense"), /not JSON/],
    [fileOf(" {}"), /not a JSON object/],
    [fileOf("[]"), /not a JSON object/],
    [fileOf(Buffer.from([0x7b, 0xff, 0x7d]).toString("latin1")), /not JSON/],
    [fileOf({ __metadata__: { step: 4 } }), /__metadata__ must map texts to texts/],
    [fileOf({ w: 3 }), /tensor w is not described/],
    [
      fileOf({ w: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } }, four),
      /tensor w has the type "BF16"/,
    ],
    [fileOf({ w: { dtype: "toString", shape: [2], data_offsets: [0, 4] } }, four), /tensor w has the type/],
    [fileOf({ w: { ...u8(0, 4), shape: [-1, -4] } }, four), /tensor w has no list of whole numbers/],
    [fileOf({ w: { ...u8(0, 4), data_offsets: [0, 4, 4] } }, four), /tensor w has no valid data_offsets/],
    [fileOf({ w: u8(4, 0, [4]) }, four), /tensor w has no valid data_offsets/],
    [fileOf({ w: u8(0, 4, [3]) }, four), /tensor w of type U8 and shape \[3\] needs 3 bytes but has 4/],
    [fileOf({ w: u8(0, 4, [2 ** 40, 2 ** 40]) }, four), /tensor w .* needs/],
    [fileOf({ w: u8(1, 4) }, four), /tensor w starts at byte 1 of the values, where 0 was due/],
    [fileOf({ v: u8(0, 3), w: u8(2, 4) }, four), /tensor w starts at byte 2 of the values, where 3 was due/],
    [fileOf({ v: u8(0, 2), w: u8(2, 5) }, four), /tensor w ends at byte 5 of the values, but only 4/],
    [fileOf({ w: u8(0, 3) }, four), /1 bytes after the last tensor/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(
      () => decodeSafetensors(bytes, "bad.safetensors"),
      (error: unknown) =>
        error instanceof UserError && message.test(error.message) && error.message.startsWith("bad."),
      String(message),
    );
  }
});

test("a tensor whose shape and values disagree is not written", () => {
  const tensors = new Map<string, StoredTensor>([
    ["w", { dtype: "F32", shape: [3], data: new Float32Array(2) }],
  ]);
  assert.throws(() => encodeSafetensors(tensors, {}), /tensor w has 2 values/);
});
