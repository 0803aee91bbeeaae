import { type ColumnTable, table } from "arquero";
import { UserError } from "../../util/errors.js";
import { listRuns, type RunRecord } from "../runs/run-record.js";
import { type RunRow, runRows, type RunValue } from "./run-rows.js";

/** What a table of runs shows unless told: t1 is the accuracy at timestep 1, last that at the last one. */
export const RUN_COLUMNS = [
  "name",
  "hash",
  "model",
  "seed",
  "state",
  "progress",
  "t1",
  "t3",
  "last",
  "area",
  "seconds",
];

/** Which runs, in which order, and what is shown of them. */
export interface RunsQuery {
  /** Conditions that all hold, such as "model=CascadedTD", "seed<3", "loss.lambda!=1" or "name~td" (has that text). */
  readonly where?: readonly string[];
  /** Fields to sort by, the first before the others; "-area" has the largest first. */
  readonly sort?: readonly string[];
  /** Fields: those of `RUN_COLUMNS`, run, directory, finished, t<timestep>, and every field of a spec by its path. */
  readonly columns?: readonly string[];
}

/**
 * Runs side by side, a row for each model: those under data/runs unless told. Throws a UserError for a condition that
 * cannot be read and a field that no run has.
 */
export function runsTable(query: RunsQuery = {}, runs: readonly RunRecord[] = listRuns()): ColumnTable {
  const { where = [], sort = [], columns = RUN_COLUMNS } = query;
  const rows = runRows(runs);
  const order = sort.map((text) => ordering(text, rows));
  for (const name of columns) assertKnown(name, rows);
  const chosen = rowsWhere(where, rows).sort(
    (a, b) => order.map((compare) => compare(a, b)).find((sign) => sign !== 0) ?? 0,
  );
  return table(
    Object.fromEntries(columns.map((name) => [name, chosen.map((row) => fieldOf(row, name) ?? null)])),
    columns.slice(),
  );
}

/** The runs of which a row fulfils all conditions of a `RunsQuery`; a UserError as for `runsTable`. */
export function runsWhere(where: readonly string[], runs: readonly RunRecord[]): RunRecord[] {
  const chosen = new Set(rowsWhere(where, runRows(runs)).map(({ directory }) => directory));
  return runs.filter(({ directory }) => chosen.has(directory));
}

/** The rows for which all conditions of a `RunsQuery` hold; a UserError as for `runsTable`. */
function rowsWhere(where: readonly string[], rows: readonly RunRow[]): RunRow[] {
  const conditions = where.map((text) => condition(text, rows));
  return rows.filter((row) => conditions.every((holds) => holds(row)));
}

const FIELDS = [
  "run",
  "directory",
  "name",
  "hash",
  "seed",
  "model",
  "state",
  "progress",
  "area",
  "seconds",
  "finished",
] as const;

/** A field of a row by its name; undefined where the row has none of that name. */
function fieldOf(row: RunRow, name: string): RunValue | undefined {
  const own = FIELDS.find((field) => field === name);
  if (own !== undefined) return row[own];
  if (name === "last") return row.accuracy?.at(-1) ?? null;
  const [, timestep] = /^t(\d+)$/.exec(name) ?? [];
  return timestep === undefined ? row.spec[name] : (row.accuracy?.[Number(timestep)] ?? null);
}

function assertKnown(name: string, rows: readonly RunRow[]): void {
  if (rows.length === 0 || rows.some((row) => fieldOf(row, name) !== undefined)) return;
  throw new UserError(
    `no run has a field "${name}"; there are ${[...FIELDS, "last", "t0, t1, ..."].join(", ")}, and fields of specs such as train.epochs`,
  );
}

const OPERATORS: Readonly<Record<string, (value: RunValue, wanted: string) => boolean>> = {
  "=": (value, wanted) => String(value) === wanted || (typeof value === "number" && value === Number(wanted)),
  "!=": (value, wanted) => OPERATORS["="]?.(value, wanted) === false,
  "<": (value, wanted) => typeof value === "number" && value < Number(wanted),
  ">": (value, wanted) => typeof value === "number" && value > Number(wanted),
  "<=": (value, wanted) => typeof value === "number" && value <= Number(wanted),
  ">=": (value, wanted) => typeof value === "number" && value >= Number(wanted),
  "~": (value, wanted) => String(value).includes(wanted),
};

function condition(text: string, rows: readonly RunRow[]): (row: RunRow) => boolean {
  const [, name = "", operator = "", wanted = ""] =
    /^([\w.]+)\s*(!=|<=|>=|=|<|>|~)\s*(.+)$/.exec(text.trim()) ?? [];
  const holds = OPERATORS[operator];
  if (holds === undefined)
    throw new UserError(
      `"${text}" is no condition: write a field, one of ${Object.keys(OPERATORS).join(" ")}, and a value`,
    );
  assertKnown(name, rows);
  return (row) => holds(fieldOf(row, name) ?? null, wanted.trim());
}

function ordering(text: string, rows: readonly RunRow[]): (a: RunRow, b: RunRow) => number {
  const [, minus = "", name = ""] = /^(-?)(.+)$/.exec(text) ?? [];
  assertKnown(name, rows);
  const sign = minus === "" ? 1 : -1;
  return (a, b) => compared(fieldOf(a, name) ?? null, fieldOf(b, name) ?? null, sign);
}

/** What is not known stands last, whichever way. */
function compared(a: RunValue, b: RunValue, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -sign : sign;
}
