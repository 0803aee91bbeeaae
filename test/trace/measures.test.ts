import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { labelProbabilityFalls, monotonicityViolations } from "../../lib/trace/monotonicity.js";
import { overthinking } from "../../lib/trace/overthinking.js";
import { confidences, correctness, probabilities } from "../../lib/trace/probabilities.js";
import { brierScore, negativeLogLikelihood } from "../../lib/trace/proper-scores.js";
import {
  areaUnderRiskCoverage,
  failurePredictionAuroc,
  riskCoverage,
} from "../../lib/trace/selective-prediction.js";
import { firstInformedTimestep, traceFrom } from "../../lib/trace/subtrace.js";
import { timestepMeasures, traceMeasures } from "../../lib/trace/trace-measures.js";
import { UserError } from "../../lib/util/errors.js";
import { smallTraces, traceOfProbabilities } from "./made-traces.js";

const near = (actual: number | undefined, expected: number, what = ""): void => {
  assert.ok(Math.abs((actual ?? NaN) - expected) < 1e-9, `${what} ${String(actual)}, not ${expected}`);
};

/** One timestep: right and sure, right and unsure, wrong and unsure, wrong and rather sure. */
const fourAnswers = traceOfProbabilities(
  [
    [
      [0.9, 0.1],
      [0.6, 0.4],
      [0.45, 0.55],
      [0.2, 0.8],
    ],
  ],
  [0, 0, 0, 0],
);

test("likelihood and Brier score of four answers, by hand", () => {
  near(
    negativeLogLikelihood(fourAnswers)[0],
    -(Math.log(0.9) + Math.log(0.6) + Math.log(0.45) + Math.log(0.2)) / 4,
  );
  near(brierScore(fourAnswers)[0], (2 * 0.01 + 2 * 0.16 + 2 * 0.3025 + 2 * 0.64) / 4);
});

test("proper scores equal a sum over the probabilities; a hopeless answer has a finite likelihood", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      const { timesteps: T, examples: N, classes: K, labels } = trace;
      const p = probabilities(trace);
      for (let t = 0; t < T; t++) {
        let [likelihood, brier] = [0, 0];
        for (let n = 0; n < N; n++) {
          for (let k = 0; k < K; k++) {
            const own = p[(t * N + n) * K + k] ?? NaN;
            if (k === labels[n]) likelihood -= Math.log(own) / N;
            brier += (own - (k === labels[n] ? 1 : 0)) ** 2 / N;
          }
        }
        near(negativeLogLikelihood(trace)[t], likelihood);
        near(brierScore(trace)[t], brier);
      }
    }),
  );
  const hopeless = { ...fourAnswers, logits: Float64Array.from([-2000, 0, 0, 0, 0, 0, 0, 0]) };
  near(negativeLogLikelihood(hopeless)[0], (2000 + 3 * Math.log(2)) / 4);
});

test("risk and coverage of four answers, by hand; ties share their errors", () => {
  // Confidence 0.9 right, 0.8 wrong, 0.6 right, 0.55 wrong.
  const risk = riskCoverage(confidences(fourAnswers), correctness(fourAnswers));
  assert.deepEqual(Array.from(risk), [0, 1 / 2, 1 / 3, 2 / 4]);
  near(areaUnderRiskCoverage(fourAnswers)[0], (0 + 1 / 2 + 1 / 3 + 1 / 2) / 4);
  // Of the four pairs of a right and a wrong answer, three have the right one more confident.
  near(failurePredictionAuroc(fourAnswers)[0], 3 / 4);
  assert.deepEqual(Array.from(riskCoverage([0.5, 0.5, 0.9], [1, 0, 0])), [1, 0.75, 2 / 3]);
  assert.throws(() => riskCoverage([0.5], [1, 0]), UserError);
});

