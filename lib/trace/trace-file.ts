import { readFile } from "node:fs/promises";
import { tableFromArrays, tableFromIPC, tableToIPC, type Table } from "@uwdata/flechette";
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { fileError, writeFileAtomic } from "../util/files.js";
import { validateTrace, type Trace } from "./trace.js";

const FORMAT = "anytime-trace 1";
const MAGIC = "ARROW1";

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const metadataSchema = z.object({
  format: z.literal(FORMAT),
  timesteps: z.coerce.number().int().positive(),
  examples: z.coerce.number().int().positive(),
  classes: z.coerce.number().int().min(2),
  model: z.string().optional(),
  run: z.string().optional(),
  data: z.string().optional(),
  split: z.enum(["validation", "test"]).optional(),
  multiplyAdds: json.pipe(z.array(z.number())).optional(),
});

/**
 * Writes a trace as an Arrow IPC file (Feather version 2, uncompressed), replacing `path` as a whole or not at all.
 *
 * One row for each timestep and example, timesteps outermost: `timestep`, `id`, `label` (int32) and `logit_0` ..
 * `logit_<K-1>` (float32, or float64 where the trace is). Metadata of the schema, all text: `format`, `timesteps`,
 * `examples`, `classes`, and where known `model`, `run`, `data`, `split` and `multiplyAdds` (JSON). Read it with
 * `pyarrow.feather.read_table(path)` or `pandas.read_feather(path)` in Python, `arrow::read_feather(path)` in R.
 */
export async function writeTrace(path: string, trace: Trace): Promise<void> {
  validateTrace(trace, `the trace for ${path}`);
  const bytes = tableToIPC(traceColumns(trace), { format: "file" });
  if (bytes === null) throw new Error("the Arrow encoder gave no bytes");
  await writeFileAtomic(path, bytes);
}

/** Reads a trace that `writeTrace` wrote; a UserError names `path` if it is missing, truncated, no trace or damaged. */
export async function readTrace(path: string): Promise<Trace> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  const fault = envelopeFault(bytes);
  if (fault !== undefined) throw new UserError(`${path} ${fault}`);
  return validateTrace(decodeTrace(bytes, path), path);
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
  table.schema.metadata = new Map(Object.entries(metadataOf(trace)));
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

function envelopeFault(bytes: Buffer): string | undefined {
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return "is not an Arrow file, so not a trace";
  if (bytes.length < 4 * MAGIC.length || bytes.toString("latin1", bytes.length - MAGIC.length) !== MAGIC) {
    return "is a truncated Arrow file: its end is missing; write or copy it again";
  }
  return undefined;
}

function decodeTrace(bytes: Buffer, path: string): Trace {
  const table = decodeArrow(bytes, path);
  const parsed = metadataSchema.safeParse(Object.fromEntries(table.schema.metadata ?? []));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(
      `${path} is an Arrow file but not a trace of the form "${FORMAT}": its metadata "${issue?.path.join(".") ?? ""}" does not fit (${issue?.message ?? ""})`,
    );
  }
  const { timesteps, examples, classes, multiplyAdds, ...about } = parsed.data;
  const shape = { timesteps, examples, classes };
  // Before room is made for what the metadata promise.
  if (table.numRows !== timesteps * examples || table.numCols !== 3 + classes)
    throw new UserError(
      `${path} is damaged: it has ${table.numRows} rows and ${table.numCols} columns, where ${timesteps} timesteps of ${examples} examples and ${classes} classes make ${timesteps * examples} and ${3 + classes}`,
    );
  return {
    ...shape,
    ...readColumns(table, shape, path),
    ...known(about),
    ...(multiplyAdds && { cost: { multiplyAdds } }),
  };
}

function decodeArrow(bytes: Buffer, path: string): Table {
  try {
    return tableFromIPC(bytes);
  } catch (cause) {
    throw new UserError(
      `${path} is an Arrow file that is damaged or compressed; write it again uncompressed`,
      { cause },
    );
  }
}

function readColumns(
  table: Table,
  { timesteps, examples, classes }: { timesteps: number; examples: number; classes: number },
  path: string,
): Pick<Trace, "logits" | "labels" | "ids"> {
  const rows = timesteps * examples;
  const column = (name: string): Int32Array | Float32Array | Float64Array => {
    const values = columnValues(table, name, path);
    if (values.length === rows) return values;
    throw new UserError(
      `${path} is damaged: its column "${name}" has ${values.length} rows, not ${timesteps} x ${examples}`,
    );
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

function columnValues(table: Table, name: string, path: string): Int32Array | Float32Array | Float64Array {
  if (!table.names.includes(name)) throw new UserError(`${path} is damaged: it has no column "${name}"`);
  let values: unknown;
  try {
    values = table.getChild(name).toArray();
  } catch (cause) {
    throw new UserError(`${path} is damaged: its column "${name}" cannot be read`, { cause });
  }
  if (values instanceof Int32Array || values instanceof Float32Array || values instanceof Float64Array)
    return values;
  throw new UserError(`${path} is damaged: its column "${name}" does not hold plain numbers`);
}
