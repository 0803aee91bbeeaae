import assert from "node:assert/strict";
import { test } from "node:test";
import {
  counted,
  decided,
  type Draft,
  finding,
  type Outcome,
  verdictOf,
} from "../../../lib/studies/evidence/finding.js";
import { PERCENT } from "../../../lib/studies/evidence/format.js";
import { isAhead, isSame } from "../../../lib/studies/evidence/rules.js";
import { mean } from "../../../lib/util/statistics.js";
import { estimateOf } from "../../../lib/util/student-t.js";
import { randomStream } from "../../../lib/util/random.js";

const contrast = (values: readonly number[], seeds = values.length) => ({
  of: "a over b",
  values,
  seeds,
  unit: PERCENT,
});
const endPoint = (...values: number[]): Draft =>
  finding({ statement: "a is ahead", by: "paper", carries: true }, isAhead, [contrast(values)]);

test("a finding says its rule, its numbers and what it comes to, in one place", () => {
  const [one] = decided([
    finding({ statement: "a is ahead of b", by: "paper", carries: true }, isAhead, [contrast([1, 2, 3], 4)]),
  ]);
  assert.equal(one?.statement, "a is ahead of b (rule: ahead, one-sided t-test paired by seed and image)");
  // Standard error 1/√3; t = 3.46 with two degrees of freedom; 90 % of Student's t lie within 2.92.
  assert.equal(
    one.measured,
    "a over b +2.0 points (90 % interval +0.3 to +3.7; n = 3, 1 seed diverged); p = 0.037",
  );
  assert.deepEqual([one.outcome, one.by, one.carries], ["holds", "paper", true]);
  assert.ok(Math.abs((one.pValue ?? NaN) - 0.03709) < 1e-4);
});

test("a quantity that is not defined is said to be so", () => {
  const [one] = decided([
    finding({ statement: "", by: "project" }, isAhead, [{ ...contrast([NaN]), withoutGroup: [NaN, NaN] }]),
  ]);
  assert.equal(one?.measured, "a over b not defined (n = 1)");
});

