import assert from "node:assert/strict";
import fs, { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../../lib/util/errors.js";
import { decodeJsonLines, encodeJsonLine, lastJsonLine, openJsonLines } from "../../lib/util/json-lines.js";
import { folderOfTests } from "../temporary-folder.js";

const folder = folderOfTests("json-lines");

function refuseWarning(message: string): void {
  throw new Error(`unexpected warning: ${message}`);
}

test("records come back, with numbers that JSON lacks and line ends inside texts", () => {
  const path = join(folder, "records.jsonl");
  const records = [{ step: 1, loss: NaN, list: [Infinity, -Infinity] }, { text: "a\nb\u2028é" }, null, 3];
  const writer = openJsonLines(path, refuseWarning);
  for (const record of records) writer.append(record);
  writer.sync();
  writer.close();
  assert.deepEqual(decodeJsonLines(readFileSync(path), path).records, records);
});

test("a file cut at any byte keeps every whole line, reports the rest, and goes on cleanly", () => {
  const path = join(folder, "torn.jsonl");
  const lines = [1, 2, 3].map((step) => encodeJsonLine({ step, text: "é" }));
  const whole = Buffer.from(lines.join(""));
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole);
    truncateSync(path, length);
    const kept = whole.toString("latin1", 0, length).split("\n").length - 1;
    const warnings: string[] = [];
    const writer = openJsonLines(path, (message) => warnings.push(message));
    writer.append({ step: 9 });
    writer.close();
    assert.equal(readFileSync(path, "utf8"), [...lines.slice(0, kept), encodeJsonLine({ step: 9 })].join(""));
    const tornBytes = length - Buffer.byteLength(lines.slice(0, kept).join(""));
    assert.deepEqual(warnings.length, tornBytes > 0 ? 1 : 0);
    if (tornBytes > 0)
      assert.match(warnings[0] ?? "", new RegExp(`torn\\.jsonl .*${String(tornBytes)} bytes`));
  }
});

test("damage before the last line is an error that names the line; in the last line it is cut", () => {
  const path = join(folder, "damaged.jsonl");
  writeFileSync(path, '{"step":1}\n{"st\0\0\0\n{"step":3}\n');
  assert.throws(
    () => decodeJsonLines(readFileSync(path), path),
    /damaged\.jsonl is damaged: line 2 is not JSON/,
  );
  writeFileSync(path, '{"step":1}\n\0\0\0\n');
  assert.deepEqual(decodeJsonLines(readFileSync(path), path), {
    records: [{ step: 1 }],
    wholeBytes: 11,
    tornBytes: 4,
  });
});

test("a disk that fills up in the middle of a record leaves the records before it whole", (t) => {
  const path = join(folder, "full.jsonl");
  const writer = openJsonLines(path, refuseWarning);
  writer.append({ step: 1 });
  const writeSync = fs.writeSync.bind(fs);
  let calls = 0;
  t.mock.method(fs, "writeSync", (file: number, bytes: Buffer, offset: number) => {
    if (calls++ === 0) return writeSync(file, bytes, offset, 4);
    throw Object.assign(new Error("no space"), { code: "ENOSPC" });
  });
  syncBuiltinESMExports();
  assert.throws(
    () => {
      writer.append({ step: 2 });
    },
    (error: unknown) => error instanceof UserError && /full\.jsonl: the disk is full/.test(error.message),
  );
  t.mock.restoreAll();
  syncBuiltinESMExports();
  writer.append({ step: 3 });
  writer.close();
  assert.deepEqual(decodeJsonLines(readFileSync(path), path).records, [{ step: 1 }, { step: 3 }]);
});

test("the last whole record is found from the end, whatever is being written after it", () => {
  const path = join(folder, "growing.jsonl");
  assert.equal(lastJsonLine(path), undefined);
  writeFileSync(path, '{"step":1');
  assert.equal(lastJsonLine(path), undefined);
  const line = (step: number): string => encodeJsonLine({ step, loss: NaN, padding: "x".repeat(500) });
  // Longer than what is read of it.
  writeFileSync(path, Array.from({ length: 400 }, (_, step) => line(step)).join(""));
  assert.deepEqual(lastJsonLine(path), { step: 399, loss: NaN, padding: "x".repeat(500) });
  appendFileSync(path, line(400).slice(0, 30));
  assert.equal((lastJsonLine(path) as { step: number }).step, 399);
});
