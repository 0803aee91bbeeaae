import { timeOperations } from "../../nn/backend/native-operation.js";
import { type BenchmarkCase, TimedNetwork } from "./benchmark.js";

/** Kinds of work, in the order in which a bar is stacked. */
export const TIME_KINDS = ["convolution", "normalization", "delay and pooling", "other", "idle"] as const;

export type TimeKind = (typeof TIME_KINDS)[number];

/** Where the time of one case goes. */
export interface TimeShares {
  readonly case: string;
  readonly what: "training step" | "evaluation";
  readonly milliseconds: Readonly<Record<TimeKind, number>>;
}

const KIND_OF_OPERATION: readonly (readonly [RegExp, TimeKind])[] = [
  [/^(Conv2D|CascadeConvolve)/, "convolution"],
  [/^(CascadeNormalize|CascadeScaleAndShift)/, "normalization"],
  [/^(CascadeMerge|CascadeMaxPool)/, "delay and pooling"],
];

/** Kind of work that a TensorFlow operation does; the head is a convolution of maps of one position. */
export function kindOfOperation(name: string): TimeKind {
  return KIND_OF_OPERATION.find(([pattern]) => pattern.test(name))?.[1] ?? "other";
}

/**
 * Takes training and evaluation of one case apart, each the mean of `rounds`: operations by their kind, and as idle
 * what lies between them, where no operation runs but JavaScript.
 */
export function timeShares(spec: BenchmarkCase, rounds: number): TimeShares[] {
  const timed = new TimedNetwork(spec);
  const shares = (
    [
      ["training step", () => timed.train()],
      ["evaluation", () => timed.evaluate()],
    ] as const
  ).map(([what, run]): TimeShares => {
    run();
    let total = 0;
    const milliseconds = { convolution: 0, normalization: 0, "delay and pooling": 0, other: 0, idle: 0 };
    const operations = timeOperations(() => {
      for (let round = 0; round < rounds; round++) total += run();
    });
    for (const [name, spent] of operations) milliseconds[kindOfOperation(name)] += spent / rounds;
    const busy = TIME_KINDS.reduce((sum, kind) => sum + milliseconds[kind], 0);
    return {
      case: spec.name,
      what,
      milliseconds: { ...milliseconds, idle: Math.max(0, total / rounds - busy) },
    };
  });
  timed.dispose();
  return shares;
}
