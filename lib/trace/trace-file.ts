import { readFile } from "node:fs/promises";
import { tableFromArrays, tableToIPC, type Table } from "@uwdata/flechette";
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { canonicalJson } from "../util/canonical-json.js";
import { fileError, sha256, writeFileAtomic } from "../util/files.js";
import { parseJson } from "../util/json-text.js";
import { warnOnStandardError } from "../util/warn.js";
import { type ArrowColumns, readArrowFile } from "./arrow-file.js";
import { validateTrace, type Trace } from "./trace.js";

const FORMAT = "anytime-trace 2";
/** Without a sum. */
const FORMER_FORMAT = "anytime-trace 1";

const json = z.string().transform((text, context): unknown => {
  try {
    return parseJson(text);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const metadataSchema = z.object({
  format: z.enum([FORMAT, FORMER_FORMAT]),
  timesteps: z.coerce.number().int().positive(),
  examples: z.coerce.number().int().positive(),
  classes: z.coerce.number().int().min(2),
  model: z.string().optional(),
  run: z.string().optional(),
  data: z.string().optional(),
  split: z.enum(["validation", "test"]).optional(),
  multiplyAdds: json.pipe(z.array(z.number())).optional(),
  sha256: z.string().optional(),
});

/**
 * Writes a trace as an Arrow IPC file (Feather version 2, uncompressed), replacing `path` as a whole or not at all.
 *
 * One row for each timestep and example, timesteps outermost: `timestep`, `id`, `label` (int32) and `logit_0` ..
 * `logit_<K-1>` (float32, or float64 where the trace is). Metadata of the schema, all text: `format`, `timesteps`,
 * `examples`, `classes`, where known `model`, `run`, `data`, `split` and `multiplyAdds` (JSON), and `sha256` over all of
 * it (`sumOf`). Read it with
 * `pyarrow.feather.read_table(path)` or `pandas.read_feather(path)` in Python, `arrow::read_feather(path)` in R.
 */
export async function writeTrace(path: string, trace: Trace): Promise<void> {
  await writeFileAtomic(path, encodeTrace(trace, path));
}

/** The bytes of such a file, which will be called `path`. */
export function encodeTrace(trace: Trace, path: string): Uint8Array {
  validateTrace(trace, `the trace for ${path}`);
  const bytes = tableToIPC(traceColumns(trace), { format: "file" });
  if (bytes === null) throw new Error("the Arrow encoder gave no bytes");
  return bytes;
}

/**
 * Reads a trace that `writeTrace` wrote; a UserError names `path` if it is missing, truncated, no trace, or not as it
 * was written. `warn` is told of a file of the former form, which has no sum.
 */
export async function readTrace(
  path: string,
  warn: (message: string) => void = warnOnStandardError,
): Promise<Trace> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  const { trace, isSummed } = decodeTrace(bytes, path);
  if (!isSummed)
    warn(`${path} is of a former form, unverified: nothing tells whether its numbers were changed`);
  return trace;
}

function traceColumns(trace: Trace): Table {
  const { timesteps, examples, classes, logits } = trace;
  const rows = timesteps * examples;
  const columns: [string, Int32Array | Float32Array | Float64Array][] = [
    ["timestep", Int32Array.from({ length: rows }, (_, row) => Math.floor(row / examples))],
    ["id", Int32Array.from({ length: rows }, (_, row) => trace.ids[row % examples] as number)],
    ["label", Int32Array.from({ length: rows }, (_, row) => trace.labels[row % examples] as number)],
  ];
  for (let k = 0; k < classes; k++) {
    const column = logits instanceof Float32Array ? new Float32Array(rows) : new Float64Array(rows);
    for (let row = 0; row < rows; row++) column[row] = logits[row * classes + k] as number;
    columns.push([`logit_${k}`, column]);
  }
  const table = tableFromArrays(columns);
  const metadata = metadataOf(trace);
  table.schema.metadata = new Map(Object.entries({ ...metadata, sha256: sumOf(trace, metadata) }));
  return table;
}

function metadataOf({ timesteps, examples, classes, cost, ...about }: Trace): Record<string, string> {
  return {
    format: FORMAT,
    timesteps: String(timesteps),
    examples: String(examples),
    classes: String(classes),
    ...known(about),
    ...(cost && { multiplyAdds: JSON.stringify(cost.multiplyAdds) }),
  };
}

/**
 * SHA-256 of the canonical JSON of the metadata, then labels [N], ids [N] and logits [T, N, K] as the bytes that they
 * have in the trace, little-endian.
 */
function sumOf({ labels, ids, logits }: Trace, metadata: Readonly<Record<string, string>>): string {
  const bytes = [labels, ids, logits].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return sha256([Buffer.from(canonicalJson(metadata)), ...bytes]);
}

/** What is said of a trace as text, as far as it is known. */
type About = Pick<Trace, "model" | "run" | "data" | "split">;

function known({ model, run, data, split }: { [Field in keyof About]: About[Field] | undefined }): About {
  return {
    ...(model !== undefined && { model }),
    ...(run !== undefined && { run }),
    ...(data !== undefined && { data }),
    ...(split !== undefined && { split }),
  };
}

/** The same of the bytes of such a file, and whether they have a sum. */
export function decodeTrace(
  bytes: Uint8Array,
  path: string,
): { readonly trace: Trace; readonly isSummed: boolean } {
  const table = readArrowFile(bytes, path);
  const parsed = metadataSchema.safeParse(Object.fromEntries(table.metadata));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(
      `${path} is an Arrow file but not a trace of the form "${FORMAT}": its metadata "${issue?.path.join(".") ?? ""}" does not fit (${issue?.message ?? ""})`,
    );
  }
  const { format, timesteps, examples, classes, multiplyAdds, sha256: sum, ...about } = parsed.data;
  const shape = { timesteps, examples, classes };
  // Before room is made for what the metadata promise.
  if (table.rows !== timesteps * examples || table.columns.size !== 3 + classes)
    throw new UserError(
      `${path} is damaged: it has ${table.rows} rows and ${table.columns.size} columns, where ${timesteps} timesteps of ${examples} examples and ${classes} classes make ${timesteps * examples} and ${3 + classes}`,
    );
  const read: Trace = {
    ...shape,
    ...readColumns(table, shape, path),
    ...known(about),
    ...(multiplyAdds && { cost: { multiplyAdds } }),
  };
  const trace = validateTrace(read, path);
  const isSummed = format === FORMAT;
  if (isSummed && sum !== sumOf(trace, metadataOf(trace)))
    throw new UserError(`${path} is damaged: it does not fit its own sum; write or copy it again`);
  return { trace, isSummed };
}

function readColumns(
  table: ArrowColumns,
  { timesteps, examples, classes }: { timesteps: number; examples: number; classes: number },
  path: string,
): Pick<Trace, "logits" | "labels" | "ids"> {
  const rows = timesteps * examples;
  const column = (name: string): Int32Array | Float32Array | Float64Array => {
    const values = table.columns.get(name);
    if (values !== undefined) return values;
    throw new UserError(`${path} is damaged: it has no column "${name}"`);
  };
  const wholeColumn = (name: string): Int32Array => {
    const values = column(name);
    if (values instanceof Int32Array) return values;
    throw new UserError(`${path} is damaged: its column "${name}" does not hold 32-bit integers`);
  };
  const timestep = wholeColumn("timestep");
  const ids = wholeColumn("id");
  const labels = wholeColumn("label");
  for (let row = 0; row < rows; row++) {
    const n = row % examples;
    if (timestep[row] === Math.floor(row / examples) && ids[row] === ids[n] && labels[row] === labels[n])
      continue;
    throw new UserError(
      `${path} is damaged: row ${row} is not that of timestep ${Math.floor(row / examples)}, example ${n}; keep the rows in the order in which they were written`,
    );
  }
  const narrow = column("logit_0") instanceof Float32Array;
  const logits = narrow ? new Float32Array(rows * classes) : new Float64Array(rows * classes);
  for (let k = 0; k < classes; k++) {
    const values = column(`logit_${k}`);
    for (let row = 0; row < rows; row++) logits[row * classes + k] = values[row] as number;
  }
  return { logits, ids: ids.slice(0, examples), labels: labels.slice(0, examples) };
}
