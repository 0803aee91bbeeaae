import { jackknifeError } from "../../util/statistics.js";
import { type Estimate, estimateInterval, estimateOf, holmAdjusted } from "../../util/student-t.js";
import { intervalText, pValueText, signed, type Unit } from "./format.js";
import { LEVEL, type Rule } from "./rules.js";

/** Numbers that a rule decides on, one a seed: by how much one arm is above another, or what one arm has. */
export interface Contrast {
  /** What it is of: "CascadedTD over CascadedCE". */
  readonly of: string;
  readonly values: readonly number[];
  /** The mean over seeds on all images but those of each group; left out where it is of no images, or they are not known. */
  readonly withoutGroup?: readonly number[];
  /** Seeds that were run; those that diverged gave no value. */
  readonly seeds: number;
  readonly unit: Unit;
}

export type Outcome = "holds" | "does not hold" | "not decided";

/** A part of a claim before it is decided. */
export interface Statement {
  readonly statement: string;
  /** Who claims it: the paper's authors, or this project. */
  readonly by: "paper" | "project";
  /** Whether it is an end point: the verdict on the claim follows from these alone. */
  readonly carries?: true;
}

/**
 * The mean of a contrast with its standard error from two sources, added in squares: the seeds of the trainings, and the
 * images that happened to be in the test set, with the noise drawn for them (jackknife over groups of images). What is the
 * chance of a seed on an image counts in both, so the error is rather too large than too small.
 */
function contrastEstimate({ values, withoutGroup }: Contrast): Estimate {
  if (withoutGroup === undefined) return estimateOf(values);
  return estimateOf(values, { error: jackknifeError(withoutGroup), degrees: withoutGroup.length - 1 });
}

/** What a contrast came to: its mean with the 90 % interval, whose ends the one-sided tests at 5 % look at. */
export interface MeasuredContrast {
  readonly of: string;
  /** NaN where every seed diverged. */
  readonly mean: number;
  /** NaN below two values. */
  readonly low: number;
  readonly high: number;
  /** Standard error of the mean that comes from the choice of test images; left out where it is not known. */
  readonly imageError?: number;
  readonly n: number;
}

/** A checkable part of a claim, decided. */
export interface Finding {
  /** With the rule that decides it. */
  readonly statement: string;
  readonly by: "paper" | "project";
  readonly carries: boolean;
  /** The numbers in words. */
  readonly measured: string;
  readonly contrasts: readonly MeasuredContrast[];
  /** Of the least certain contrast; null where it is a count that needs no test, or where nothing could be decided. */
  readonly pValue: number | null;
  /** With Holm's correction over the findings that carry the claim; equal to `pValue` for those that do not. */
  readonly adjustedPValue: number | null;
  readonly outcome: Outcome;
}

/** A finding whose outcome waits for the others of its claim. */
export interface Draft {
  readonly finding: Omit<Finding, "adjustedPValue" | "outcome">;
  /** Where no test decides it. */
  readonly counted?: boolean;
}

/** A statement that a rule decides. It holds if the rule holds for every contrast (an intersection-union test). */
export function finding(
  { statement, by, carries }: Statement,
  rule: Rule,
  contrasts: readonly Contrast[],
): Draft {
  // One contrast without a p-value makes this NaN, and so does the want of any.
  const pValue =
    contrasts.length === 0
      ? NaN
      : Math.max(...contrasts.map((contrast) => rule.pValue(contrastEstimate(contrast))));
  return {
    finding: {
      statement: `${statement} (rule: ${contrasts.length > 1 ? "each " : ""}${rule.text})`,
      by,
      carries: carries === true,
      measured: contrasts.map(contrastText).join("; "),
      contrasts: contrasts.map(measuredContrast),
      pValue: Number.isNaN(pValue) ? null : pValue,
    },
  };
}

