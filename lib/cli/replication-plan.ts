import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { SourceShape } from "../datasets/source-shape.js";
import { currentEnvironment } from "../experiments/runs/environment.js";
import { DONE } from "../experiments/runs/done-record.js";
import {
  type AssumedDevice,
  type MeasuredSpeeds,
  type PlanRow,
  type PlannedPart,
  planRows,
  readMeasuredSpeeds,
  totalOf,
} from "../studies/replication/plan.js";
import type { Training } from "../studies/replication/replication.js";
import { numberBetween } from "./options.js";
import { count, writeOut } from "./output.js";

/** What `withPlanOptions` reads, and the folder of all runs. */
export interface PlanOptions {
  readonly runs: string;
  /** What `cascade bench --out` wrote. */
  readonly benchmark: string;
  /** In TFLOP/s. */
  readonly gpuPeak: number;
  readonly gpuShare: number;
}

/** The options that say what a plan's hours rest on. */
export function withPlanOptions(command: Command): Command {
  return command
    .option(
      "--benchmark <file>",
      "for --plan: what cascade bench --out wrote",
      join("data", "results", "benchmark.json"),
    )
    .option("--gpu-peak <TFLOP/s>", "for --plan: peak of an assumed GPU", numberBetween(0.1, 1e5), 19.5)
    .option(
      "--gpu-share <share>",
      "for --plan: share of it that training reaches",
      numberBetween(0.001, 1),
      0.3,
    );
}

/** What `--plan` of replicate and sweep says: trainings, images, multiply-adds and hours, and what the hours rest on. */
export function printPlan(
  parts: readonly PlannedPart[],
  shapeOf: (training: Training) => SourceShape,
  { runs, benchmark, gpuPeak, gpuShare }: PlanOptions,
): void {
  const device: AssumedDevice = { peak: gpuPeak * 1e12, share: gpuShare };
  const speeds = readMeasuredSpeeds(benchmark);
  const rows = planRows(parts, shapeOf, speeds, device);
  const isMissing = ({ directory }: Training): boolean => !existsSync(join(runs, directory, DONE));
  const left = parts.map((part) => ({ ...part, trainings: part.trainings.filter(isMissing) }));
  writeOut(line(["data", "study", "trainings", "images", "multiply-adds", "hours here", "hours, GPU"]));
  for (const row of [...rows, totalOf("all", rows), totalOf("left", planRows(left, shapeOf, speeds, device))])
    writeOut(line(fieldsOf(row)));
  for (const text of [...speedNotes(speeds, benchmark), ...deviceNotes(device)]) writeOut(text);
  writeOut(
    "trainings: a training that several studies need is counted with the first of them. Multiply-adds: of training " +
      "(three forward passes an image) and evaluation; the studies' own analyses come on top",
  );
}

function line(fields: readonly string[]): string {
  return fields.map((field, i) => (i < 2 ? field.padEnd(14) : field.padStart(14))).join(" ");
}

function fieldsOf(row: PlanRow): string[] {
  const { data, study, trainings, images, multiplyAdds, measuredHours, assumedHours } = row;
  return [
    data,
    study,
    String(trainings),
    count(images),
    multiplyAdds.toExponential(2),
    measuredHours.toFixed(1),
    assumedHours.toFixed(1),
  ];
}

function speedNotes({ environment }: MeasuredSpeeds, benchmark: string): string[] {
  const { cpu, cores } = currentEnvironment();
  const measuredOn = `${environment.cpu}, ${environment.cores} cores`;
  const rest = `${measuredOn}; ${benchmark}), one training at a time, each at the speed of the network there most like it`;
  return environment.cpu === cpu && environment.cores === cores
    ? [`hours here: from speeds measured on such a machine (${rest}`]
    : [
        `hours here: from speeds measured elsewhere (${rest}`,
        `  this machine is ${cpu}, ${cores} cores: measure it with "cascade bench --out <file>" and give --benchmark <file>`,
      ];
}

function deviceNotes({ peak, share }: AssumedDevice): string[] {
  return [
    "hours, GPU: an estimate that nobody measured. It assumes:",
    `  a peak of ${peak / 1e12} TFLOP/s (--gpu-peak); 19.5 is what NVIDIA states for an A100 in float32 without tensor cores`,
    `  ${100 * share} % of it reached in training and evaluation alike (--gpu-share), two operations a multiply-add`,
  ];
}
