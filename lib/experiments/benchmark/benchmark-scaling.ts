import { BENCHMARK_CASES, type BenchmarkCase, QUARTER, spreadOf, TimedNetwork } from "./benchmark.js";

/** What the cost of an image is shown to depend on. */
export type ScalingVariable = "timesteps" | "width" | "depth" | "batch" | "threads";

/** Time of one image at one value of one variable, all else as in the quarter-width case. */
export interface ScalingPoint {
  readonly variable: ScalingVariable;
  readonly value: number;
  readonly precision: BenchmarkCase["precision"];
  /** Milliseconds an image, medians: of a training step, and of evaluating all timesteps. */
  readonly training: number;
  readonly evaluation: number;
}

const PRECISIONS = ["float32", "mixed"] as const;

/** The cases that vary one thing each. Threads are fixed when TensorFlow starts: see `cascade profile`. */
export function scalingCases(): { variable: ScalingVariable; value: number; spec: BenchmarkCase }[] {
  const vary = <Variable extends ScalingVariable, Value extends number>(
    variable: Variable,
    values: readonly Value[],
    change: (value: Value) => Partial<BenchmarkCase>,
  ) =>
    values.flatMap((value) =>
      PRECISIONS.map((precision) => ({
        variable,
        value,
        spec: { ...QUARTER, ...change(value), name: `${variable} ${value}, ${precision}`, precision },
      })),
    );
  return [
    ...vary("timesteps", [2, 4, 9, 18, 35, 70], (timesteps) => ({ timesteps })),
    ...vary("width", [0.0625, 0.125, 0.25, 0.5, 1], (width) => ({ width })),
    ...vary("depth", [18, 34, 50], (depth) => ({ depth, timesteps: depth === 18 ? 9 : 17 })),
    ...vary("batch", [8, 32, 128, 512], (batch) => ({ batch })),
  ];
}

/** Times one case; the first round warms up and does not count. */
export function timePerImage(
  spec: BenchmarkCase,
  rounds: number,
): Pick<ScalingPoint, "training" | "evaluation"> {
  const timed = new TimedNetwork(spec);
  const median = (run: () => number): number => {
    run();
    return spreadOf(Array.from({ length: rounds }, run)).median / spec.batch;
  };
  const times = { training: median(() => timed.train()), evaluation: median(() => timed.evaluate()) };
  timed.dispose();
  return times;
}

/** The cases whose time is taken apart. */
export const SHARED_OUT_CASES: readonly BenchmarkCase[] = BENCHMARK_CASES.filter(
  ({ timesteps, delay }) => timesteps === 9 && delay.kind === "oneStepDelay",
);
