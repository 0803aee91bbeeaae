import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { learningRateAt, type Schedule } from "../../lib/train/schedule.js";

const RATE = 0.2;

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`);
}

test("one-cycle: a twenty-fifth at the start, the whole at the peak, next to nothing at the end", () => {
  const schedule: Schedule = { kind: "oneCycle", warmup: 0.25 };
  const at = (step: number): number => learningRateAt(schedule, RATE, step, 400, 40);
  near(at(0), RATE / 25);
  near(at(50), (RATE / 25 + RATE) / 2);
  near(at(100), RATE);
  near(at(250), RATE / 2);
  near(at(400), 0);
  // The last step that is taken: 1 - cos(pi / 300) of half the rate.
  near(at(399), (RATE * (1 - Math.cos(Math.PI / 300))) / 2);
});

test("one-cycle: rises to the peak and falls from it, whatever its length and warm-up", () => {
  const lengths = fc.integer({ min: 1, max: 500 });
  const warmups = fc.double({ min: 0.001, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(lengths, warmups, (steps, warmup) => {
      const schedule: Schedule = { kind: "oneCycle", warmup };
      const rates = Array.from({ length: steps }, (_, s) => learningRateAt(schedule, RATE, s, steps, 1));
      assert.ok(rates.every((rate) => rate >= 0 && rate <= RATE));
      for (const [s, rate] of rates.entries()) {
        const next = rates[s + 1] ?? 0;
        if (s + 1 <= warmup * steps) assert.ok(next >= rate, `step ${s}`);
        else if (s >= warmup * steps) assert.ok(next <= rate, `step ${s}`);
      }
    }),
  );
});

test("step: multiplied by the factor at the first step of each milestone's epoch; constant: always the rate", () => {
  const schedule: Schedule = { kind: "step", milestones: [60, 120, 150], factor: 0.2 };
  const perEpoch = 390;
  const at = (epoch: number, step: number): number =>
    learningRateAt(schedule, 0.1, epoch * perEpoch + step, 160 * perEpoch, perEpoch);
  for (const [before, after, milestone] of [
    [0.1, 0.02, 60],
    [0.02, 0.004, 120],
    [0.004, 0.0008, 150],
  ] as const) {
    near(at(milestone - 1, perEpoch - 1), before);
    near(at(milestone, 0), after);
  }
  near(at(0, 0), 0.1);
  near(at(159, perEpoch - 1), 0.0008);
  assert.equal(learningRateAt({ kind: "constant" }, RATE, 77, 100, 10), RATE);
});
