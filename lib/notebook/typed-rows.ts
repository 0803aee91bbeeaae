import { UserError } from "../util/errors.js";
import { rowsOf, type TableLike } from "../util/table-cells.js";

interface Kinds {
  readonly number: number;
  readonly string: string;
  readonly boolean: boolean;
}

/**
 * The rows of a table (rows, arquero, danfo) with the types of the columns that are named, for the compiler and in
 * truth: `typedRows(table, { model: "string", accuracy: "number" })`. Throws a UserError for a value of another type.
 */
export function typedRows<Columns extends Readonly<Record<string, keyof Kinds>>>(
  table: TableLike,
  columns: Columns,
): { readonly [Name in keyof Columns]: Kinds[Columns[Name]] }[] {
  return rowsOf(table).map((row, i) => {
    for (const [name, kind] of Object.entries(columns))
      if (typeof row[name] !== kind)
        throw new UserError(
          `row ${i} of the table has ${String(row[name])} in column "${name}", where a ${kind} is expected`,
        );
    return row as { readonly [Name in keyof Columns]: Kinds[Columns[Name]] };
  });
}
