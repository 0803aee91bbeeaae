import { UserError } from "../util/errors.js";
import { columnNames, rowsOf, type TableLike, type TableRow } from "../util/table-cells.js";

type Row<Numbers extends string, Texts extends string> = Readonly<
  Record<Numbers, number> & Record<Texts, string>
>;

/**
 * The rows of a table (rows, arquero or danfo) with the named columns of numbers and texts; throws a UserError that names the figure
 * and the column that is missing or holds something else.
 */
export function tableRows<Numbers extends string, Texts extends string = never>(
  figure: string,
  table: TableLike,
  numbers: readonly Numbers[],
  texts: readonly Texts[] = [],
): readonly Row<Numbers, Texts>[] {
  const rows = rowsOf(table);
  const names = columnNames(table, rows);
  const missing = [...numbers, ...texts].find((column) => !names.includes(column));
  // Rows alone have no columns where there are none.
  if (rows.length === 0 && (names.length === 0 || missing === undefined))
    throw new UserError(`the ${figure} figure has nothing to draw: its table has no rows`);
  if (missing !== undefined)
    throw new UserError(
      `the ${figure} figure needs a column "${missing}"; its table has ${names.join(", ")}`,
    );
  rows.forEach((row, i) => {
    for (const column of numbers) requireType(figure, row, column, "number", i);
    for (const column of texts) requireType(figure, row, column, "string", i);
  });
  return rows as readonly Row<Numbers, Texts>[];
}

/** Whether a result table has a column that a figure can do without. */
export function hasColumn(table: TableLike, column: string): boolean {
  return columnNames(table).includes(column);
}

function requireType(figure: string, row: TableRow, column: string, type: string, i: number): void {
  if (typeof row[column] === type) return;
  throw new UserError(
    `the ${figure} figure needs a ${type} in column "${column}"; row ${i} has ${JSON.stringify(row[column])}`,
  );
}

/** The number itself, or null where Plotly shall leave a gap: NaN and infinities are not JSON. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
