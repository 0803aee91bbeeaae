import { mean } from "../../../util/statistics.js";
import { meanInterval } from "../../../util/student-t.js";

/** Constants of a batch norm. */
export interface NormConstants {
  readonly epsilon: number;
  readonly momentum: number;
}

/** One training with one pair of constants, measured on the images that it held out. */
export interface ValidatedTraining extends NormConstants {
  /** What was trained on which images: what is compared is equal in it. */
  readonly arm: string;
  readonly size: string;
  readonly seed: number;
  /** It diverged, or stayed at chance. */
  readonly failed: boolean;
  /** Accuracies in %, by name; none where it diverged. */
  readonly accuracies: Readonly<Record<string, number>>;
}

/** How much less accurate a constant must be than another to lose its place, in points. */
const CLEAR_POINTS = 1;

/** How many more trainings must fail with a constant than with another for it to lose its place. */
const CLEAR_FAILURES = 3;

/** Written down before any result was looked at. */
export const CHOICE_RULE =
  "the published value stays unless another is clearly better. That one must fail (diverge, or stay at chance) in no " +
  `more trainings, and either fail in at least ${CLEAR_FAILURES} fewer, or be more accurate on held-out images, at the ` +
  `last step or in area, at one of the sizes: on average over models by more than ${CLEAR_POINTS} point, and with the ` +
  "whole 95 % interval (paired by seed) above zero. Epsilon is chosen first, with a momentum of 0.1, then the momentum";

/** Differences in favour of `other` by seed, each the mean over arms, where both trainings gave a model. */
export function differencesBySeed(
  trainings: readonly ValidatedTraining[],
  published: NormConstants,
  other: NormConstants,
  quantity: string,
): number[] {
  const seeds = [...new Set(trainings.map(({ seed }) => seed))];
  return seeds.flatMap((seed) => {
    const ofSeed = trainings.filter((one) => one.seed === seed);
    const differences = ofSeed.filter(isOf(other)).flatMap((theirs) => {
      const own = ofSeed.find((one) => isOf(published)(one) && one.arm === theirs.arm);
      const difference = (theirs.accuracies[quantity] ?? NaN) - (own?.accuracies[quantity] ?? NaN);
      return Number.isNaN(difference) ? [] : [difference];
    });
    return differences.length === 0 ? [] : [mean(differences)];
  });
}

export const isOf =
  ({ epsilon, momentum }: NormConstants) =>
  (one: NormConstants): boolean =>
    one.epsilon === epsilon && one.momentum === momentum;

/** What decides against the published constants, and for the others. */
export interface Candidate extends NormConstants {
  readonly failures: number;
  /** Largest lead over the published ones that counts as clear, in points; 0 if there is none. */
  readonly clearLead: number;
}

const QUANTITIES = ["last", "area"] as const;

/** Compares constants with the published ones; those that fail less or lead clearly stand out. */
function compareConstants(
  trainings: readonly ValidatedTraining[],
  published: NormConstants,
  other: NormConstants,
): Candidate {
  const sizes = [...new Set(trainings.map(({ size }) => size))];
  const leads = sizes.flatMap((size) =>
    QUANTITIES.map((quantity) => {
      const ofSize = trainings.filter((one) => one.size === size);
      const differences = differencesBySeed(ofSize, published, other, quantity);
      const isClear = mean(differences) > CLEAR_POINTS && meanInterval(differences).low > 0;
      return isClear ? mean(differences) : 0;
    }),
  );
  const failures = trainings.filter((one) => isOf(other)(one) && one.failed).length;
  return { ...other, failures, clearLead: Math.max(0, ...leads) };
}

/** The constants that the rule chooses among `candidates`, the published ones being one of them. */
export function chosenConstants(
  trainings: readonly ValidatedTraining[],
  published: NormConstants,
  candidates: readonly NormConstants[],
): NormConstants {
  const own = compareConstants(trainings, published, published);
  const [better] = candidates
    .map((other) => compareConstants(trainings, published, other))
    .filter(
      ({ failures, clearLead }) =>
        failures <= own.failures && (own.failures - failures >= CLEAR_FAILURES || clearLead > 0),
    )
    .sort((a, b) => a.failures - b.failures || b.clearLead - a.clearLead);
  return better === undefined ? published : { epsilon: better.epsilon, momentum: better.momentum };
}
