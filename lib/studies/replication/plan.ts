import { z } from "zod";
import type { SourceShape } from "../../datasets/source-shape.js";
import { BENCHMARK_CASES, type BenchmarkCase } from "../../experiments/benchmark/benchmark.js";
import { isCascade, widthOf } from "../../experiments/specs/network-spec.js";
import { type RunSpec } from "../../experiments/specs/spec.js";
import { networkCost } from "../../models/cost.js";
import { UserError } from "../../util/errors.js";
import { readJson } from "../../util/json-file.js";
import type { Training } from "./replication.js";
import { imagesOfSplit, imagesOfTraining } from "./training-status.js";
import { modelViews, trainedNetwork } from "../../experiments/specs/model-views.js";

/** What a training has to compute. */
export interface Workload {
  /** Images gone through in training, each counted once an epoch. */
  readonly images: number;
  /** Multiply-adds of training: three forward passes an image, one of them for the gradients of each factor. */
  readonly training: number;
  /** Multiply-adds of evaluation: the held-out images after every epoch, and the test images with each model. */
  readonly evaluation: number;
}

/** Counts the multiply-adds of a training from its network, with equal timesteps computed once. */
export function workloadOf(spec: RunSpec, shape: SourceShape): Workload {
  const { classes, side } = shape;
  const forward = networkCost(trainedNetwork(spec, classes, side), side).distinct.at(-1) ?? 0;
  const images = imagesOfTraining(spec, shape);
  const validation = spec.train.epochs * imagesOfSplit(spec, shape).validation * forward;
  const test = modelViews(spec, classes, side).map(
    ({ network }) => (spec.testImages ?? shape.test) * (networkCost(network, side).distinct.at(-1) ?? 0),
  );
  return {
    images,
    training: 3 * forward * images,
    evaluation: test.reduce((sum, cost) => sum + cost, validation),
  };
}

const benchmarkSchema = z.object({
  environment: z.object({ cpu: z.string(), cores: z.number() }),
  measurements: z.array(
    z.object({
      case: z.string(),
      what: z.enum(["training step", "evaluation"]),
      multiplyAddsPerSecond: z.number().positive(),
    }),
  ),
});

/** What `cascade bench --out` wrote. */
export type MeasuredSpeeds = z.output<typeof benchmarkSchema>;

export function readMeasuredSpeeds(path: string): MeasuredSpeeds {
  return readJson(path, benchmarkSchema, `measure with "cascade bench --out ${path}"`);
}

/** Hours of a workload at the measured speed of the benchmark's network that is most like the spec's. */
export function measuredHours(
  spec: RunSpec,
  { training, evaluation }: Workload,
  speeds: MeasuredSpeeds,
): number {
  const { name } = nearestCase(spec, speeds);
  const speedOf = (what: MeasuredSpeeds["measurements"][number]["what"]): number =>
    speeds.measurements.find((measured) => measured.case === name && measured.what === what)
      ?.multiplyAddsPerSecond ?? NaN;
  return (training / speedOf("training step") + evaluation / speedOf("evaluation")) / 3600;
}

/** Architecture and kind of network first, then precision, then the nearest width: how fast a network is depends most on these. */
function nearestCase({ network, train }: RunSpec, { measurements }: MeasuredSpeeds): BenchmarkCase {
  // Of an ordinary or multi-exit network every block is evaluated once, of a serial one once or twice.
  const parallel = isCascade(network) && network.scheme === "parallel" ? network : undefined;
  const scheme = parallel === undefined ? "serial" : "parallel";
  const distance = (other: BenchmarkCase): number =>
    ((other.dense !== undefined) === (network.architecture === "densenet") ? 0 : 1000) +
    (other.scheme === scheme ? 0 : 100) +
    (parallel === undefined || other.delay.kind === parallel.delay.kind ? 0 : 20) +
    (other.precision === (train.precision ?? "float32") ? 0 : 10) +
    Math.abs(Math.log2(other.width / widthOf(network)));
  const measured = BENCHMARK_CASES.filter(({ name }) => measurements.some((one) => one.case === name));
  const [nearest] = [...measured].sort((a, b) => distance(a) - distance(b));
  if (nearest === undefined) throw new UserError('the benchmark has none of the cases of "cascade bench"');
  return nearest;
}

/** Hours of a workload on a device that does so many multiply-adds a second. */
export function hoursAtSpeed({ training, evaluation }: Workload, multiplyAddsPerSecond: number): number {
  return (training + evaluation) / multiplyAddsPerSecond / 3600;
}

/** What one study adds on one data set. */
export interface PlanRow {
  readonly data: string;
  readonly study: string;
  /** Trainings that no study before it asked for. */
  readonly trainings: number;
  readonly images: number;
  readonly multiplyAdds: number;
  readonly measuredHours: number;
  readonly gpuHours: number;
}

/** Trainings that are planned together, under the names that the plan shows. */
export interface PlannedPart {
  readonly data: { readonly name: string };
  readonly study: { readonly name: string };
  readonly trainings: readonly Training[];
}

/** One row a part, each training counted where it is first asked for. */
export function planRows(
  parts: readonly PlannedPart[],
  shapeOf: (training: Training) => SourceShape,
  speeds: MeasuredSpeeds,
  gpuSpeed: number,
): PlanRow[] {
  const counted = new Set<string>();
  return parts.map(({ data, study, trainings }) => {
    const fresh = trainings.filter(({ directory }) => !counted.has(directory));
    for (const { directory } of fresh) counted.add(directory);
    const works = fresh.map((training) => ({
      spec: training.spec,
      work: workloadOf(training.spec, shapeOf(training)),
    }));
    const total = (value: (one: (typeof works)[number]) => number): number =>
      works.reduce((sum, one) => sum + value(one), 0);
    return {
      data: data.name,
      study: study.name,
      trainings: fresh.length,
      images: total(({ work }) => work.images),
      multiplyAdds: total(({ work }) => work.training + work.evaluation),
      measuredHours: total(({ spec, work }) => measuredHours(spec, work, speeds)),
      gpuHours: total(({ work }) => hoursAtSpeed(work, gpuSpeed)),
    };
  });
}

/** The sums of all rows, under the name `data`. */
export function totalOf(data: string, rows: readonly PlanRow[]): PlanRow {
  const total = (value: (row: PlanRow) => number): number => rows.reduce((sum, row) => sum + value(row), 0);
  return {
    data,
    study: "",
    trainings: total(({ trainings }) => trainings),
    images: total(({ images }) => images),
    multiplyAdds: total(({ multiplyAdds }) => multiplyAdds),
    measuredHours: total((row) => row.measuredHours),
    gpuHours: total((row) => row.gpuHours),
  };
}
