import { warnOnStandardError } from "../util/warn.js";
import { Command, InvalidArgumentError } from "commander";
import { latexTabular, PLAIN_RULES } from "../experiments/export/latex-table.js";
import { leaderboardOfRuns, leaderboardTable, type RunOnLeaderboard } from "../studies/leaderboard.js";
import type { LeaderboardMeasures } from "../trace/leaderboard.js";
import { writeFileAtomic } from "../util/files.js";
import { type TableCells, tableText } from "../util/table-cells.js";
import { positiveNumber, repeated } from "./options.js";
import { writeOut } from "./output.js";
import { RUNS } from "../experiments/runs/run-record.js";

interface LeaderboardCommandOptions {
  readonly runs: string;
  readonly budgets: readonly number[];
  readonly data?: string;
  readonly where: readonly string[];
  readonly csv?: string;
  readonly latex?: string;
}

/** `cascade leaderboard`: every model of all finished runs in one table. */
export function leaderboardCommand(): Command {
  return new Command("leaderboard")
    .description("compare every model of all finished runs: accuracy within budgets, calibration, stopping")
    .option("--runs <folder>", "folder of all runs", RUNS)
    .option("--data <name>", "only runs on this data set, by its name or the beginning of its hash")
    .option(
      "--where <condition>",
      'only such runs, as "heldOutClasses=null" or "train.epochs=5"; more than once: all of them',
      repeated,
      [],
    )
    .option(
      "--budgets <list>",
      "million multiply-adds of an image, separated by commas",
      budgets,
      [5, 10, 20, 40],
    )
    .option("--csv <file>", "write the table as CSV as well, all digits")
    .option("--latex <file>", "write it as a LaTeX tabular as well")
    .action(async ({ runs, data, where, csv, latex, ...options }: LeaderboardCommandOptions) => {
      const multiplyAdds = options.budgets.map((millions) => 1e6 * millions);
      const rows = await leaderboardOfRuns(runs, {
        budgets: multiplyAdds,
        data,
        where,
        report: warnOnStandardError,
      });
      const cells = cellsOfTable(header(options.budgets), rows.map(cellsOf));
      writeOut(tableText(cells));
      writeOut(NOTE);
      if (csv !== undefined) await writeFileAtomic(csv, leaderboardTable(rows, multiplyAdds).toCSV());
      if (latex !== undefined) await writeFileAtomic(latex, latexTabular(withoutRuns(cells), PLAIN_RULES));
    });
}

const NOTE =
  "%: accuracy within so many million multiply-adds, mean over all budgets up to the last (area), last answer, right at some time (oracle), right earlier but " +
  "wrong at last (over.); ECE, NLL, Brier, AUROC of failures: of the last answer; stop: accuracy and mean million multiply-adds where images stop " +
  "once confident, by a threshold chosen on validation images to spoil at most 1 % of the answers";

function budgets(text: string): number[] {
  const values = text.split(",").map(positiveNumber);
  if (values.every((value, i) => value > (values[i - 1] ?? 0))) return values;
  throw new InvalidArgumentError("they must be in ascending order.");
}

function header(millions: readonly number[]): string[] {
  return [
    "model",
    "seed",
    ...millions.map((value) => `${value}M`),
    "area",
    "last",
    "M",
    "oracle",
    "over.",
    "ECE",
    "NLL",
    "Brier",
    "AUROC",
    "stop",
    "stop M",
    "run",
  ];
}

const percent = (value: number): string => shown(100 * value, 1);
const shown = (value: number, digits: number): string => (Number.isNaN(value) ? "" : value.toFixed(digits));

function cellsOf({ name, seed, run, withinBudgets, measures }: RunOnLeaderboard): string[] {
  return [name, String(seed), ...withinBudgets.map(percent), ...measured(measures), run];
}

function measured(measures: LeaderboardMeasures): string[] {
  return [
    percent(measures.area),
    percent(measures.accuracy),
    shown(measures.multiplyAdds / 1e6, 1),
    percent(measures.oracle),
    percent(measures.overthinking),
    shown(measures.calibrationError, 3),
    shown(measures.negativeLogLikelihood, 3),
    shown(measures.brierScore, 3),
    shown(measures.failureAuroc, 3),
    percent(measures.stoppedAccuracy),
    shown(measures.stoppedMultiplyAdds / 1e6, 1),
  ];
}

/** Of the columns all but the first and the last, which are names, hold numbers. */
function cellsOfTable(names: readonly string[], rows: readonly string[][]): TableCells {
  const isName = (column: number): boolean => column === 0 || column === names.length - 1;
  return {
    columns: names.map((name, column) => ({ name, numeric: !isName(column), format: String })),
    rows,
    left: 0,
  };
}

/** The table for a paper, without the runs' names. */
function withoutRuns({ columns, rows, left }: TableCells): TableCells {
  return { columns: columns.slice(0, -1), rows: rows.map((row) => row.slice(0, -1)), left };
}
