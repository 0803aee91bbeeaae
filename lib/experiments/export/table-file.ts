import { tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { from, type ColumnTable } from "arquero";
import { parquetWriteBuffer } from "hyparquet-writer";
import { extname } from "node:path";
import { UserError } from "../../util/errors.js";
import { writeFileAtomic } from "../../util/files.js";
import { columnNames, rowsOf, type TableLike } from "../../util/table-cells.js";
import { latexTable } from "./latex-table.js";

/** A column as files with types hold it: all numbers, all truth values, or all text; null where a value is missing. */
interface TypedColumn {
  readonly name: string;
  readonly type: "INT32" | "DOUBLE" | "BOOLEAN" | "STRING";
  readonly data: (number | boolean | string | null)[];
}

const FORMATS: Readonly<Record<string, (table: TableLike) => string | Uint8Array>> = {
  ".csv": (table) => arqueroTable(table).toCSV(),
  ".json": (table) => `${JSON.stringify(rowsOf(table), null, 2)}\n`,
  ".arrow": arrowFile,
  ".parquet": (table) =>
    new Uint8Array(
      parquetWriteBuffer({
        columnData: typedColumns(table).map((column) => ({ ...column, nullable: true })),
      }),
    ),
  ".tex": (table) => latexTable(table),
};

/**
 * Writes a table (rows, arquero, danfo) in the format that the file's name says: .csv, .json (a list of rows), .arrow
 * (IPC), .parquet or .tex (LaTeX, package booktabs). Throws a UserError for another one.
 */
export async function writeTable(table: TableLike, path: string): Promise<void> {
  const encode = FORMATS[extname(path)];
  if (encode === undefined)
    throw new UserError(
      `${path} says no format for a table: its name must end with ${Object.keys(FORMATS).join(", ")}`,
    );
  await writeFileAtomic(path, encode(table));
}

function arqueroTable(table: TableLike): ColumnTable {
  return "toCSV" in table ? (table as ColumnTable) : from(rowsOf(table) as object[], [...columnNames(table)]);
}

function arrowFile(table: TableLike): Uint8Array {
  const columns = Object.fromEntries(typedColumns(table).map(({ name, data }) => [name, data]));
  const bytes = tableToIPC(tableFromArrays(columns), { format: "file" });
  if (bytes === null) throw new Error("the Arrow encoder gave no bytes");
  return bytes;
}

function typedColumns(table: TableLike): TypedColumn[] {
  const rows = rowsOf(table);
  return columnNames(table, rows).map((name) =>
    typedColumn(
      name,
      rows.map((row) => row[name]),
    ),
  );
}

function typedColumn(name: string, values: readonly unknown[]): TypedColumn {
  const known = values.filter((value) => value !== null && value !== undefined);
  const fill = <Value>(of: (value: unknown) => Value) =>
    values.map((value) => (value === null || value === undefined ? null : of(value)));
  if (known.length > 0 && known.every((value) => typeof value === "number" || typeof value === "bigint")) {
    const isWhole = known.every(
      (value) => Number.isInteger(Number(value)) && Math.abs(Number(value)) < 2 ** 31,
    );
    return { name, type: isWhole ? "INT32" : "DOUBLE", data: fill(Number) };
  }
  if (known.length > 0 && known.every((value) => typeof value === "boolean"))
    return { name, type: "BOOLEAN", data: fill(Boolean) };
  return {
    name,
    type: "STRING",
    data: fill((value) => (typeof value === "string" ? value : JSON.stringify(value))),
  };
}