test("several contrasts must all hold, and the least certain one gives the p-value", () => {
  const sure = contrast([5, 5.1, 5.2]);
  const unsure = contrast([-1, 0.5, 1]);
  const [both, first] = decided([
    finding({ statement: "", by: "project" }, isAhead, [sure, unsure]),
    finding({ statement: "", by: "project" }, isAhead, [sure]),
  ]);
  assert.deepEqual([both?.outcome, first?.outcome], ["does not hold", "holds"]);
  assert.match(both?.statement ?? "", /\(rule: each ahead/);
  assert.equal(both?.pValue, isAhead.pValue(estimateOf(unsure.values)));
});

test("one seed decides nothing; counting needs no test", () => {
  const [open, half, count, other] = decided([
    endPoint(7),
    finding({ statement: "", by: "paper" }, isSame(1), [contrast([0, 0, 0.1]), contrast([0])]),
    counted({ statement: "", by: "project" }, "3 of 3", true),
    counted({ statement: "", by: "project" }, "2 of 3", false),
  ]);
  assert.deepEqual([open?.outcome, open?.pValue], ["not decided", null]);
  assert.equal(half?.outcome, "not decided");
  assert.deepEqual([count?.outcome, count?.pValue, other?.outcome], ["holds", null, "does not hold"]);
});

test("end points are corrected for their number, the other findings and undecided ones are not counted", () => {
  // 0.037 by itself.
  const values = [1, 2, 3] as const;
  const alone = decided([endPoint(...values), endPoint(4)]);
  assert.equal(alone[0]?.outcome, "holds");
  const two = decided([endPoint(...values), endPoint(...values)]);
  assert.deepEqual(
    two.map(({ outcome }) => outcome),
    ["does not hold", "does not hold"],
  );
  assert.match(two[0]?.measured ?? "", /; p = 0\.037; with Holm's correction p = 0\.074$/);
  const beside = finding({ statement: "", by: "project" }, isAhead, [contrast(values)]);
  const mixed = decided([endPoint(...values), beside, beside]);
  assert.deepEqual(
    mixed.map(({ outcome }) => outcome),
    ["holds", "holds", "holds"],
  );
  // The smallest is taken three times, the next twice.
  const three = decided([endPoint(5, 5.1, 5.2), endPoint(2, 2.5, 3), endPoint(...values)]);
  three.forEach(({ pValue, adjustedPValue }, i) => {
    assert.ok(Math.abs((adjustedPValue ?? NaN) - (3 - i) * (pValue ?? NaN)) < 1e-12);
  });
});

test("with nothing there, one of six end points is wrongly said to hold in at most one claim of twenty", () => {
  const stream = randomStream(5, "end points under the null");
  const draws = 4000;
  let wrong = 0;
  for (let i = 0; i < draws; i++) {
    const points = Array.from({ length: 6 }, () =>
      endPoint(stream.normal(), stream.normal(), stream.normal()),
    );
    if (decided(points).some(({ outcome }) => outcome === "holds")) wrong++;
  }
  // Four standard errors are 1.4 %; without the correction it would be 26 %.
  assert.ok(wrong / draws < 0.064, `${wrong / draws}`);
});

test("the choice of images is in the error: few images make it no finding, and the null is kept over both", () => {
  const seeds = [2, 2.1, 1.9];
  const fewImages = { ...contrast(seeds), withoutGroup: [1.2, 2.8, 1.9, 2.1] };
  const [alone, both] = decided([
    finding({ statement: "", by: "project" }, isAhead, [contrast(seeds)]),
    finding({ statement: "", by: "project" }, isAhead, [fewImages]),
  ]);
  assert.deepEqual([alone?.outcome, both?.outcome], ["holds", "does not hold"]);
  // sqrt(3/4 (0.8² + 0.8² + 0.1² + 0.1²)).
  assert.match(both?.measured ?? "", /images ± 1\.0; n = 3\)/);
  assert.ok(Math.abs((both?.contrasts[0]?.imageError ?? NaN) - Math.sqrt(0.75 * 1.3)) < 1e-12);
});

test("nothing is there over new seeds and new images: at most one finding of twenty says otherwise", () => {
  const stream = randomStream(6, "seeds and images under the null");
  const [draws, seeds, groups] = [4000, 3, 20];
  const normals = (n: number, deviation: number): number[] =>
    Array.from({ length: n }, () => deviation * stream.normal());
  let wrong = 0;
  let wrongOverSeeds = 0;
  for (let draw = 0; draw < draws; draw++) {
    const [bySeed, byGroup] = [normals(seeds, 0.5), normals(groups, 2)];
    // [seeds][groups]: of seed, of image, and of both.
    const leads = bySeed.map((s) => byGroup.map((g) => s + g + 0.5 * stream.normal()));
    const values = leads.map(mean);
    const withoutGroup = byGroup.map((_, g) =>
      mean(leads.map((lead) => mean(lead.filter((_lead, i) => i !== g)))),
    );
    const outcomes = decided([
      finding({ statement: "", by: "project" }, isAhead, [{ ...contrast(values), withoutGroup }]),
      finding({ statement: "", by: "project" }, isAhead, [contrast(values)]),
    ]).map(({ outcome }) => outcome === "holds");
    wrong += Number(outcomes[0]);
    wrongOverSeeds += Number(outcomes[1]);
  }
  // Four standard errors are 1.4 %.
  assert.ok(wrong / draws < 0.064, `${wrong / draws}`);
  assert.ok(wrongOverSeeds / draws > 0.1, `seeds alone would do: ${wrongOverSeeds / draws}`);
});

test("the verdict is of the end points alone", () => {
  const verdict = (...outcomes: readonly Outcome[]): string =>
    verdictOf({
      findings: [
        ...outcomes.map((outcome) => ({ ...none, carries: true, outcome })),
        { ...none, carries: false, outcome: "holds" },
      ],
    });
  const none = {
    statement: "",
    by: "paper" as const,
    measured: "",
    contrasts: [],
    pValue: null,
    adjustedPValue: null,
  };
  assert.equal(verdict("holds", "holds"), "reproduced");
  assert.equal(verdict("holds", "does not hold"), "in part");
  assert.equal(verdict("holds", "not decided"), "in part");
  assert.equal(verdict("does not hold", "not decided"), "not reproduced");
  assert.equal(verdict("does not hold"), "not reproduced");
  assert.equal(verdict("not decided", "not decided"), "not tested here");
  assert.equal(verdict(), "not tested here");
  assert.equal(verdictOf({ findings: [] }), "not tested here");
});

test("a statement about nothing is not decided", () => {
  const [none, uncounted] = decided([
    finding({ statement: "", by: "paper" }, isAhead, []),
    counted({ statement: "", by: "project" }, "1 of 1", undefined),
  ]);
  assert.deepEqual([none?.outcome, none?.pValue], ["not decided", null]);
  assert.deepEqual([uncounted?.outcome, uncounted?.pValue], ["not decided", null]);
});
