import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Delay, planMerge } from "../../lib/nn/delay.js";
import {
  ABSENT,
  changingTimeline,
  constantTimeline,
  distinctSteps,
  firstRows,
  isIdentity,
  refine,
  selectFrom,
  type Timeline,
  valueAt,
} from "../../lib/nn/timeline.js";

/** A number for each distinct step. */
type Values = readonly number[];

/** The value at each timestep, [T]; 0 where it is absent. */
const overTime = ({ step }: Timeline, values: Values): number[] =>
  step.map((d) => (d === ABSENT ? 0 : valueAt(values, d)));

const someDelay: fc.Arbitrary<Delay> = fc.oneof(
  fc.constant<Delay>({ kind: "none" }),
  fc.constant<Delay>({ kind: "oneStepDelay" }),
  fc.constantFrom(0, 0.25, 0.9).map((alpha): Delay => ({ kind: "exponentialSmoothing", alpha })),
);

/** A timeline of 1 to 8 timesteps whose distinct steps stand in the order in which they first hold. */
const someTimeline: fc.Arbitrary<Timeline> = fc
  .record({
    keys: fc.array(fc.option(fc.constantFrom("a", "b", "c", "d")), { minLength: 1, maxLength: 8 }),
    batch: fc.integer({ min: 2, max: 5 }),
    isBlank: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  })
  .map(({ keys, batch, isBlank }) => {
    const { step, firstTimestep } = distinctSteps(keys);
    return { step, rows: firstTimestep.map((_, d) => (isBlank[d] === true ? 1 : batch)) };
  });

/** The delay as its equation has it, one timestep after the other. */
function delayed(delay: Delay, u: readonly number[]): number[] {
  let z = 0;
  return u.map((now, t) => {
    if (delay.kind === "oneStepDelay") return t === 0 ? 0 : valueAt(u, t - 1);
    const alpha = delay.kind === "exponentialSmoothing" ? delay.alpha : 0;
    z = alpha * z + (1 - alpha) * now;
    return z;
  });
}

/** What a plan makes of the distinct steps of residual and shortcut, as its equations have it. */
function merged(plan: ReturnType<typeof planMerge>, residual: Values, shortcut: Values): Values {
  let z = 0;
  return plan.timeline.rows.map((_, d) => {
    const u = valueAt(plan.residual, d);
    const x = valueAt(plan.shortcut, d);
    z = plan.carry * z + (u === ABSENT ? 0 : plan.gain * valueAt(residual, u));
    return (d >= plan.firstCounted ? z : 0) + (x === ABSENT ? 0 : valueAt(shortcut, x));
  });
}

test("delay and shortcut over random chains of blocks are what a loop over every timestep gives", () => {
  const chain = fc.record({
    delays: fc.array(someDelay, { minLength: 1, maxLength: 6 }),
    frames: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 9 }),
    countsFrom: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 6, maxLength: 6 }),
    isSerial: fc.boolean(),
  });
  fc.assert(
    fc.property(chain, ({ delays, frames, countsFrom, isSerial }) => {
      const { step, firstTimestep } = distinctSteps(frames.map(String));
      let timeline: Timeline = { step, rows: firstTimestep.map(() => 3) };
      let values: Values = firstTimestep.map((t) => 1 + valueAt(frames, t));
      let oracle = overTime(timeline, values);
      for (const [block, delay] of delays.entries()) {
        const from = isSerial ? valueAt(countsFrom, block) : 0;
        const residual = values.map((value) => Math.sin(block + value));
        const plan = planMerge(delay, timeline, timeline, from);
        const branch = delayed(
          delay,
          oracle.map((value) => Math.sin(block + value)),
        );
        oracle = oracle.map((value, t) => value + (t < from ? 0 : valueAt(branch, t)));
        values = merged(plan, residual, values);
        timeline = plan.timeline;
        for (const [t, value] of overTime(timeline, values).entries())
          assert.ok(Math.abs(value - valueAt(oracle, t)) < 1e-12, `block ${block}, t = ${t}`);
      }
    }),
    { numRuns: 500 },
  );
});

