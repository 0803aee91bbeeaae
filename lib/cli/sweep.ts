import { Command } from "commander";
import { join } from "node:path";
import { z } from "zod";
import { parseDatasetSource } from "../datasets/parse-source.js";
import { RUNS } from "../experiments/runs/run-record.js";
import { parseSweepSpec, type SweepSpec, sweepSpecs } from "../experiments/specs/sweep-spec.js";
import { runName } from "../experiments/specs/names.js";
import type { PlannedPart } from "../studies/replication/plan.js";
import { type Training, trainingOf, uniqueTrainings } from "../studies/replication/replication.js";
import { sourceShapes } from "../studies/replication/source-shapes.js";
import { trainingStatus } from "../studies/replication/training-status.js";
import { writeFileAtomic } from "../util/files.js";
import { groupRows } from "../util/group-rows.js";
import { readJson } from "../util/json-file.js";
import { wholeNumber } from "./options.js";
import { writeOut } from "./output.js";
import { progressText } from "./replication-status.js";
import { type PlanOptions, printPlan, withPlanOptions } from "./replication-plan.js";
import { withStopSignal } from "./stop-signals.js";
import { defaultJobs, type StatusOf, trainAll } from "./train-all.js";

interface SweepOptions extends PlanOptions {
  readonly jobs?: number;
  readonly status?: true;
  readonly plan?: true;
  readonly specs?: string;
}

/** `cascade sweep <sweep.json>`: many trainings, planned, carried out here, or written out for an engine. */
export function sweepCommand(): Command {
  const command = new Command("sweep")
    .description("many trainings: models x data x values of fields x seeds; goes on where it was stopped")
    .argument("<sweep.json>", "what is varied; docs/sweeps.md says how it is written")
    .option("--runs <folder>", "folder of all runs", RUNS)
    .option("--jobs <n>", "trainings at a time; the cores are shared out among them", wholeNumber(1))
    .option("--plan", "say what has to be computed and how long it takes, and stop")
    .option("--status", "say how far it is, and stop")
    .option(
      "--specs <folder>",
      "write each training's spec there, for lib/sweep/Snakefile or another engine, and stop",
    );

  return withPlanOptions(command).action(sweep);
}

async function sweep(path: string, options: SweepOptions): Promise<void> {
  const wanted = parseSweepSpec(readJson(path, z.unknown()), path);
  const sources = await Promise.all((wanted.data ?? []).map(parseDatasetSource));
  const specs = sweepSpecs(wanted, wanted.data === undefined ? [undefined] : sources, path);
  const trainings = uniqueTrainings(specs.map(trainingOf));
  if (options.specs !== undefined) return writeSpecs(trainings, options.specs);
  const shapeOf = await sourceShapes(trainings);
  const statusOf: StatusOf = (training) => trainingStatus(training, options.runs, shapeOf(training));
  if (options.plan === true) {
    printPlan(partsOf(trainings, wanted), shapeOf, options);
  } else if (options.status === true) writeOut(progressText(trainings.map(statusOf)));
  else await carryOut(trainings, statusOf, options);
}

async function carryOut(
  trainings: readonly Training[],
  statusOf: StatusOf,
  { runs, jobs = defaultJobs() }: SweepOptions,
): Promise<void> {
  await withStopSignal(async (signal) => {
    const failed = await trainAll(trainings, statusOf, jobs, runs, signal);
    if (signal.aborted) {
      writeOut(`stopped at ${progressText(trainings.map(statusOf))}; the same command goes on from here`);
    } else if (failed > 0) {
      writeOut(`${failed} trainings failed; the same command tries them again`);
      process.exitCode = 1;
    }
  });
}

/** A spec file for each training, under the name of its run's folder, which is where an engine looks for DONE.json. */
async function writeSpecs(trainings: readonly Training[], folder: string): Promise<void> {
  for (const { directory, spec } of trainings)
    await writeFileAtomic(join(folder, `${directory}.json`), `${JSON.stringify(spec, null, 2)}\n`);
  writeOut(`${trainings.length} specs written to ${folder}`);
}

/** A line of the plan for each kind of run on each data set. */
function partsOf(trainings: readonly Training[], { data }: SweepSpec): PlannedPart[] {
  const groups = groupRows(
    trainings,
    ({ spec }) => `${data === undefined ? "preset's" : spec.data.kind} ${runName(spec)}`,
  );
  return [...groups].map(([name, own]) => {
    const [first = "", second = ""] = name.split(" ");
    return { data: { name: first }, study: { name: second }, trainings: own };
  });
}
