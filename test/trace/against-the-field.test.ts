import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accuracyWithin, areaOverBudgets } from "../../lib/trace/budget.js";
import { budgetedThresholds } from "../../lib/trace/budgeted-batch.js";
import { depthEnsemble, networkFamily } from "../../lib/trace/ensembles.js";
import { exitScores, fitExitScores } from "../../lib/trace/exit-scores.js";
import { fitGeometricEnsemble, withGeometricEnsemble } from "../../lib/trace/geometric-ensemble.js";
import { leaderboard } from "../../lib/trace/leaderboard.js";
import { correctness, probabilities } from "../../lib/trace/probabilities.js";
import { negativeLogLikelihood } from "../../lib/trace/proper-scores.js";
import { riskControlledThreshold } from "../../lib/trace/risk-control.js";
import { stoppingTimes, timesReaching } from "../../lib/trace/stopping-time.js";
import type { ValidationTrace } from "../../lib/trace/split.js";
import type { Trace } from "../../lib/trace/trace.js";
import { UserError } from "../../lib/util/errors.js";
import { randomStream } from "../../lib/util/random.js";
import { traceOfProbabilities } from "./made-traces.js";

test("within a budget: the last answer that is paid for, and a guess before the first", () => {
  const answers = { costs: [2, 5, 5, 8], accuracy: [0.3, 0.4, 0.6, 0.5] };
  assert.deepEqual(
    [0, 1.9, 2, 4, 5, 7.9, 8, 100].map((budget) => accuracyWithin(answers, budget, 0.1)),
    [0.1, 0.1, 0.3, 0.3, 0.6, 0.6, 0.5, 0.5],
  );
  // 2 of guessing, 3 of 0.3, 3 of 0.6, 2 of 0.5.
  assert.ok(Math.abs(areaOverBudgets(answers, 10, 0.1) - (0.2 + 0.9 + 1.8 + 1) / 10) < 1e-12);
  assert.equal(areaOverBudgets(answers, 1, 0.25), 0.25);
  assert.throws(() => areaOverBudgets(answers, 0, 0.1), UserError);
});

test("the area over budgets is the mean over finely spaced budgets", () => {
  const wholeCosts = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(wholeCosts, fc.integer({ min: 1, max: 50 }), (costs, end) => {
      // In any order: a later member of a family may cost less.
      const answers = { costs, accuracy: costs.map((_, t) => t / 8) };
      let sum = 0;
      // Costs are whole, so the middle of each whole step stands for all of it.
      for (let x = 0; x < end; x++) sum += accuracyWithin(answers, x + 0.5, 0.1);
      assert.ok(Math.abs(areaOverBudgets(answers, end, 0.1) - sum / end) < 1e-9);
    }),
  );
});

const member = (model: string, cost: number, p: number[][]): Trace => ({
  ...traceOfProbabilities([p.map(() => [0.5, 0.5]), p], [0, 1]),
  cost: { multiplyAdds: [1, cost] },
  model,
});

test("a family answers with each member at its own cost, an ensemble with their mean at the cost of all", () => {
  const [small, large] = [
    member("small", 10, [
      [0.6, 0.4],
      [0.7, 0.3],
    ]),
    member("large", 30, [
      [0.9, 0.1],
      [0.2, 0.8],
    ]),
  ];
  const round = (values: Float64Array): number[] =>
    Array.from(values, (value) => Math.round(1e6 * value) / 1e6);
  const family = networkFamily([large, small]);
  assert.deepEqual(family.cost?.multiplyAdds, [10, 30]);
  assert.deepEqual(round(probabilities(family)), [0.6, 0.4, 0.7, 0.3, 0.9, 0.1, 0.2, 0.8]);
  const ensemble = depthEnsemble([large, small]);
  assert.deepEqual(ensemble.cost?.multiplyAdds, [10, 40]);
  assert.deepEqual(round(probabilities(ensemble)), [0.6, 0.4, 0.7, 0.3, 0.75, 0.25, 0.45, 0.55]);
  assert.throws(
    () => networkFamily([small, { ...large, labels: Int32Array.of(0, 0) }]),
    /traces of small and large cannot be compared: example 1 /,
  );
});

/** Answers of growing and differently scaled logits. */
function drawn(examples: number, signal = 1): ValidationTrace {
  const stream = randomStream(1, "geometric");
  const [timesteps, classes] = [3, 4];
  const labels = Int32Array.from({ length: examples }, () => stream.integer(classes));
  const logits = Float64Array.from({ length: timesteps * examples * classes }, (_, i) => {
    const t = Math.floor(i / classes / examples);
    const isLabel = i % classes === labels[Math.floor(i / classes) % examples];
    return (t === 1 ? 4 : 1) * (stream.normal() + (isLabel ? signal : 0) + 0.3 * (i % classes));
  });
  return { timesteps, examples, classes, logits, labels, ids: labels, split: "validation" };
}

