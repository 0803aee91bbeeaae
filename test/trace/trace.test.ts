import assert from "node:assert/strict";
import { test } from "node:test";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { validateTrace } from "../../lib/trace/trace.js";
import { UserError } from "../../lib/util/errors.js";
import { changed } from "./made-traces.js";

test("a trace that does not hold together is refused, and the message names the place", () => {
  const { trace } = recipeTrace(3, 4, 5);
  assert.equal(validateTrace(trace), trace);
  const faults = [
    [{ timesteps: 0 }, /timesteps/],
    [{ classes: 1 }, /classes/],
    [{ examples: 5 }, /3 x 5 x 5/],
    [{ labels: trace.labels.subarray(1) }, /3 labels for 4/],
    [{ ids: trace.ids.subarray(1) }, /3 ids for 4/],
    [{ labels: changed(trace.labels, 2, 5) }, /example 2 \(id 2\) has label 5/],
    [{ labels: changed(trace.labels, 0, -1) }, /label -1/],
    [
      { logits: changed(trace.logits, (1 * 4 + 3) * 5 + 2, NaN) },
      /timestep 1, example 3 \(id 3\), class 2 is NaN/,
    ],
    [{ cost: { multiplyAdds: [1, 2] } }, /2 costs for 3/],
    [{ cost: { multiplyAdds: [1, 3, 2] } }, /timestep 2/],
  ] as const;
  for (const [fault, message] of faults) {
    assert.throws(
      () => validateTrace({ ...trace, ...fault }, "file.arrow"),
      (error) =>
        error instanceof UserError && message.test(error.message) && error.message.startsWith("file.arrow"),
    );
  }
});
