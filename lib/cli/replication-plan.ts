import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { SourceShape } from "../datasets/source-shape.js";
import { currentEnvironment } from "../experiments/runs/environment.js";
import { DONE } from "../experiments/runs/done-record.js";
import {
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
  /** Multiply-adds a second, in thousands of millions. */
  readonly gpuSpeed: number;
}

/** Training a full-width ResNet-18 on an NVIDIA H200, in float32, from data/results/other-machines.json: a step of 128 images in 781 ms. */
export const MEASURED_ON_A_GPU = 295;

/** The options that say what a plan's hours rest on. */
export function withPlanOptions(command: Command): Command {
  return command
    .option(
      "--benchmark <file>",
      "for --plan: what cascade bench --out wrote",
      join("data", "results", "benchmark.json"),
    )
    .option(
      "--gpu-speed <G multiply-adds/s>",
      "for --plan: speed of a GPU in training",
      numberBetween(0.1, 1e6),
      MEASURED_ON_A_GPU,
    );
}

/** What `--plan` of replicate and sweep says: trainings, images, multiply-adds and hours, and what the hours rest on. */
export function printPlan(
  parts: readonly PlannedPart[],
  shapeOf: (training: Training) => SourceShape,
  { runs, benchmark, gpuSpeed }: PlanOptions,
): void {
  const perSecond = gpuSpeed * 1e9;
  const speeds = readMeasuredSpeeds(benchmark);
  const rows = planRows(parts, shapeOf, speeds, perSecond);
  const isMissing = ({ directory }: Training): boolean => !existsSync(join(runs, directory, DONE));
  const left = parts.map((part) => ({ ...part, trainings: part.trainings.filter(isMissing) }));
  writeOut(line(["data", "study", "trainings", "images", "multiply-adds", "hours here", "hours, GPU"]));
  for (const row of [
    ...rows,
    totalOf("all", rows),
    totalOf("left", planRows(left, shapeOf, speeds, perSecond)),
  ])
    writeOut(line(fieldsOf(row)));
  for (const text of [...speedNotes(speeds, benchmark), ...gpuNotes(gpuSpeed)]) writeOut(text);
  writeOut(
    "trainings: a training that several studies need is counted with the first of them. Multiply-adds: of training " +
      "(three forward passes an image) and evaluation; the studies' own analyses come on top",
  );
}

function line(fields: readonly string[]): string {
  return fields.map((field, i) => (i < 2 ? field.padEnd(14) : field.padStart(14))).join(" ");
}

function fieldsOf(row: PlanRow): string[] {
  const { data, study, trainings, images, multiplyAdds, measuredHours, gpuHours } = row;
  return [
    data,
    study,
    String(trainings),
    count(images),
    multiplyAdds.toExponential(2),
    measuredHours.toFixed(1),
    gpuHours.toFixed(1),
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

function gpuNotes(gpuSpeed: number): string[] {
  return [
    `hours, GPU: at ${gpuSpeed} G multiply-adds/s (--gpu-speed); ${MEASURED_ON_A_GPU} is what TensorFlow's operations reached`,
    "  on an NVIDIA H200 in training a full-width ResNet-18; narrower networks reach less",
  ];
}
