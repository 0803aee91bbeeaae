import { readFile } from "node:fs/promises";
import { type ColumnTable, fromArrow } from "arquero";
import { dictionary, float64, int32, tableFromArrays, tableToIPC, utf8 } from "@uwdata/flechette";
import { UserError } from "../../util/errors.js";
import { fileError, sha256, writeFileAtomic } from "../../util/files.js";
import { warnOnStandardError } from "../../util/warn.js";
import type { NumberRow } from "../evidence/numbers.js";
import { readStudyRecord } from "./study-record.js";

const COLUMNS = ["part", "arm", "seed", "quantity", "at", "value"] as const;

/**
 * Writes the numbers of a study as an Arrow IPC file (Feather version 2): a row a number, columns `part`, `arm`,
 * `quantity` (text), `seed` (int32), `at` and `value` (float64; `at` is NaN for a number of the whole run).
 * Gives its SHA-256; equal numbers give equal bytes.
 */
export async function writeNumbers(path: string, rows: readonly NumberRow[]): Promise<string> {
  // Each column has a dictionary, and so a type, of its own; one without entries cannot be read back.
  const text = () => (rows.length === 0 ? utf8() : dictionary(utf8()));
  const types = {
    part: text(),
    arm: text(),
    seed: int32(),
    quantity: text(),
    at: float64(),
    value: float64(),
  };
  const columns = Object.fromEntries(COLUMNS.map((name) => [name, rows.map((row) => withOneNaN(row[name]))]));
  const bytes = tableToIPC(tableFromArrays(columns, { types }), { format: "file" });
  if (bytes === null) throw new Error("the Arrow encoder gave no bytes");
  await writeFileAtomic(path, bytes);
  return sha256(bytes);
}

/** A processor's NaN (0 / 0) and the one that a kept analysis is read back as differ in their sign bit. */
const withOneNaN = <Value>(value: Value): Value | number => (Number.isNaN(value) ? NaN : value);

/**
 * The numbers of a study as a table; a UserError names `path` where it is missing, holds something else, or is not what
 * the record beside it is of. `warn` is told where no record tells.
 */
export async function readNumbers(path: string, warn = warnOnStandardError): Promise<ColumnTable> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  const expected = readStudyRecord(path.replace(/\.arrow$/, ".json"))?.numbers;
  if (expected === undefined)
    warn(`${path} is unverified: no record beside it has its sum, and nothing tells whether it was changed`);
  else assertNumbers(path, bytes, expected);
  const table = decoded(bytes);
  if (table === undefined || COLUMNS.some((name) => table.columnIndex(name) < 0)) {
    throw new UserError(`${path} holds no numbers of a study; replicate it again`);
  }
  return table;
}

/** Throws a UserError where the bytes of the file at `path` do not have the sum of its record. */
export function assertNumbers(path: string, bytes: Uint8Array, expected: string): void {
  if (sha256(bytes) === expected) return;
  throw new UserError(`${path} was changed after it was written; delete it and replicate again`);
}

function decoded(bytes: Uint8Array): ColumnTable | undefined {
  try {
    return fromArrow(bytes);
  } catch {
    return undefined;
  }
}
