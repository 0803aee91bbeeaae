import { UserError } from "../util/errors.js";

/**
 * Answers, the better ones meant to come later: what each costs from the start on, and how good it is. Of a family of networks a
 * later one may cost less.
 */
export interface Answers {
  /** [T] */
  readonly costs: readonly number[];
  /** [T] */
  readonly accuracy: readonly number[];
}

/**
 * Accuracy of the last answer that a budget pays for, and `guessing` (1/K) where it pays for none:
 *
 *     accuracy within x = accuracy[max { t : costs[t] <= x }]
 */
export function accuracyWithin({ costs, accuracy }: Answers, budget: number, guessing: number): number {
  const t = costs.findLastIndex((cost) => cost <= budget);
  return t < 0 ? guessing : (accuracy[t] as number);
}

/**
 * Mean accuracy over all budgets from 0 to `end`, each as likely as any other (normalised area under a staircase, since an
 * answer stands until the next is there):
 *
 *     1/end ∫_0^end (accuracy within x) dx
 *
 * A UserError for an end that is not above 0.
 */
export function areaOverBudgets(answers: Answers, end: number, guessing: number): number {
  if (!(end > 0)) throw new UserError(`budgets must go up to something above 0, not ${end}`);
  const edges = [0, ...answers.costs.filter((cost) => cost < end).sort((a, b) => a - b), end];
  let area = 0;
  for (let i = 1; i < edges.length; i++) {
    const [left, right] = [edges[i - 1] as number, edges[i] as number];
    area += (right - left) * accuracyWithin(answers, left, guessing);
  }
  return area / end;
}
