import { mean } from "../../../util/statistics.js";
import { meanInterval } from "../../../util/student-t.js";
import { intervalText, meanAndError, signed } from "../../evidence/format.js";
import { differencesBySeed, isOf, type NormConstants } from "./choice.js";
import type { StabilityTraining } from "./stability-training.js";
import type { TableRow } from "../../study.js";

const QUANTITIES = ["t = 2", "t = 3", "last", "area"] as const;

/** One row for each size, model and pair of constants. */
export function constantsRows(
  trainings: readonly StabilityTraining[],
  { epsilons, momenta }: { readonly epsilons: readonly number[]; readonly momenta: readonly number[] },
  publishedOf: (arm: string) => NormConstants,
): TableRow[] {
  const places = new Map(trainings.map(({ size, arm }) => [`${size} ${arm}`, { size, arm }] as const));
  const pairs = epsilons.flatMap((epsilon) => momenta.map((momentum) => ({ epsilon, momentum })));
  return [...places.values()].flatMap(({ size, arm }) => {
    const own = trainings.filter((one) => one.size === size && one.arm === arm);
    return pairs.map((constants) => {
      const trained = own.filter(isOf(constants));
      const count = (outcome: StabilityTraining["outcome"]): number =>
        trained.filter((one) => one.outcome === outcome).length;
      const cells = QUANTITIES.map(
        (name) => [name, accuracyCell(own, publishedOf(arm), constants, name)] as const,
      );
      return {
        size,
        model: arm,
        ...constants,
        n: trained.length,
        diverged: count("diverged"),
        "at chance": count("at chance"),
        ...Object.fromEntries(cells),
      };
    });
  });
}

/** "43.1 ± 1.2 (-1.0, -2.5 to +0.5)"; empty where no training has the number. */
function accuracyCell(
  trainings: readonly StabilityTraining[],
  published: NormConstants,
  constants: NormConstants,
  name: string,
): string {
  const values = trainings.filter(isOf(constants)).flatMap(({ accuracies }) => accuracies[name] ?? []);
  if (values.length === 0) return "";
  const own = meanAndError(values);
  const differences = differencesBySeed(trainings, published, constants, name);
  if (isOf(published)(constants) || differences.length === 0) return own;
  const interval = meanInterval(differences);
  const change = signed(mean(differences));
  return Number.isNaN(interval.low) ? `${own} (${change})` : `${own} (${change}, ${intervalText(interval)})`;
}

/** Every run: what became of it, and its accuracies in %. */
export function runRowsOf(trainings: readonly StabilityTraining[]): TableRow[] {
  const cells = (prefix: string, accuracy: readonly number[]): TableRow =>
    Object.fromEntries(accuracy.map((share, t) => [`${prefix}, t = ${t}`, share]));
  return trainings.map(({ size, arm, epsilon, momentum, seed, run, outcome, heldOut, test }) => ({
    size,
    model: arm,
    epsilon,
    momentum,
    seed,
    run,
    outcome,
    ...cells("held out", heldOut),
    ...cells("test", test),
  }));
}
