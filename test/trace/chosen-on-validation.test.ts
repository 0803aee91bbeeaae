import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cachingAnytime, productAnytime } from "../../lib/trace/anytime-combination.js";
import { budgetedBatchCurve, budgetedThresholds, geometricShares } from "../../lib/trace/budgeted-batch.js";
import { labelProbabilityFalls } from "../../lib/trace/monotonicity.js";
import {
  conformalSets,
  fitNestedThresholds,
  nestedSets,
  setMeasures,
} from "../../lib/trace/prediction-sets.js";
import { confidences, correctness, predictions, probabilities } from "../../lib/trace/probabilities.js";
import { negativeLogLikelihood } from "../../lib/trace/proper-scores.js";
import { riskControlledThreshold } from "../../lib/trace/risk-control.js";
import { assertComparable, assertValidation, type ValidationTrace } from "../../lib/trace/split.js";
import { oracleStoppingTimes, stoppingTimes, timesReaching } from "../../lib/trace/stopping-time.js";
import { fitTemperatures, withTemperatures } from "../../lib/trace/temperature.js";
import type { Trace } from "../../lib/trace/trace.js";
import { UserError } from "../../lib/util/errors.js";
import { randomStream } from "../../lib/util/random.js";
import { smallTraces, traceOfProbabilities } from "./made-traces.js";

/** Answers that get better over time: logits of a label, drawn with a signal that grows, [T, N, K]. */
function drawnTrace(name: string, examples: number, { timesteps = 4, classes = 5 } = {}): ValidationTrace {
  const stream = randomStream(0, name);
  const labels = Int32Array.from({ length: examples }, () => stream.integer(classes));
  const logits = Float64Array.from({ length: timesteps * examples * classes }, (_, i) => {
    const row = Math.floor(i / classes);
    const isLabel = i % classes === labels[row % examples];
    return 1.5 * stream.normal() + (isLabel ? 2 * (1 + Math.floor(row / examples)) : 1);
  });
  const ids = Int32Array.from(labels.keys());
  return { timesteps, examples, classes, logits, labels, ids, data: name, split: "validation" };
}

const heldOut = drawnTrace("validation", 400);
const test1: Trace = { ...drawnTrace("test", 600), split: "test" };

test("what is chosen is chosen on validation images: others are refused, by the compiler and when run", () => {
  assert.throws(
    // @ts-expect-error A trace of test images is no ValidationTrace.
    () => fitTemperatures(test1),
    /fitted on validation images, but this trace is of test images/,
  );
  // @ts-expect-error Nor is one that does not say.
  assert.throws(() => budgetedThresholds({ ...heldOut, split: undefined }, [1, 0, 0, 0]), UserError);
  // @ts-expect-error A trace of test images, as above.
  assert.throws(() => riskControlledThreshold(test1, { risk: 0.1 }), UserError);
  // @ts-expect-error A trace of test images, as above.
  assert.throws(() => conformalSets(test1, test1, 0.1), UserError);
  // @ts-expect-error A trace of test images, as above.
  assert.throws(() => fitNestedThresholds(test1, 0.1), UserError);
  assert.throws(() => {
    assertValidation(test1, "a gate is trained");
  }, /^[A-Za-z]*: a gate is trained on validation/);
});

test("traces of different images refuse to be compared and say where they differ", () => {
  const name = (_: Trace, i: number): string => `model ${i}`;
  assertComparable([heldOut, { ...heldOut, logits: heldOut.logits.map((logit) => -logit) }], name);
  const refused = (change: Partial<Trace>, reason: RegExp): void => {
    assert.throws(
      () => {
        assertComparable([heldOut, { ...heldOut, ...change }], name);
      },
      (error) =>
        error instanceof UserError &&
        /of model 0 and model 1 cannot/.test(error.message) &&
        reason.test(error.message),
    );
  };
  refused({ data: "other" }, /their images differ \(validation and other\)/);
  refused({ split: "test" }, /one is of validation, the other of test images/);
  refused({ classes: 6 }, /5 and 6 classes/);
  refused({ examples: 399 }, /400 and 399 examples/);
  const ids = heldOut.ids.slice();
  ids[3] = 77;
  refused({ ids }, /example 3 is image 3 of class \d in one, image 77 of class \d in the other/);
});

