import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Column, Table, tableFromArrays, tableFromIPC, tableToIPC } from "@uwdata/flechette";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { readTrace, writeTrace } from "../../lib/trace/trace-file.js";
import { UserError } from "../../lib/util/errors.js";
import { changed } from "./made-traces.js";

const folder = await mkdtemp(join(tmpdir(), "trace-file-"));
after(() => rm(folder, { recursive: true }));
const path = join(folder, "whole.arrow");
const damaged = join(folder, "damaged.arrow");
const { trace } = recipeTrace(4, 11, 3);
const described = {
  ...trace,
  logits: Float32Array.from(trace.logits),
  ids: trace.ids.map((id) => 1000 - id),
  cost: { multiplyAdds: [0, 1.5e8, 3e8, 5.995e8] },
  model: "CascadedTD",
  run: "3f2a",
  data: "91c0",
  split: "test",
} as const;

test("a trace comes back as it was, in single and in double precision, and no temporary file stays", async () => {
  await writeTrace(path, trace);
  assert.deepEqual(await readTrace(path), trace);
  await writeTrace(path, described);
  assert.deepEqual(await readTrace(path), described);
  assert.deepEqual(await readdir(folder), ["whole.arrow"]);
});

test("other readers of Arrow find one row for each timestep and example", async () => {
  await writeTrace(path, described);
  const table = tableFromIPC(await readFile(path));
  assert.deepEqual(table.names, ["timestep", "id", "label", "logit_0", "logit_1", "logit_2"]);
  assert.deepEqual(table.at(2 * 11 + 5), {
    timestep: 2,
    id: 995,
    label: trace.labels[5],
    logit_0: described.logits[(2 * 11 + 5) * 3],
    logit_1: described.logits[(2 * 11 + 5) * 3 + 1],
    logit_2: described.logits[(2 * 11 + 5) * 3 + 2],
  });
});

/** What reading the bytes as a trace gives: the trace, or what is thrown. */
async function outcome(content: Uint8Array): Promise<unknown> {
  await writeFile(damaged, content);
  return readTrace(damaged, () => undefined).catch((error: unknown) => error);
}

test("a file cut short anywhere, or with a bit flipped, gives a UserError or the very trace, and soon", async () => {
  await writeTrace(path, described);
  const bytes = await readFile(path);
  for (let length = 0; length < bytes.length; length += 97) {
    const result = await outcome(bytes.subarray(0, length));
    assert.ok(
      result instanceof UserError && result.message.includes(damaged),
      `cut at ${length}: ${String(result)}`,
    );
  }
  const accepted: number[] = [];
  for (let place = 0; place < bytes.length; place++) {
    const bit = 1 << (place % 8);
    const result = await outcome(changed(Uint8Array.from(bytes), place, (bytes[place] as number) ^ bit));
    if (result instanceof UserError) continue;
    assert.ok(!(result instanceof Error), `byte ${place}: ${String(result)}`);
    assert.deepEqual(result, described, `byte ${place}`);
    accepted.push(place);
  }
  // Padding and fields that say nothing of the trace; the data themselves are most of the file.
  assert.ok(accepted.length < bytes.length / 2, `${accepted.length} of ${bytes.length} bytes`);
});

test("a trace of the former form, without a sum, is read and said to be unverified", async () => {
  await writeTrace(path, described);
  const bytes = await readFile(path);
  const warnings: string[] = [];
  await readTrace(path, (line) => warnings.push(line));
  assert.equal(warnings.length, 0);
  const table = tableFromIPC(bytes);
  const metadata = new Map([...(table.schema.metadata ?? []), ["format", "anytime-trace 1"]]);
  metadata.delete("sha256");
  table.schema.metadata = metadata;
  await writeFile(path, tableToIPC(table, { format: "file" }) ?? "");
  assert.deepEqual(await readTrace(path, (line) => warnings.push(line)), described);
  assert.match(warnings.join(), /whole\.arrow is of a former form, unverified/);
});

