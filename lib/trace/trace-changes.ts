import { from, type ColumnTable } from "arquero";
import { mcnemarExact } from "../util/mcnemar.js";
import { correctness, predictions } from "./probabilities.js";
import { assertComparable } from "./split.js";
import type { Trace } from "./trace.js";

/**
 * What changed from one trace to another of the same images, a row for each timestep that both have: timestep, examples,
 * wrongToRight and rightToWrong (images that the second alone, or the first alone, has right), difference (of
 * accuracy, second less first), pValue (McNemar's exact test, two-sided, uncorrected for the many timesteps).
 * Throws a UserError where the traces are of different images.
 */
export function traceChanges(first: Trace, second: Trace): ColumnTable {
  return from(changesOverTime(first, second).map((change, timestep) => ({ timestep, ...changeRow(change) })));
}

/** The same by class: timestep, label, then the columns of `traceChanges`; classes without examples are left out. */
export function traceChangesByClass(first: Trace, second: Trace): ColumnTable {
  const labels = [...new Set(first.labels)].sort((a, b) => a - b);
  const rows = changesOverTime(first, second).flatMap((change, timestep) =>
    labels.map((label) => ({
      timestep,
      label,
      ...changeRow(change.filter((_, n) => first.labels[n] === label)),
    })),
  );
  return from(rows);
}

/**
 * The images that changed, a row for each timestep and image: timestep, image (its place in the data set), label,
 * firstAnswer, secondAnswer, change ("wrong to right" or "right to wrong").
 */
export function changedImages(first: Trace, second: Trace): ColumnTable {
  const [firstAnswers, secondAnswers] = [predictions(first), predictions(second)];
  const rows = changesOverTime(first, second).flatMap((change, timestep) =>
    [...change.keys()]
      .filter((n) => change[n] !== 0)
      .map((n) => ({
        timestep,
        image: first.ids[n],
        label: first.labels[n],
        firstAnswer: firstAnswers[timestep * first.examples + n],
        secondAnswer: secondAnswers[timestep * first.examples + n],
        change: change[n] === 1 ? "wrong to right" : "right to wrong",
      })),
  );
  return from(rows);
}

/** For each timestep that both have, [N]: 1 where the second trace alone is right, -1 where the first alone is, else 0. */
function changesOverTime(first: Trace, second: Trace): Int8Array[] {
  assertComparable([first, second], ({ model }, i) => model ?? (i === 0 ? "the first" : "the second"));
  const { examples } = first;
  const [before, after] = [correctness(first), correctness(second)];
  return Array.from({ length: Math.min(first.timesteps, second.timesteps) }, (_, t) =>
    Int8Array.from(
      after.subarray(t * examples, (t + 1) * examples),
      (right, n) => right - (before[t * examples + n] as number),
    ),
  );
}

function changeRow(change: Int8Array) {
  const count = (what: number): number => change.filter((one) => one === what).length;
  const [wrongToRight, rightToWrong] = [count(1), count(-1)];
  return {
    examples: change.length,
    wrongToRight,
    rightToWrong,
    difference: (wrongToRight - rightToWrong) / change.length,
    pValue: mcnemarExact(rightToWrong, wrongToRight),
  };
}