test("a deadline stops all at one timestep; the oracle is at least as accurate as any rule", () => {
  assert.deepEqual(new Set(stoppingTimes(heldOut, { kind: "deadline", timestep: 2 })), new Set([2]));
  assert.deepEqual(new Set(stoppingTimes(heldOut, { kind: "deadline", timestep: 9 })), new Set([3]));
  assert.throws(() => stoppingTimes(heldOut, { kind: "deadline", timestep: 0.5 }), UserError);
  fc.assert(
    fc.property(smallTraces, (trace) => {
      const correct = correctness(trace);
      oracleStoppingTimes(trace).forEach((stop, n) => {
        const right = Array.from({ length: trace.timesteps }, (_, t) => correct[t * trace.examples + n]);
        assert.equal(stop, Math.max(0, right.indexOf(1)));
      });
    }),
  );
});

test("temperatures undo a scaling of the logits, timestep by timestep, and no neighbour is more likely", () => {
  const temperatures = fitTemperatures(heldOut);
  const scaled = { ...heldOut, logits: withTemperatures(heldOut, [0.5, 2, 1, 4]).logits };
  fitTemperatures(scaled).forEach((temperature, t) => {
    const expected = (temperatures[t] ?? NaN) / ([0.5, 2, 1, 4][t] ?? NaN);
    assert.ok(Math.abs(temperature / expected - 1) < 1e-9);
  });
  const likelihood = (factor: number): Float64Array =>
    negativeLogLikelihood(
      withTemperatures(
        heldOut,
        temperatures.map((own) => own * factor),
      ),
    );
  for (const factor of [0.99, 1.01]) {
    likelihood(factor).forEach((value, t) => {
      assert.ok(value > (likelihood(1)[t] ?? NaN));
    });
  }
  assert.deepEqual(predictions(withTemperatures(heldOut, temperatures)), predictions(heldOut));
  const certain = {
    ...heldOut,
    logits: heldOut.logits.map((_, i) => (i % 5 === heldOut.labels[Math.floor(i / 5) % 400] ? 1 : 0)),
  };
  // The likelihood grows without end; from 1/37 on the probabilities are 0 and 1 to the last bit.
  fitTemperatures(certain).forEach((temperature) => {
    assert.ok(temperature < 0.03 && temperature > 0.009);
  });
});

test("product anytime equals the product of its equation, rules classes out for good, and falls back", () => {
  fc.assert(
    fc.property(smallTraces, (trace) => {
      const { timesteps: T, examples: N, classes: K, logits } = trace;
      const own = probabilities(trace);
      const product = probabilities(productAnytime(trace));
      for (let t = 0; t < T; t++) {
        for (let n = 0; n < N; n++) {
          const factors = Array.from({ length: K }, (_, k) =>
            Array.from(
              { length: t + 1 },
              (_s, s) => Math.max(0, logits[(s * N + n) * K + k] ?? NaN) ** ((s + 1) / T),
            ),
          ).map((powers) => powers.reduce((all, power) => all * power, 1));
          const sum = factors.reduce((total, factor) => total + factor, 0);
          factors.forEach((factor, k) => {
            const i = (t * N + n) * K + k;
            const expected = sum > 0 ? factor / sum : (own[i] ?? NaN);
            assert.ok(Math.abs((product[i] ?? NaN) - expected) < 1e-9);
          });
        }
      }
    }),
  );
});

test("caching anytime never loses confidence, and product anytime falls less often than the network", () => {
  const confidence = confidences(cachingAnytime(heldOut));
  for (let row = 400; row < confidence.length; row++) {
    assert.ok((confidence[row] ?? NaN) >= (confidence[row - 400] ?? NaN));
  }
  const falls = (trace: Trace): number => labelProbabilityFalls(trace).filter((fall) => fall > 0.1).length;
  assert.ok(falls(productAnytime(heldOut)) < falls(heldOut));
});

test("budgeted thresholds answer the shares that were asked for, most confident first", () => {
  const shares = geometricShares(4, 0.5);
  assert.ok(Math.abs((shares[0] ?? NaN) - 8 / 15) < 1e-12);
  const times = timesReaching(confidences(heldOut), 400, budgetedThresholds(heldOut, shares));
  shares.forEach((share, t) => {
    assert.ok(Math.abs(times.filter((time) => time === t).length - share * 400) <= 1);
  });
  const first = budgetedThresholds(heldOut, [0.5, 0.5, 0, 0]);
  const sorted = confidences(heldOut).slice(0, 400).sort();
  assert.equal(first[0], sorted[200]);
  assert.throws(() => budgetedThresholds(heldOut, [0.5, 0.5, 0.5, 0]), UserError);
  assert.throws(() => budgetedThresholds(heldOut, [1]), UserError);
});

