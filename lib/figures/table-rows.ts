import type { ColumnTable } from "arquero";
import { UserError } from "../util/errors.js";

type Row<Numbers extends string, Texts extends string> = Readonly<
  Record<Numbers, number> & Record<Texts, string>
>;

/**
 * The rows of a result table with the named columns of numbers and texts; throws a UserError that names the figure
 * and the column that is missing or holds something else.
 */
export function tableRows<Numbers extends string, Texts extends string = never>(
  figure: string,
  table: ColumnTable,
  numbers: readonly Numbers[],
  texts: readonly Texts[] = [],
): Row<Numbers, Texts>[] {
  for (const column of [...numbers, ...texts]) {
    if (table.columnIndex(column) >= 0) continue;
    throw new UserError(
      `the ${figure} figure needs a column "${column}"; its table has ${table.columnNames().join(", ")}`,
    );
  }
  if (table.numRows() === 0)
    throw new UserError(`the ${figure} figure has nothing to draw: its table has no rows`);
  const rows = table.objects({ limit: Infinity }) as Record<string, unknown>[];
  rows.forEach((row, i) => {
    for (const column of numbers) requireType(figure, row, column, "number", i);
    for (const column of texts) requireType(figure, row, column, "string", i);
  });
  return rows as Row<Numbers, Texts>[];
}

/** Whether a result table has a column that a figure can do without. */
export function hasColumn(table: ColumnTable, column: string): boolean {
  return table.columnIndex(column) >= 0;
}

function requireType(
  figure: string,
  row: Record<string, unknown>,
  column: string,
  type: string,
  i: number,
): void {
  if (typeof row[column] === type) return;
  throw new UserError(
    `the ${figure} figure needs a ${type} in column "${column}"; row ${i} has ${JSON.stringify(row[column])}`,
  );
}

/** The number itself, or null where Plotly shall leave a gap: NaN and infinities are not JSON. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
