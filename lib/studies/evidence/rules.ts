import { type Estimate, pValueAbove } from "../../util/student-t.js";

/**
 * How a contrast, estimated over seeds and images, decides a finding: by the p-value of what the finding denies. It holds
 * where that is at most `LEVEL`, so that of findings that are wrong one in twenty is taken to hold. One seed decides
 * nothing.
 */
export interface Rule {
  /** As the sentence of a finding ends with it. */
  readonly text: string;
  /** NaN where nothing tells the error of the estimate. */
  readonly pValue: (estimate: Estimate) => number;
}

/** Risk of taking to hold what does not. */
export const LEVEL = 0.05;

/** Less than so many points apart is "as accurate": the paper's figure has 91.5 and 92 % where it says so. */
export const SAME_POINTS = 1;
/** Less than so many points behind is "about as accurate", "within a few points". */
export const NEAR_POINTS = 5;

const negated = (estimate: Estimate): Estimate => ({ ...estimate, mean: -estimate.mean });

/** The mean is above a value: one-sided t-test. */
export function isAbove(bound: number): Rule {
  return {
    text: `mean above ${bound}, one-sided t-test over seeds and images`,
    pValue: (estimate) => pValueAbove(estimate, bound),
  };
}

/** The mean is below a value: one-sided t-test. */
export function isBelow(bound: number): Rule {
  return {
    text: `mean below ${bound}, one-sided t-test over seeds and images`,
    pValue: (estimate) => pValueAbove(negated(estimate), -bound),
  };
}

/** One arm is above another: one-sided paired t-test. */
export const isAhead: Rule = { ...isAbove(0), text: "ahead, one-sided t-test paired by seed and image" };

const points = (margin: number): string => `${margin} point${margin === 1 ? "" : "s"}`;

/** One arm is not behind another by `margin` points or more: non-inferiority, one-sided paired t-test. */
export function isNotBehind(margin: number): Rule {
  return {
    text: `less than ${points(margin)} behind, one-sided t-test paired by seed and image`,
    pValue: isAbove(-margin).pValue,
  };
}

/**
 * Two arms differ by less than `margin` points: equivalence by two one-sided tests (Schuirmann 1987), so a difference that is
 * merely not seen does not count as none.
 */
export function isSame(margin: number): Rule {
  return {
    text: `less than ${points(margin)} apart, two one-sided t-tests paired by seed and image`,
    pValue: (estimate) => Math.max(isAbove(-margin).pValue(estimate), isBelow(margin).pValue(estimate)),
  };
}