/** A statement that is a matter of counting, and not of chance; `holds` is undefined where there is too little to count. */
export function counted(
  { statement, by, carries }: Statement,
  measured: string,
  holds: boolean | undefined,
): Draft {
  return {
    finding: { statement, by, carries: carries === true, measured, contrasts: [], pValue: null },
    ...(holds !== undefined && { counted: holds }),
  };
}

/**
 * Decides the findings of one claim. Those that carry it are decided together, by Holm's correction: with a probability
 * of 95 % none of them is wrongly taken to hold. Each of the others is decided at 5 % by itself.
 */
export function decided(drafts: readonly Draft[]): Finding[] {
  const endPoints = drafts.filter(({ finding: { carries, pValue } }) => carries && pValue !== null);
  const adjusted = holmAdjusted(endPoints.map(({ finding: { pValue } }) => pValue as number));
  return drafts.map((draft) => {
    const { pValue, measured } = draft.finding;
    const adjustedPValue = adjusted[endPoints.indexOf(draft)] ?? pValue;
    return {
      ...draft.finding,
      measured: [measured, ...testText(pValue, adjustedPValue)].join("; "),
      adjustedPValue,
      outcome: outcomeOf(draft, adjustedPValue),
    };
  });
}

function outcomeOf({ counted: holds }: Draft, pValue: number | null): Outcome {
  if (holds !== undefined) return holds ? "holds" : "does not hold";
  if (pValue === null) return "not decided";
  return pValue <= LEVEL ? "holds" : "does not hold";
}

function testText(pValue: number | null, adjusted: number | null): string[] {
  if (pValue === null || adjusted === null) return [];
  return [
    pValueText(pValue),
    ...(adjusted > pValue ? [`with Holm's correction ${pValueText(adjusted)}`] : []),
  ];
}

function measuredContrast(contrast: Contrast): MeasuredContrast {
  const { of, values, withoutGroup } = contrast;
  const estimate = contrastEstimate(contrast);
  return {
    of,
    mean: estimate.mean,
    ...estimateInterval(estimate, 1 - 2 * LEVEL),
    ...(withoutGroup && { imageError: jackknifeError(withoutGroup) }),
    n: values.length,
  };
}

/** Without one of the groups of images the quantity may not be defined, and then its error is not either. */
const imagesText = (error: number, digits: number): string =>
  Number.isNaN(error) ? "images ± unknown" : `images ± ${error.toFixed(digits)}`;

/** "CascadedTD over CascadedCE +9.8 points (90 % interval +8.1 to +11.5; n = 3, 1 seed diverged)". */
function contrastText(contrast: Contrast): string {
  const { values, seeds, unit } = contrast;
  const { of, mean: centre, low, high, imageError, n } = measuredContrast(contrast);
  const lost = seeds - values.length;
  const isDefined = !Number.isNaN(centre);
  const facts = [
    ...(Number.isNaN(low) ? [] : [`90 % interval ${intervalText({ low, high }, unit.digits)}`]),
    ...(imageError === undefined || !isDefined ? [] : [imagesText(imageError, unit.digits)]),
    `n = ${n}${lost === 0 ? "" : `, ${lost} seed${lost === 1 ? "" : "s"} diverged`}`,
  ];
  const size = isDefined ? `${signed(centre, unit.digits)}${unit.difference}` : "not defined";
  return `${of} ${size} (${facts.join("; ")})`;
}

export type Verdict = "reproduced" | "in part" | "not reproduced" | "not tested here";

/** What the findings that carry a claim say of it: that all of them hold, some, or none; or that none was decided. */
export function verdictOf({ findings }: { readonly findings: readonly Finding[] }): Verdict {
  const outcomes = findings.filter(({ carries }) => carries).map(({ outcome }) => outcome);
  if (outcomes.every((outcome) => outcome === "not decided")) return "not tested here";
  if (outcomes.every((outcome) => outcome === "holds")) return "reproduced";
  return outcomes.includes("holds") ? "in part" : "not reproduced";
}