test("risk at full coverage is the error rate, and tied answers give the mean over their orders", () => {
  const answers = fc.array(fc.record({ level: fc.integer({ min: 0, max: 2 }), right: fc.boolean() }), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(answers, (list) => {
      const risk = riskCoverage(
        list.map(({ level }) => level),
        list.map(({ right }) => (right ? 1 : 0)),
      );
      const orders = permutations(list).filter((order) =>
        order.every((a, i) => a.level <= (order[i - 1]?.level ?? 9)),
      );
      risk.forEach((value, i) => {
        const mean =
          orders.reduce((sum, order) => sum + order.slice(0, i + 1).filter(({ right }) => !right).length, 0) /
          orders.length;
        near(value, mean / (i + 1));
      });
    }),
    { numRuns: 40 },
  );
});

function permutations<Value>(values: readonly Value[]): Value[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((value, i) => permutations(values.toSpliced(i, 1)).map((rest) => [value, ...rest]));
}

test("the fall of a label's probability is the largest over all pairs of times", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      const { timesteps: T, examples: N, classes: K, labels } = trace;
      const p = probabilities(trace);
      const of = (t: number, n: number): number => p[(t * N + n) * K + (labels[n] ?? 0)] ?? NaN;
      labelProbabilityFalls(trace).forEach((fall, n) => {
        let largest = 0;
        for (let s = 0; s < T; s++)
          for (let t = s; t < T; t++) largest = Math.max(largest, of(s, n) - of(t, n));
        near(fall, largest);
      });
    }),
  );
});

test("violations of monotonicity count falls beyond the tolerance", () => {
  const rising = [[0.5, 0.5]];
  const trace = traceOfProbabilities([rising, [[0.9, 0.1]], [[0.7, 0.3]]], [0]);
  near(labelProbabilityFalls(trace)[0], 0.2);
  assert.equal(monotonicityViolations(trace, 0.1), 1);
  assert.equal(monotonicityViolations(trace, 0.25), 0);
});

test("the blind first answer is left out of oracle and overthinking", () => {
  const blind = [
    [0.6, 0.4],
    [0.6, 0.4],
  ];
  const wrong = [
    [0.3, 0.7],
    [0.8, 0.2],
  ];
  const trace = {
    ...traceOfProbabilities([blind, wrong, wrong], [0, 0]),
    cost: { multiplyAdds: [1, 2, 3], milliseconds: [0.1, 0.2, 0.3] },
  };
  assert.equal(firstInformedTimestep(trace), 1);
  assert.equal(firstInformedTimestep(traceOfProbabilities([blind, blind], [0, 1])), 1);
  assert.equal(firstInformedTimestep(traceFrom(trace, 1)), 0);
  const informed = traceFrom(trace, 1);
  assert.deepEqual(informed.cost, { multiplyAdds: [2, 3], milliseconds: [0.2, 0.3] });
  assert.deepEqual(overthinking(trace), overthinking(informed));
  assert.equal(overthinking(informed).oracleAccuracy, 0.5);
  assert.equal(overthinking(informed).destructive, 0);
});

test("the measures of a trace leave its blind answer out where there is nothing to overthink", () => {
  const blind = [
    [0.6, 0.4],
    [0.6, 0.4],
  ];
  const sure = [
    [0.1, 0.9],
    [0.9, 0.1],
  ];
  const unsure = [
    [0.4, 0.6],
    [0.3, 0.7],
  ];
  const trace = { ...traceOfProbabilities([blind, sure, unsure], [0, 0]), model: "M" };
  assert.deepEqual(traceMeasures(trace), {
    lastAccuracy: 0,
    area: (1 + 2 * 0.5 + 0) / 4,
    oracleAccuracy: 0.5,
    destructive: 0.5,
    monotonicityViolations: 0.5,
  });
  const rows = timestepMeasures(trace).objects() as {
    model: string;
    timestep: number;
    accuracy: number;
    brierScore: number;
  }[];
  assert.deepEqual(
    rows.map(({ model, timestep, accuracy }) => [model, timestep, accuracy]),
    [
      ["M", 0, 1],
      ["M", 1, 0.5],
      ["M", 2, 0],
    ],
  );
  near(rows[1]?.brierScore, (2 * 0.81 + 2 * 0.01) / 2);
});
