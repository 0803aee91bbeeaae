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
