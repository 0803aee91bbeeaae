import assert from "node:assert/strict";
import { test } from "node:test";
import {
  aurocWithoutGroup,
  IMAGE_GROUPS,
  imageGroup,
  measuredWithGroups,
  placesWithoutGroup,
} from "../../../lib/studies/evidence/image-groups.js";
import { accuracyPerTimestep } from "../../../lib/trace/accuracy-per-timestep.js";
import { auroc } from "../../../lib/trace/auroc.js";
import { jackknifeError } from "../../../lib/util/statistics.js";
import { randomStream } from "../../../lib/util/random.js";
import { traceOfProbabilities } from "../../trace/made-traces.js";

test("every image is left out once, with those of its id's group", () => {
  const ids = randomStream(0, "ids").permutation(203);
  const groups = placesWithoutGroup(ids);
  assert.equal(groups.length, IMAGE_GROUPS);
  groups.forEach((places, group) => {
    const left = new Set(places);
    ids.forEach((id, n) => {
      assert.equal(left.has(n), imageGroup(id) !== group);
    });
  });
});

test("groups are of equal size, and of each class an equal part where labels go round or stand in order", () => {
  const images = 4000;
  const sizes = (ids: readonly number[]): number[] =>
    Array.from({ length: IMAGE_GROUPS }, (_, group) => ids.filter((id) => imageGroup(id) === group).length);
  const all = [...Array(images).keys()];
  for (const size of sizes(all)) assert.ok(Math.abs(size - images / IMAGE_GROUPS) <= 3, `${size}`);
  for (const classes of [2, 10, 20, 100]) {
    const share = images / classes / IMAGE_GROUPS;
    for (let k = 0; k < classes; k++) {
      for (const labels of [
        (id: number) => id % classes,
        (id: number) => Math.floor((id * classes) / images),
      ]) {
        for (const size of sizes(all.filter((id) => labels(id) === k)))
          assert.ok(
            Math.abs(size - share) <= Math.max(2, share / 2),
            `${classes} classes: ${size}, not ${share}`,
          );
      }
    }
  }
});

test("the jackknife error of an accuracy is that of a binomial share", () => {
  const examples = 4000;
  const stream = randomStream(1, "answers");
  const answers = Array.from({ length: examples }, () => (stream.uniform() < 0.7 ? [0.9, 0.1] : [0.1, 0.9]));
  const trace = traceOfProbabilities([answers], new Array<number>(examples).fill(0));
  const { accuracy, withoutGroup } = measuredWithGroups(trace, (some) => ({
    accuracy: [...accuracyPerTimestep(some)],
  }));
  const share = accuracy[0] as number;
  const error = jackknifeError(withoutGroup.map((group) => group.accuracy[0] as number));
  // With 20 groups it is known to about a sixth (1 / sqrt(2 * 19)).
  assert.ok(Math.abs(error / Math.sqrt((share * (1 - share)) / examples) - 1) < 0.5, `${error}`);
});

test("AUROC without a group is that of the others", () => {
  const stream = randomStream(2, "scores");
  const scores = Array.from({ length: 100 }, () => stream.normal());
  const positive = scores.map((score) => Number(score + stream.normal() > 0));
  const ids = scores.map((_, n) => n);
  const [first] = aurocWithoutGroup(scores, positive, ids);
  const others = ids.filter((id) => imageGroup(id) !== 0);
  const expected = auroc(
    others.map((n) => scores[n] as number),
    others.map((n) => positive[n] as number),
  );
  assert.equal(first, expected);
});
