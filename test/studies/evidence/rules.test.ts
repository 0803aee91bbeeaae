import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isAbove,
  isAhead,
  isBelow,
  isNotBehind,
  isSame,
  LEVEL,
  type Rule,
} from "../../../lib/studies/evidence/rules.js";
import { randomStream } from "../../../lib/util/random.js";
import { estimateOf, meanInterval } from "../../../lib/util/student-t.js";

const holds = (rule: Rule, values: readonly number[]): boolean => rule.pValue(estimateOf(values)) <= LEVEL;

test("the 90 % interval shows what each rule decides", () => {
  const stream = randomStream(3, "rules and intervals");
  for (let draw = 0; draw < 500; draw++) {
    const n = 2 + stream.integer(6);
    const centre = 3 * stream.normal();
    const values = Array.from({ length: n }, () => centre + stream.normal());
    const { low, high } = meanInterval(values, 0.9);
    assert.equal(holds(isAhead, values), low > 0);
    assert.equal(holds(isAbove(1), values), low > 1);
    assert.equal(holds(isBelow(1), values), high < 1);
    assert.equal(holds(isNotBehind(2), values), low > -2);
    assert.equal(holds(isSame(2), values), low > -2 && high < 2);
  }
});

test("one value decides nothing, however large", () => {
  for (const rule of [isAhead, isAbove(1), isBelow(1e9), isNotBehind(1), isSame(1e9)])
    assert.ok(Number.isNaN(rule.pValue(estimateOf([5]))), rule.text);
});

test("equal numbers in every seed are the same, and not ahead", () => {
  assert.ok(holds(isSame(0.1), [0, 0, 0]) && holds(isNotBehind(0.1), [0, 0, 0]));
  assert.ok(!holds(isAhead, [0, 0, 0]) && !holds(isSame(0.1), [0.1, 0.1, 0.1]));
});

test("each rule is wrong in at most one case of twenty where what it states is just not so", () => {
  const draws = 10_000;
  const shareOf = (rule: Rule, truth: number): number => {
    const stream = randomStream(2, `error rate of ${rule.text}`);
    let held = 0;
    for (let i = 0; i < draws; i++)
      if (
        holds(
          rule,
          [0, 1, 2].map(() => truth + 0.3 * stream.normal()),
        )
      )
        held++;
    return held / draws;
  };
  // Four standard errors of 5 % over 10,000 draws are 0.9 %.
  for (const [rule, border] of [
    [isAhead, 0],
    [isNotBehind(2), -2],
    [isSame(2), 2],
    [isSame(2), -2],
    [isBelow(1), 1],
  ] as const) {
    const wrong = shareOf(rule, border);
    assert.ok(Math.abs(wrong - LEVEL) < 0.009, `${rule.text} at ${border}: ${wrong}`);
  }
  assert.ok(shareOf(isAhead, 2) > 0.9, "a clear lead is seen");
  assert.ok(shareOf(isSame(2), 0) > 0.9, "equality is seen");
});
