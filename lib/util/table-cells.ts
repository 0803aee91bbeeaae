import { visibleText } from "./visible-text.js";
import { inspect } from "node:util";

/** A row of a table, by column. */
export type TableRow = Readonly<Record<string, unknown>>;

/** Rows, or what can be asked for them: an arquero table, a danfo data frame. */
export type TableLike =
  | readonly object[]
  | { objects(options?: { limit?: number }): object[]; columnNames(): string[] }
  | DataFrame;

/** As much of a danfo data frame, or of one of its columns, as a table takes. */
interface DataFrame {
  readonly columns: readonly string[];
  readonly values: readonly unknown[];
  readonly index?: readonly (string | number)[];
}

export interface TableOptions {
  /** Significant digits of numbers that are not whole. */
  readonly digits?: number;
  /** Rows shown at most; the rest is counted below the table. */
  readonly limit?: number;
}

export interface Column {
  readonly name: string;
  /** Whether it is read as numbers, and stands at the right. */
  readonly numeric: boolean;
  readonly format: (value: unknown) => string;
}

/** A table as texts, numbers of a column with their points below each other. */
export interface TableCells {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  readonly left: number;
}

/** The texts of a table's cells. */
export function tableCells(table: TableLike, { digits = 4, limit = 50 }: TableOptions = {}): TableCells {
  const rows = rowsOf(table);
  const columns = columnNames(table, rows).map((name) =>
    readColumn(
      name,
      rows.map((row) => row[name]),
      digits,
    ),
  );
  return {
    columns,
    rows: rows.slice(0, limit).map((row) => columns.map(({ name, format }) => format(row[name]))),
    left: Math.max(0, rows.length - limit),
  };
}

/** Rows as objects have names that are whole numbers first; a table that knows its columns has their order. */
export function columnNames(table: TableLike, rows: readonly TableRow[] = rowsOf(table)): readonly string[] {
  if ("columnNames" in table) return table.columnNames();
  if (!("columns" in table)) return [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return isLabelled(table) ? ["", ...table.columns] : table.columns;
}

const isLabelled = ({ index = [] }: DataFrame): boolean => index.some((label, place) => label !== place);

/** The rows of a table as objects, all of them. */
export function rowsOf(table: TableLike): readonly TableRow[] {
  if ("objects" in table) return table.objects({ limit: Infinity }) as TableRow[];
  if (!("columns" in table)) return table as readonly TableRow[];
  const { columns, values: all, index = [] } = table;
  const labelled = isLabelled(table);
  return all.map((row, place) => {
    // danfo keeps the values of a single column flat.
    const values: readonly unknown[] = Array.isArray(row) ? row : [row];
    return Object.fromEntries([
      ...(labelled ? [["", index[place]] as const] : []),
      ...columns.map((name, i) => [name, values[i]] as const),
    ]);
  });
}

const isBlank = (value: unknown): boolean => value === null || value === undefined;

/** A number as text: "+13.0", "38.2 ± 0.2", "42.5 (34.2)", "0.33 [0.24, 0.40]", or that there is none. */
const NUMBER_TEXT =
  /^(?:(?:[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?: ± [\d.]+)?(?: [([](?:[-+\d., ]*|none)[)\]])?|none|NaN|)$/;

function readColumn(name: string, values: readonly unknown[], digits: number): Column {
  const numbers = values.filter((value): value is number => typeof value === "number");
  const isNumber = (value: unknown): boolean =>
    isBlank(value) || typeof value === "number" || typeof value === "bigint";
  const formatNumber = values.every(isNumber)
    ? numberFormat(numbers, digits)
    : (value: number) => String(Number(value.toPrecision(digits)));
  return {
    name,
    numeric: values.every((value) => isNumber(value) || NUMBER_TEXT.test(String(value))),
    format: (value) => {
      if (value === null || value === undefined) return "";
      if (typeof value === "number") return formatNumber(value);
      if (typeof value === "bigint") return String(value);
      return typeof value === "string" ? value : inspect(value, { breakLength: Infinity });
    },
  };
}

/**
 * Equal decimals down a column, so that the points stand below each other: `digits` count in the largest number, and
 * two fewer at least in the smallest, but for numbers below a tenth; no more than show all of them exactly. What would
 * keep less than two digits is written with an exponent: no number is shown as 0 that is none.
 */
function numberFormat(numbers: readonly number[], digits: number): (value: number) => string {
  const finite = numbers.filter((value) => Number.isFinite(value));
  if (finite.every((value) => Number.isInteger(value))) return String;
  const exponents = finite.filter((value) => value !== 0).map(exponentOf);
  const largest = Math.max(...exponents);
  if (largest < -4 || largest > 8) return (value) => value.toExponential(digits - 1);
  const ofSmallest = digits - 2 - Math.max(-1, Math.min(...exponents));
  const wanted = Math.max(0, digits - 1 - largest, ofSmallest);
  const decimals = Math.max(...finite.map((value) => exactDecimals(value, wanted)));
  const isLost = (value: number): boolean => value !== 0 && exponentOf(value) < 1 - wanted;
  return (value) => (isLost(value) ? value.toExponential(1) : value.toFixed(decimals));
}

/** How many decimals show the value exactly, `most` at most. */
function exactDecimals(value: number, most: number): number {
  for (let decimals = 0; decimals < most; decimals++)
    if (Number(value.toFixed(decimals)) === value) return decimals;
  return most;
}

const exponentOf = (value: number): number => Math.floor(Math.log10(Math.abs(value)));

/** What is said of rows that are not shown. */
export const moreRows = (left: number): string => `and ${left} more rows`;

/** A table in columns of equal width, for terminals. */
export function tableText({ columns, rows, left }: TableCells): string {
  const widths = columns.map(({ name }, i) =>
    Math.max(name.length, ...rows.map((row) => (row[i] ?? "").length)),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => (columns[i]?.numeric ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .map(visibleText)
      .join("  ")
      .trimEnd();
  const lines = [columns.map(({ name }) => name), ...rows].map(line);
  return [...lines, ...(left === 0 ? [] : [moreRows(left)])].join("\n");
}