test("a larger ratio q waits longer, as its shares say, and is more accurate", () => {
  const curve = budgetedBatchCurve(heldOut, test1);
  for (const { threshold: q, meanStoppingTime } of budgetedBatchCurve(heldOut, heldOut)) {
    const asked = geometricShares(4, q).reduce((sum, share, t) => sum + share * t, 0);
    assert.ok(Math.abs(meanStoppingTime - asked) < 0.02);
  }
  assert.ok((curve.at(-1)?.accuracy ?? 0) > (curve[0]?.accuracy ?? 1));
});

test("a risk-controlled threshold keeps its promise over many draws, and is not merely the most cautious", () => {
  const [risk, failure, draws] = [0.05, 0.1, 200];
  const population = { ...drawnTrace("population", 20000), split: "test" as const };
  const riskAt = (threshold: number): number => {
    const times = stoppingTimes(population, { kind: "confidence", threshold });
    const correct = correctness(population);
    return (
      times.filter((t, n) => correct[t * 20000 + n] === 0 && correct[3 * 20000 + n] === 1).length / 20000
    );
  };
  const chosen = Array.from({ length: draws }, (_, i) =>
    riskControlledThreshold(drawnTrace(`draw ${i}`, 300), { risk, failure }),
  );
  const risks = new Map([...new Set(chosen)].map((threshold) => [threshold, riskAt(threshold ?? 1)]));
  const failures = chosen.filter((threshold) => (risks.get(threshold) ?? NaN) > risk).length;
  // Binomial(200, 0.1) is above 32 with probability below 0.003; the draws are fixed.
  assert.ok(failures <= 32, `${failures} of ${draws} above the risk`);
  assert.ok(chosen.filter((threshold) => (threshold ?? 1) < 0.99).length > draws / 2);
  assert.equal(riskControlledThreshold(drawnTrace("few", 10), { risk: 0.01 }), undefined);
  assert.throws(() => riskControlledThreshold(heldOut, { risk: 0 }), UserError);
});

test("conformal sets cover each timestep's labels on fresh images", () => {
  setMeasures(conformalSets(heldOut, test1, 0.1), test1).forEach(({ coverage }) => {
    // Four standard errors of validation and test together: 4 sqrt(0.09 (1/400 + 1/600)) = 0.08.
    assert.ok(Math.abs(coverage - 0.9) < 0.08, `covers ${coverage}`);
  });
});

test("nested sets never take a class back, cover what they were fitted to, and shrink", () => {
  // Classes below 0 are ruled out at once: networks whose logits are that low cover too little at any threshold.
  assert.deepEqual(Array.from(fitNestedThresholds(heldOut, 0.05)), [0, 0, 0, 0]);
  const raised = <Of extends Trace>(trace: Of): Of => ({
    ...trace,
    logits: trace.logits.map((logit) => logit + 4),
  });
  const thresholds = fitNestedThresholds(raised(heldOut), 0.1);
  assert.ok(thresholds.some((threshold) => threshold > 0));
  const measures = setMeasures(nestedSets(raised(test1), thresholds, 0.1), test1);
  measures.forEach(({ nestedness, coverage, size }, t) => {
    assert.equal(nestedness, 1);
    assert.ok(coverage > 0.8);
    assert.ok(size <= (measures[t - 1]?.size ?? 5));
  });
  const conformal = setMeasures(conformalSets(heldOut, test1, 0.1), test1);
  assert.ok(conformal.some(({ nestedness }) => nestedness < 1));
});

test("set measures of two examples, by hand", () => {
  const trace = traceOfProbabilities(
    Array(2).fill([
      [0.5, 0.3, 0.2],
      [0.5, 0.3, 0.2],
    ]),
    [0, 2],
  );
  // t = 0: {0, 1}, {1}; t = 1: {0, 2}, {}.
  const sets = Uint8Array.from([1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0]);
  assert.deepEqual(setMeasures(sets, trace), [
    { coverage: 0.5, size: 1.5, nestedness: 1 },
    { coverage: 0.5, size: 1, nestedness: 0.5 },
  ]);
});
