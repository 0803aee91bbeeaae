import type { AnytimeModel } from "../../../lib/studies/evidence/anytime-models.js";
import { PairedArms } from "../../../lib/studies/evidence/paired-arms.js";
import { tinyRunSpec } from "../../experiments/tiny-run.js";

export const SEEDS = [0, 1, 2];

/** A model whose accuracy over time is given; its speed-accuracy curve is that of deadlines, a unit of cost a step. */
export function madeModel(model: string, seed: number, accuracy: readonly number[]): AnytimeModel {
  const curve = accuracy.map((share, t) => ({
    threshold: t / 10,
    meanStoppingTime: t,
    accuracy: share,
    meanMultiplyAdds: t,
    meanMilliseconds: t,
  }));
  return {
    model,
    seed,
    run: `${model}-${seed}`,
    spec: tinyRunSpec("cascaded-td"),
    examples: 100,
    accuracy: [...accuracy],
    curve,
    deadlines: curve,
    crossEntropy: accuracy.map(() => 1),
    confidence: accuracy.map(() => 0.5),
    calibrationError: accuracy.map(() => 0.1),
    overthinking: { destructive: 0, wasteful: 0, oracleAccuracy: 1 },
    multiplyAdds: accuracy.map((_, t) => t),
    milliseconds: accuracy.map((_, t) => t),
    withoutGroup: [],
    trainingSeconds: 1,
    imagesPerSecond: 1,
  };
}

/**
 * Arms with the accuracies given, of three seeds: all arms differ by the same five points from seed to seed, and each
 * by a tenth of a point of its own.
 */
export function madeArms(accuracies: Readonly<Record<string, readonly number[]>>): PairedArms<AnytimeModel> {
  const results = Object.entries(accuracies).flatMap(([arm, accuracy], place) =>
    SEEDS.map((seed) => {
      const shift = 0.05 * (seed - 1) + 0.0005 * (((seed + place) % 3) - 1);
      return {
        arm,
        seed,
        measured: madeModel(
          arm,
          seed,
          accuracy.map((share) => share + shift),
        ),
      };
    }),
  );
  return new PairedArms(results);
}