test("after n one-step delays of a fixed image there are n + 1 distinct steps; without delay one", () => {
  for (const T of [1, 3, 10]) {
    const deepened = (delay: Delay, n: number): number => {
      let timeline = constantTimeline(T, 4);
      for (let block = 0; block < n; block++) timeline = planMerge(delay, timeline, timeline).timeline;
      return timeline.rows.length;
    };
    for (const n of [0, 1, 2, 8]) {
      assert.equal(deepened({ kind: "oneStepDelay" }, n), Math.min(T, n + 1));
      assert.equal(deepened({ kind: "none" }, n), 1);
    }
    assert.equal(deepened({ kind: "exponentialSmoothing", alpha: 0.5 }, 1), T);
  }
});

test("before the image arrives one row stands for the batch; a smoothed past is each image's own", () => {
  const stem = planMerge({ kind: "oneStepDelay" }, constantTimeline(3, 5));
  assert.deepEqual(stem.timeline, { step: [0, 1, 1], rows: [1, 5] });
  const smoothed = planMerge({ kind: "exponentialSmoothing", alpha: 0.5 }, stem.timeline);
  assert.deepEqual(smoothed.timeline, { step: [0, 1, 2], rows: [5, 5, 5] });
});

test("steps are shared by equal keys and numbered as they first hold", () => {
  assert.deepEqual(distinctSteps(["b", null, "a", "b", "a", "c"]), {
    step: [0, ABSENT, 1, 0, 1, 2],
    firstTimestep: [0, 2, 5],
  });
  assert.deepEqual(constantTimeline(3, 7), { step: [0, 0, 0], rows: [7] });
  assert.deepEqual(changingTimeline(3, 7), { step: [0, 1, 2], rows: [7, 7, 7] });
  assert.deepEqual(firstRows([1, 4, 2]), [0, 1, 5]);
});

test("what is selected or refined keeps the value of every timestep that it keeps, and its rows", () => {
  const attributes = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(someTimeline, attributes, fc.nat(8), (timeline, attribute, from) => {
      const values = timeline.rows.map((_, d) => 10 + d);
      for (const [{ timeline: after, source }, first] of [
        [selectFrom(timeline, from), from],
        [refine(timeline, attribute), 0],
      ] as const) {
        const kept = source.map((d) => valueAt(values, d));
        assert.deepEqual(
          overTime(after, kept),
          overTime(timeline, values).map((value, t) => (t < first ? 0 : value)),
        );
        assert.deepEqual(
          after.rows,
          source.map((d) => valueAt(timeline.rows, d)),
        );
        assert.equal(new Set(after.step.filter((d) => d !== ABSENT)).size, after.rows.length);
      }
      const split = refine(timeline, attribute).timeline.step;
      for (const [t, d] of split.entries())
        for (const [s, e] of split.entries())
          assert.equal(
            d === e && d !== ABSENT,
            timeline.step[t] === timeline.step[s] &&
              timeline.step[t] !== ABSENT &&
              attribute[t] === attribute[s],
          );
    }),
  );
});

test("a selection that keeps every distinct step in its place is the identity, and no other", () => {
  fc.assert(
    fc.property(someTimeline, (timeline) => {
      assert.ok(isIdentity(selectFrom(timeline, 0), timeline));
      const isSplit = timeline.rows.length < timeline.step.filter((d) => d !== ABSENT).length;
      const each = timeline.step.map((_, t) => t);
      assert.equal(isIdentity(refine(timeline, each), timeline), !isSplit);
    }),
  );
  const { step, rows } = { step: [0, 1], rows: [2, 2] };
  assert.equal(isIdentity(selectFrom({ step, rows }, 1), { step, rows }), false);
});

test("an index outside is an error, not undefined", () => {
  for (const i of [-1, 2, 0.5 + 2]) assert.throws(() => valueAt([1, 2], i), RangeError);
});
