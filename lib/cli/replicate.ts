import { warnOnStandardError } from "../util/warn.js";
import { join } from "node:path";
import { Command, Option } from "commander";
import { closeBrowser } from "../figures/browser.js";
import { PROTOCOL_NAMES, PROTOCOLS, STUDIES } from "../studies/replication/protocols.js";
import { analyseParts, type ReplicationFolders, writeReport } from "../studies/replication/results.js";
import { type NamedSource, planReplication, type Replication } from "../studies/replication/replication.js";
import { reportOrder } from "../studies/replication/report-order.js";
import { sourceShapes } from "../studies/replication/source-shapes.js";
import type { ProtocolName } from "../studies/study.js";
import { trainingStatus } from "../studies/replication/training-status.js";
import { namedSources } from "./data-options.js";
import { repeated, seedList, wholeNumber, words } from "./options.js";
import { parseOverrides } from "./overrides.js";
import { writeOut } from "./output.js";
import { type PlanOptions, printPlan, withPlanOptions } from "./replication-plan.js";
import { printDiverged, printStatus, progressText } from "./replication-status.js";
import { withStopSignal } from "./stop-signals.js";
import { defaultJobs, type StatusOf, trainAll } from "./train-all.js";
import { RUNS } from "../experiments/runs/run-record.js";

interface ReplicateOptions extends PlanOptions {
  readonly protocol?: ProtocolName;
  readonly data: readonly string[];
  readonly cScores: readonly string[];
  readonly photographs: readonly string[];
  readonly only?: readonly string[];
  readonly seeds?: readonly number[];
  readonly jobs?: number;
  readonly results?: string;
  readonly prints: string;
  readonly status?: true;
  readonly plan?: true;
}

const COMMITTED = join("data", "results");
const NOT_COMMITTED = join("data", "figures");

/** `cascade replicate`: every training, analysis and figure of a protocol, and a report; goes on where it was stopped. */
export function replicateCommand(): Command {
  const command = new Command("replicate")
    .description("the main job: from images to all figures and one report; goes on where it was stopped")
    .argument("[key=value...]", "fields of every spec to change, such as train.epochs=12")
    .addOption(
      new Option(
        "--protocol <name>",
        "how far to go; without it quick, or reduced where --data is given",
      ).choices(PROTOCOL_NAMES),
    )
    .option(
      "--data <source>",
      "cifar10=<path>, cifar100=<path>, tinyimagenet=<path> or a path; an image folder or its archive will do; may be repeated",
      repeated,
      [],
    )
    .option("--c-scores <npz>", "C-scores of the data, or cifar100=<npz>; may be repeated", repeated, [])
    .option(
      "--photographs <source>",
      "another data set that nothing is trained on, for the trace study to tell from --data; may be repeated",
      repeated,
      [],
    )
    .option("--only <studies>", "names of studies, separated by commas", words)
    .option("--seeds <list>", "seeds in the place of the protocol's, separated by commas", seedList)
    .option("--jobs <n>", "trainings at a time; the cores are shared out among them", wholeNumber(1))
    .option("--runs <folder>", "folder of all runs", RUNS)
    .option(
      "--results <folder>",
      `folder of results and report; ${COMMITTED}, but ${NOT_COMMITTED} for quick and for changed protocols`,
    )
    .option("--prints <folder>", "folder of the figures as PDF", NOT_COMMITTED)
    .option("--status", "say how far it is, and stop")
    .option("--plan", "say what has to be computed and how long it takes, and stop");

  return withPlanOptions(command).action(replicate);
}

async function replicate(overrides: readonly string[], options: ReplicateOptions): Promise<void> {
  const data = await namedSources(options.data, options.cScores);
  const protocol = PROTOCOLS[options.protocol ?? (data.length === 0 ? "quick" : "reduced")];
  const { only, seeds, runs, plan: standIns = false } = options;
  const change = parseOverrides(overrides);
  const replication = planReplication({ protocol, studies: STUDIES, data, only, seeds, change, standIns });
  for (const lack of replication.without) writeOut(`without ${lack}`);
  const shapeOf = await sourceShapes(replication.trainings);
  const statusOf: StatusOf = (training) => trainingStatus(training, runs, shapeOf(training));
  if (options.plan === true) {
    printPlan(replication.parts, shapeOf, options);
  } else if (options.status === true) {
    printStatus(replication, statusOf);
  } else {
    const isChanged = protocol.name === "quick" || seeds !== undefined || overrides.length > 0;
    const results = options.results ?? (isChanged ? NOT_COMMITTED : COMMITTED);
    const jobs = options.jobs ?? defaultJobs();
    const photographs = await namedSources(options.photographs, []);
    await withStopSignal(async (signal) => {
      const folders = { runs, results, prints: options.prints };
      await carryOut(replication, statusOf, folders, photographs, jobs, signal);
    });
  }
}

async function carryOut(
  replication: Replication,
  statusOf: StatusOf,
  folders: ReplicationFolders,
  photographs: readonly NamedSource[],
  jobs: number,
  signal: AbortSignal,
): Promise<void> {
  const failed = await trainAll(replication.trainings, statusOf, jobs, folders.runs, signal);
  if (signal.aborted) {
    const statuses = replication.trainings.map(statusOf);
    writeOut(`stopped at ${progressText(statuses)}; the same command goes on from here`);
    return;
  }
  await analyse(replication, folders, photographs, signal);
  printDiverged(replication.trainings.map(statusOf));
  if (failed > 0) {
    writeOut(`${failed} trainings failed; the same command tries them again`);
    process.exitCode = 1;
  }
}

async function analyse(
  replication: Replication,
  folders: ReplicationFolders,
  photographs: readonly NamedSource[],
  signal: AbortSignal,
): Promise<void> {
  try {
    const problems = await analyseParts(replication, folders, { signal, photographs, onProgress: writeOut });
    for (const { part, problem } of problems) {
      warnOnStandardError(
        `no result, or not all of it, for ${part.study.name} on ${part.data.name}: ${problem}`,
      );
      process.exitCode = 1;
    }
    const called = replication.parts.map(({ data, study }) => ({ data: data.name, study: study.name }));
    const inOrder = reportOrder(replication.protocol.name, called, folders.results);
    for (const file of await writeReport(replication, inOrder, folders.results)) writeOut(file);
  } finally {
    await closeBrowser();
  }
}
