import assert from "node:assert/strict";
import { UserError } from "../lib/util/errors.js";

/** For `assert.throws`: holds where the error is meant for people and its sentence matches. */
export function userError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UserError, error instanceof Error ? error.stack : String(error));
    assert.match(error.message, message);
    return true;
  };
}
