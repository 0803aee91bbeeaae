import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tableFromArrays, tableFromIPC, tableToIPC } from "@uwdata/flechette";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { readTrace, writeTrace } from "../../lib/trace/trace-file.js";
import { UserError } from "../../lib/util/errors.js";
import { changed } from "./made-traces.js";

const folder = await mkdtemp(join(tmpdir(), "trace-file-"));
after(() => rm(folder, { recursive: true }));
const path = join(folder, "whole.arrow");
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

test("a file cut short anywhere, or with a byte changed, gives a UserError or a sound trace", async () => {
  await writeTrace(path, described);
  const bytes = await readFile(path);
  const damaged = join(folder, "damaged.arrow");
  const outcome = async (content: Uint8Array): Promise<unknown> => {
    await writeFile(damaged, content);
    return readTrace(damaged).catch((error: unknown) => error);
  };
  for (let length = 0; length < bytes.length; length += 97) {
    const result = await outcome(bytes.subarray(0, length));
    assert.ok(
      result instanceof UserError && result.message.includes(damaged),
      `cut at ${length}: ${String(result)}`,
    );
  }
  for (let place = 0; place < bytes.length; place += 41) {
    const result = await outcome(changed(Uint8Array.from(bytes), place, (bytes[place] as number) ^ 0xff));
    assert.ok(!(result instanceof Error) || result instanceof UserError, `byte ${place}: ${String(result)}`);
  }
});

test("what is no trace is refused: text, another Arrow table, rows in another order", async () => {
  const other = join(folder, "other.arrow");
  await writeFile(other, "timestep,label\n0,1\n");
  await assert.rejects(readTrace(other), /not an Arrow file/);
  await writeFile(other, tableToIPC(tableFromArrays({ x: [1, 2] }), { format: "file" }) ?? "");
  await assert.rejects(readTrace(other), /not a trace of the form/);
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