test("the geometric ensemble is where the likelihood of held-out labels has its one optimum", () => {
  const heldOut = drawn(300);
  const fitted = fitGeometricEnsemble(heldOut);
  const lossOf = (t: number, change: (weights: Float64Array, bias: Float64Array) => void): number => {
    const weights = fitted.weights.map((one) => one.slice());
    const biases = fitted.biases.map((one) => one.slice());
    change(weights[t] as Float64Array, biases[t] as Float64Array);
    return negativeLogLikelihood(withGeometricEnsemble(heldOut, { weights, biases }))[t] as number;
  };
  const h = 1e-3;
  for (const t of [0, 1]) {
    const best = lossOf(t, () => undefined);
    // No answer so far is more likely by itself, and no small change is better.
    for (let s = 0; s <= t; s++) assert.ok(best < (negativeLogLikelihood(heldOut)[s] as number));
    for (let s = 0; s <= t; s++) {
      const weight = fitted.weights[t]?.[s] ?? NaN;
      assert.ok(weight >= 0);
      for (const change of weight > h ? [h, -h] : [h])
        assert.ok(lossOf(t, (weights) => (weights[s] = weight + change)) > best - 1e-8);
    }
    for (const change of [h, -h])
      assert.ok(lossOf(t, (_, bias) => (bias[1] = (bias[1] as number) + change)) > best - 1e-8);
  }
  const row = heldOut.examples * heldOut.classes;
  const after = probabilities(withGeometricEnsemble(heldOut, fitted)).subarray(2 * row);
  probabilities(heldOut)
    .subarray(2 * row)
    .forEach((p, i) => {
      assert.ok(Math.abs(p - (after[i] ?? NaN)) < 1e-9, "the last answer stays");
    });
  // @ts-expect-error A trace of test images is none to fit on.
  assert.throws(() => fitGeometricEnsemble({ ...heldOut, split: "test" }), /fitted on validation images/);
});

test("a leaderboard is in the order of the area; its threshold is the validation images' own", () => {
  const heldOut = drawn(2000, 5);
  const cost = { multiplyAdds: [1, 2, 4] };
  const good: Trace = { ...drawn(300, 5), split: "test", cost };
  const bad: Trace = { ...good, logits: good.logits.map((value) => -value) };
  const rows = leaderboard(
    [
      { name: "bad", test: bad },
      { name: "good", test: good, heldOut },
    ],
    [2, 8],
  );
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["good", "bad"],
  );
  const [first, second] = rows;
  assert.deepEqual([second?.measures.stoppedAccuracy, second?.measures.stoppedMultiplyAdds], [NaN, NaN]);
  const threshold = riskControlledThreshold(heldOut, { risk: 0.01 });
  assert.ok(threshold !== undefined);
  const times = stoppingTimes(good, { kind: "confidence", threshold });
  const spent = times.reduce((sum, t) => sum + (cost.multiplyAdds[t] ?? NaN), 0) / 300;
  assert.ok(Math.abs((first?.measures.stoppedMultiplyAdds ?? NaN) - spent) < 1e-12);
  assert.ok(spent < 4);
  assert.throws(
    () =>
      leaderboard(
        [
          { name: "a", test: good },
          { name: "b", test: { ...good, split: "validation" } },
        ],
        [1],
      ),
    /traces of a and b cannot be compared: one is of test, the other of validation images/,
  );
  const costless: Trace = { ...good };
  delete (costless as { cost?: unknown }).cost;
  assert.throws(() => leaderboard([{ name: "a", test: costless }], [1]), /a does not know its multiply-adds/);
});

test("exit scores are where logistic regression has its optimum, and thresholds by them keep to the shares", () => {
  const heldOut = drawn(600, 2);
  const fitted = fitExitScores(heldOut);
  assert.equal(fitted.length, 3);
  const right = correctness(heldOut);
  const lossOf = (t: number, weights: Float64Array): number => {
    const scores = exitScores(
      heldOut,
      fitted.map((own, s) => (s === t ? weights : own)),
    );
    let loss = weights.reduce((sum, weight) => sum + (1e-3 * weight ** 2) / 2, 0);
    for (let n = 0; n < 600; n++) {
      const score = scores[t * 600 + n] as number;
      loss -= Math.log(right[t * 600 + n] === 1 ? score : 1 - score) / 600;
    }
    return loss;
  };
  for (const [t, weights] of fitted.entries()) {
    const best = lossOf(t, weights);
    for (let d = 0; d < 5; d++)
      for (const change of [0.01, -0.01])
        assert.ok(
          lossOf(
            t,
            weights.map((one, j) => (j === d ? one + change : one)),
          ) >=
            best - 1e-9,
        );
  }
  // Sorted by how probably they are right, so the boldest are more often right than the others.
  const last = exitScores(heldOut, fitted).subarray(1200);
  const order = Array.from(last.keys()).sort((a, b) => (last[b] as number) - (last[a] as number));
  const share = (places: number[]): number =>
    places.reduce((sum, n) => sum + (right[1200 + n] as number), 0) / places.length;
  assert.ok(share(order.slice(0, 300)) > share(order.slice(300)) + 0.1);
  const scoreOf = (trace: Trace): Float64Array => exitScores(trace, fitted);
  const levels = budgetedThresholds(heldOut, [0.5, 0.25, 0.25], scoreOf);
  const times = timesReaching(scoreOf(heldOut), 600, levels);
  assert.deepEqual(
    [0, 1, 2].map((t) => times.filter((time) => time === t).length),
    [300, 150, 150],
  );
  // @ts-expect-error A trace of test images is none to fit on.
  assert.throws(() => fitExitScores({ ...heldOut, split: "test" }), /fitted on validation images/);
});
