import { readFile } from "node:fs/promises";
import { type ColumnTable, fromArrow } from "arquero";
import { dictionary, float64, int32, tableFromArrays, tableToIPC, utf8 } from "@uwdata/flechette";
import { UserError } from "../../util/errors.js";
import { fileError, writeFileAtomic } from "../../util/files.js";
import type { NumberRow } from "../evidence/numbers.js";

const COLUMNS = ["part", "arm", "seed", "quantity", "at", "value"] as const;

/**
 * Writes the numbers of a study as an Arrow IPC file (Feather version 2): a row a number, columns `part`, `arm`,
 * `quantity` (text), `seed` (int32), `at` and `value` (float64; `at` is NaN for a number of the whole run).
 */
export async function writeNumbers(path: string, rows: readonly NumberRow[]): Promise<void> {
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
  const columns = Object.fromEntries(COLUMNS.map((name) => [name, rows.map((row) => row[name])]));
  const bytes = tableToIPC(tableFromArrays(columns, { types }), { format: "file" });
  if (bytes === null) throw new Error("the Arrow encoder gave no bytes");
  await writeFileAtomic(path, bytes);
}

/** The numbers of a study as a table; a UserError names `path` where it is missing or holds something else. */
export async function readNumbers(path: string): Promise<ColumnTable> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  const table = decoded(bytes);
  if (table === undefined || COLUMNS.some((name) => table.columnIndex(name) < 0)) {
    throw new UserError(`${path} holds no numbers of a study; replicate it again`);
  }
  return table;
}

function decoded(bytes: Uint8Array): ColumnTable | undefined {
  try {
    return fromArrow(bytes);
  } catch {
    return undefined;
  }
}
