import { from, type ColumnTable } from "arquero";
import { UserError } from "../util/errors.js";
import { mean, spearman, standardError } from "../util/statistics.js";
import { correctness } from "./probabilities.js";
import { stoppingTimes, type StoppingRule } from "./stopping-time.js";
import type { Trace } from "./trace.js";

/** Each example's answer under a stopping rule. */
export interface Selection {
  /** [N] selection latency: the stopping time. */
  readonly latencies: Int32Array;
  /** [N] 1 where the answer at the stopping time is right, else 0. */
  readonly right: Uint8Array;
}

/** When each example is answered under `rule`, and whether rightly. */
export function selection(trace: Trace, rule: StoppingRule): Selection {
  const latencies = stoppingTimes(trace, rule);
  const correct = correctness(trace);
  const right = Uint8Array.from(latencies, (t, n) => correct[t * trace.examples + n] as number);
  return { latencies, right };
}

/**
 * Spearman's rho between the C-scores [N] of the examples (1 = typical) and their selection latencies, the
 * stopping times under `rule`; negative where typical examples are classified sooner.
 */
export function typicalityCorrelation(trace: Trace, cScores: ArrayLike<number>, rule: StoppingRule): number {
  checkScores(trace, cScores);
  return spearman(cScores, stoppingTimes(trace, rule));
}

/**
 * Table of selection latency and correctness over bins of equal width of the C-score in [0, 1], upper edge open
 * but for the last; bins without examples are left out. Columns: [model,] lower, upper, cScore (mean), examples,
 * selectionLatency, latencyStandardError, accuracy, accuracyStandardError.
 */
export function typicalityTable(
  trace: Trace,
  cScores: ArrayLike<number>,
  rule: StoppingRule,
  bins = 10,
): ColumnTable {
  checkScores(trace, cScores);
  const outside = Array.from(cScores).findIndex((score) => score < 0 || score > 1);
  if (outside >= 0) {
    throw new UserError(`the C-score of example ${outside} is ${String(cScores[outside])}, outside [0, 1]`);
  }
  const bin = (n: number): number => Math.min(Math.floor((cScores[n] as number) * bins), bins - 1);
  const groups = latencyByGroup(trace, cScores, rule, bin, bins);
  return from(groups.map(({ group, row }) => ({ lower: group / bins, upper: (group + 1) / bins, ...row })));
}

/**
 * Table of the same by class: [model,] label, cScore (mean), examples, selectionLatency, latencyStandardError,
 * accuracy, accuracyStandardError, rho (of C-score and latency within the class; NaN where one is constant).
 */
export function typicalityByClassTable(
  trace: Trace,
  cScores: ArrayLike<number>,
  rule: StoppingRule,
): ColumnTable {
  checkScores(trace, cScores);
  const label = (n: number): number => trace.labels[n] as number;
  const groups = latencyByGroup(trace, cScores, rule, label, trace.classes);
  return from(groups.map(({ group, row, rho }) => ({ label: group, ...row, rho })));
}

function latencyByGroup(
  trace: Trace,
  cScores: ArrayLike<number>,
  rule: StoppingRule,
  groupOf: (example: number) => number,
  groups: number,
) {
  const selected = selection(trace, rule);
  const members: number[][] = Array.from({ length: groups }, () => []);
  for (let n = 0; n < trace.examples; n++) members[groupOf(n)]?.push(n);
  return members.flatMap((examples, group) => {
    if (examples.length === 0) return [];
    const scores = examples.map((n) => cScores[n] as number);
    const latencies = examples.map((n) => selected.latencies[n] as number);
    const right = examples.map((n) => selected.right[n] as number);
    const row = {
      ...(trace.model !== undefined && { model: trace.model }),
      cScore: mean(scores),
      examples: examples.length,
      selectionLatency: mean(latencies),
      latencyStandardError: standardError(latencies),
      accuracy: mean(right),
      accuracyStandardError: standardError(right),
    };
    return [{ group, row, rho: spearman(scores, latencies) }];
  });
}

function checkScores(trace: Trace, cScores: ArrayLike<number>): void {
  if (cScores.length !== trace.examples) {
    throw new UserError(`there are ${cScores.length} C-scores for ${trace.examples} examples of the trace`);
  }
  const missing = Array.from(cScores).findIndex((score) => !Number.isFinite(score));
  if (missing >= 0) {
    throw new UserError(
      `the C-score of example ${missing} (id ${String(trace.ids[missing])}) is ${String(cScores[missing])}; leave examples without a score out`,
    );
  }
}
