import { Command } from "commander";
import { findRun } from "../experiments/comparing/find-run.js";
import { runDifference } from "../experiments/comparing/run-difference.js";
import { runRows } from "../experiments/comparing/run-rows.js";
import { RUN_COLUMNS, runsTable, runsWhere } from "../experiments/comparing/runs-table.js";
import { writeTable } from "../experiments/export/table-file.js";
import { writePyTorchWeights } from "../experiments/export/pytorch-weights.js";
import { writeTensorBoard } from "../experiments/export/tensorboard.js";
import { listRuns, RUNS } from "../experiments/runs/run-record.js";
import { UserError } from "../util/errors.js";
import { tableCells, type TableLike, tableText } from "../util/table-cells.js";
import { repeated, words } from "./options.js";
import { writeOut } from "./output.js";

interface RunsOptions {
  readonly root: string;
  readonly where: readonly string[];
  readonly sort?: readonly string[];
  readonly columns?: readonly string[];
  readonly out?: string;
}

/** `cascade runs`, `cascade runs show`, `cascade runs diff`, `cascade runs tensorboard`, `cascade runs pytorch`. */
export function runsCommand(): Command {
  const command = new Command("runs")
    .description(
      "list runs, a line for each model; compare them; write them as tables, for TensorBoard, for PyTorch",
    )
    .option("--root <folder>", "folder of all runs", RUNS)
    .option(
      "--where <condition>",
      'only such runs, as "seed<3" or "loss.lambda=1" or "name~td"; more than once: all of them',
      repeated,
      [],
    )
    .option(
      "--sort <fields>",
      "sort by these fields, separated by commas; -area has the largest first",
      words,
    )
    .option("--columns <fields>", `show these; unless told ${RUN_COLUMNS.join(",")}`, words)
    .option("--out <file>", "write the table: .csv, .json, .arrow, .parquet or .tex")
    .action(list);
  command.addCommand(showCommand());
  command.addCommand(diffCommand());
  command.addCommand(tensorBoardCommand());
  command.addCommand(pyTorchCommand());
  return command;
}

async function list({ root, out, ...query }: RunsOptions): Promise<void> {
  const runs = listRuns(root);
  const table = runsTable(query, runs);
  if (out !== undefined) {
    await writeTable(table, out);
    writeOut(`${table.numRows()} rows written to ${out}`);
  } else if (runs.length === 0)
    writeOut(`there are no runs in ${root}; "cascade run --help" says how one is made`);
  else print(table);
}

function print(table: TableLike): void {
  writeOut(tableText(tableCells(table, { limit: Infinity })));
}

/**
 * The options of `runs`, which Commander takes for a subcommand too, wherever they stand. A UserError where one is given
 * that the subcommand does not heed.
 */
function optionsOf(command: Command, heeded: readonly (keyof RunsOptions)[] = ["root"]): RunsOptions {
  const { parent } = command;
  const unheeded = parent?.options.find(
    (option) =>
      parent.getOptionValueSource(option.attributeName()) === "cli" &&
      !heeded.some((name) => name === option.attributeName()),
  );
  if (unheeded !== undefined)
    throw new UserError(`"cascade runs ${command.name()}" has no option ${unheeded.long ?? unheeded.flags}`);
  return command.optsWithGlobals<RunsOptions>();
}

function showCommand(): Command {
  return new Command("show")
    .description("one run: its spec, where it ran, what came out")
    .argument("<run>", "its folder, or the beginning of its hash")
    .action((text: string, _: unknown, command: Command) => {
      const run = findRun(text, optionsOf(command).root);
      const rows = runRows([run]);
      const { spec = {}, state = "", finished = null, seconds = null } = rows[0] ?? {};
      writeOut(
        `${run.directory}: ${state}${finished === null ? "" : `, finished ${finished}, trained in ${seconds ?? 0} s`}\n`,
      );
      print(Object.entries(spec).map(([field, value]) => ({ field, value: String(value) })));
      const accuracies = rows.flatMap(({ model, accuracy }) =>
        (accuracy ?? []).map((share, timestep) => ({ model, timestep, accuracy: share })),
      );
      if (accuracies.length === 0) return;
      writeOut("");
      print(accuracies);
    });
}

function diffCommand(): Command {
  return new Command("diff")
    .description("two runs: fields of their specs that differ, and accuracies of the models that both have")
    .argument("<first>", "a run's folder, or the beginning of its hash")
    .argument("<second>", "another one")
    .action((first: string, second: string, _: unknown, command: Command) => {
      const { root } = optionsOf(command);
      const { spec, results } = runDifference(findRun(first, root), findRun(second, root));
      if (spec.length === 0) writeOut("the specs are the same");
      else print(spec);
      if (results.length === 0) return;
      writeOut("");
      print(results);
    });
}

function tensorBoardCommand(): Command {
  return new Command("tensorboard")
    .description(
      "write losses and accuracies of all runs, or those with --where, as event files, for `tensorboard --logdir <folder>`",
    )
    .argument("<folder>", "a folder for each run is made in it")
    .action(async (folder: string, _: unknown, command: Command) => {
      const { root, where } = optionsOf(command, ["root", "where"]);
      const written = await writeTensorBoard(runsWhere(where, listRuns(root)), folder);
      writeOut(`${written} runs written to ${folder}`);
    });
}

function pyTorchCommand(): Command {
  return new Command("pytorch")
    .description("write the weights of a ResNet as PyTorch has them; docs/pytorch_resnet.py loads them")
    .argument("<run>", "its folder, or the beginning of its hash")
    .argument("<file>", "a .safetensors file")
    .action(async (text: string, file: string, _: unknown, command: Command) => {
      await writePyTorchWeights(findRun(text, optionsOf(command).root).directory, file);
      writeOut(`written to ${file}`);
    });
}