test("an Arrow file written in several parts is the trace of all of them", async () => {
  await writeTrace(path, described);
  const table = tableFromIPC(await readFile(path));
  const columns = Object.entries(table.toColumns() as Record<string, Int32Array | Float32Array>);
  const rows = table.numRows;
  const part = (from: number, to: number) =>
    tableFromArrays(columns.map(([name, all]) => [name, all.slice(from, to)] as [string, typeof all]));
  const [first, second] = [part(0, 17), part(17, rows)];
  const both = new Table(
    first.schema,
    first.children.map(
      (column, i) => new Column([...column.data, ...second.getChildAt(i).data], column.type),
    ),
  );
  both.schema.metadata = table.schema.metadata ?? null;
  await writeFile(path, tableToIPC(both, { format: "file" }) ?? "");
  assert.deepEqual(await readTrace(path), described);
});

test(
  "blocks that share their bytes do not make a small file a large trace",
  { timeout: 20_000 },
  async () => {
    await writeTrace(path, described);
    const bytes = await readFile(path);
    const end = bytes.length - 10;
    const footer = end - bytes.readInt32LE(end);
    // The one record batch, listed 50,000 times: its vector is moved behind the footer.
    const block = bytes.subarray(
      bytes.lastIndexOf(bytes.subarray(recordBatchBlock(bytes), recordBatchBlock(bytes) + 24)),
    );
    assert.ok(footer < end && block.length >= 24);
    const many = 50_000;
    const vector = Buffer.alloc(4 + 24 * many);
    vector.writeUInt32LE(many);
    for (let i = 0; i < many; i++) block.copy(vector, 4 + 24 * i, 0, 24);
    const padded = Buffer.concat([bytes.subarray(0, end), vector]);
    padded.writeUInt32LE(end - recordBatchesField(bytes), recordBatchesField(bytes));
    const length = Buffer.alloc(4);
    length.writeInt32LE(padded.length - footer);
    const result = await outcome(Buffer.concat([padded, length, Buffer.from("ARROW1")]));
    assert.ok(result instanceof UserError);
    assert.match(result.message, /promises more parts than it holds/);
  },
);

/** Where the footer's list of record batches is named, and where its first block lies. */
function recordBatchesField(bytes: Buffer): number {
  const end = bytes.length - 10;
  const start = end - bytes.readInt32LE(end);
  const table = start + bytes.readUInt32LE(start);
  const layout = table - bytes.readInt32LE(table);
  return table + bytes.readUInt16LE(layout + 4 + 2 * 3);
}

function recordBatchBlock(bytes: Buffer): number {
  const field = recordBatchesField(bytes);
  return field + bytes.readUInt32LE(field) + 4;
}

test("what is no trace is refused: text, another Arrow table, rows in another order", async () => {
  const other = join(folder, "other.arrow");
  await writeFile(other, "timestep,label\n0,1\n");
  await assert.rejects(readTrace(other), /not an Arrow file/);
  await writeFile(other, tableToIPC(tableFromArrays({ x: [1, 2] }), { format: "file" }) ?? "");
  await assert.rejects(readTrace(other), /is an Arrow file that is damaged or no trace \(column "x"/);
  await writeTrace(path, described);
  const table = tableFromIPC(await readFile(path));
  const reversed = tableFromArrays({
    ...table.toColumns(),
    timestep: Int32Array.from({ length: 44 }, (_, i) => 3 - Math.floor(i / 11)),
  });
  reversed.schema.metadata = table.schema.metadata ?? null;
  await writeFile(other, tableToIPC(reversed, { format: "file" }) ?? "");
  await assert.rejects(readTrace(other), /row 0 is not that of timestep 0/);
  await assert.rejects(readTrace(join(folder, "absent.arrow")), /no such file/);
});

test("metadata that promise more than the file holds are refused before room is made for it", async () => {
  await writeTrace(path, described);
  const bytes = await readFile(path);
  const table = tableFromIPC(bytes);
  for (const [field, value] of [
    ["classes", "900000000"],
    ["timesteps", "900000000"],
    ["examples", "12"],
  ] as const) {
    table.schema.metadata = new Map(tableFromIPC(bytes).schema.metadata ?? []).set(field, value);
    await writeFile(path, tableToIPC(table, { format: "file" }) ?? "");
    await assert.rejects(readTrace(path), /is damaged: it has 44 rows and 6 columns/);
  }
});

test("a trace that cannot be read back is not written, and the file before it stays", async () => {
  await writeTrace(path, described);
  const before = await readFile(path);
  await assert.rejects(
    writeTrace(path, { ...described, logits: changed(described.logits, 0, Infinity) }),
    UserError,
  );
  assert.deepEqual(await readFile(path), before);
});
