import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { decodeJson } from "../../lib/util/json-file.js";
import { UserError } from "../../lib/util/errors.js";

test("what is no JSON is told in one line, whatever it holds", () => {
  for (const text of ["something else\n", '{"a": 1,\n\u001b[31m', "\u2028", "[\r\n"])
    assert.throws(
      () => decodeJson(text, "a.json", z.unknown(), "delete it"),
      (error) =>
        error instanceof UserError &&
        /^a\.json is not valid JSON: .*; delete it$/.test(error.message) &&
        !/[\u0000-\u001f\u2028]/.test(error.message),
    );
});

test("a number too large for a float64 is refused, not read as infinite", () => {
  const long = `1${"0".repeat(400)}`;
  for (const text of ["1e999", '{"a": [-1E+400]}', long, `[${long}.5]`])
    assert.throws(
      () => decodeJson(text, "a.json", z.unknown()),
      /a\.json is not valid JSON: the number .* too large/,
    );
  const whole = `[1e308, 1e-999, ${"0.".padEnd(400, "1")}, "1e999", 1${"0".repeat(300)}]`;
  assert.deepEqual(decodeJson(whole, "a.json", z.unknown()), JSON.parse(whole));
});
