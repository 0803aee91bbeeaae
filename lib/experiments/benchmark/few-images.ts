import { startRun } from "../../models/evaluation.js";
import { parameterCount } from "../../models/anytime-network.js";
import { networkCost } from "../../models/cost.js";
import { disposeEvaluationPass, disposeState, evaluationPass, initialState } from "../../models/state.js";
import { scoped, tf } from "../../nn/tensorflow.js";
import { constantTimeline } from "../../nn/timeline.js";
import {
  benchmarkImages,
  type BenchmarkCase,
  benchmarkNetwork,
  FULL,
  QUARTER,
  type Spread,
  spreadOf,
} from "./benchmark.js";

/** Full width and a quarter of it, parallel and serial as published, one image to sixteen, in both precisions. */
export const FEW_IMAGES_CASES: readonly BenchmarkCase[] = [FULL, QUARTER].flatMap((size) =>
  (["parallel", "serial"] as const).flatMap((scheme) =>
    [1, 2, 4, 8, 16].flatMap((batch) =>
      (["float32", "mixed"] as const).map((precision) => ({
        ...size,
        scheme,
        batch,
        precision,
        name: `${size.name}${scheme === "serial" ? ", serial" : ""}, batch ${batch}${precision === "mixed" ? ", mixed" : ""}`,
      })),
    ),
  ),
);

/** Milliseconds until the answers of few images are there, by a network that was opened before. */
export interface FewImagesMeasurement {
  readonly case: string;
  /** All timesteps, asked for at once. */
  readonly all: Spread;
  /** The answer at t = 2, where no more is asked for. */
  readonly second: Spread;
  /** The least that this machine's arithmetic and memory allow, over what was measured for all timesteps. */
  readonly shareOfLimit: number;
}

/** What a machine can do: multiply-adds, and bytes read from memory, a second. */
export interface MachineLimits {
  readonly multiplyAdds: number;
  readonly bytes: number;
}

/** A network opened once, which answers for the same images again and again. */
export class TimedAnswers {
  readonly #network;
  readonly #state;
  readonly #pass;
  readonly #images;

  constructor(readonly spec: BenchmarkCase) {
    this.#network = benchmarkNetwork(spec);
    this.#state = initialState(this.#network, 0);
    this.#pass = evaluationPass(this.#network, this.#state, spec.precision);
    this.#images = benchmarkImages(spec.batch);
  }

  /** Milliseconds from the images to all answers up to timestep t. */
  until(t: number): number {
    const begun = performance.now();
    const images = {
      values: this.#images,
      timeline: constantTimeline(this.#network.timesteps, this.spec.batch),
    };
    const run = startRun(this.#network, this.#pass, images, this.spec.batch);
    run.advance(t);
    const elapsed = performance.now() - begun;
    run.dispose();
    return elapsed;
  }

  /** Milliseconds to all answers. */
  all(): number {
    return this.until(this.#network.timesteps - 1);
  }

  /**
   * Milliseconds below which all answers cannot be had where every distinct product is taken and every weight read once: 4
   * bytes, or 2 in mixed precision.
   */
  limit({ multiplyAdds, bytes }: MachineLimits): number {
    const products = this.spec.batch * (networkCost(this.#network, 32).distinct.at(-1) ?? 0);
    const read = (this.spec.precision === "mixed" ? 2 : 4) * parameterCount(this.#network);
    return 1000 * Math.max(products / multiplyAdds, read / bytes);
  }

  dispose(): void {
    disposeEvaluationPass(this.#pass);
    disposeState(this.#state);
    this.#images.dispose();
  }
}

/** The first round opens the program and does not count. */
export function measureFewImages(
  spec: BenchmarkCase,
  rounds: number,
  limits: MachineLimits,
): FewImagesMeasurement {
  const timed = new TimedAnswers(spec);
  const spread = (run: () => number): Spread => {
    run();
    return spreadOf(Array.from({ length: rounds }, run));
  };
  try {
    const all = spread(() => timed.all());
    const second = spread(() => timed.until(2));
    return { case: spec.name, all, second, shareOfLimit: timed.limit(limits) / all.median };
  } finally {
    timed.dispose();
  }
}

/** Bytes a second that are read from memory, by the sum of more numbers than any cache holds: the best of a few. */
export function memoryBandwidth(): number {
  const count = 2 ** 26;
  return scoped(() => {
    const values = tf.ones([count]);
    const times = Array.from({ length: 6 }, () => {
      const begun = performance.now();
      tf.sum(values).dataSync();
      return performance.now() - begun;
    });
    return (1000 * 4 * count) / Math.min(...times);
  });
}
