import type { SpecChange } from "../experiments/specs/spec-change.js";
import { UserError } from "../util/errors.js";
import { jsonOrText } from "../util/json-text.js";
import { type Fields, isRecord } from "../util/records.js";

/** Fields within fields; no spec is half as deep. */
const DEEPEST = 20;

/**
 * The change that texts of the form `key=value` ask for: `train.epochs=3`, a dotted path and a value, which is read as JSON
 * where it is JSON, else as text. Which fields there are, and what they may hold, is checked when the change is made.
 */
export function parseOverrides(texts: readonly string[]): SpecChange {
  return texts.reduce<Fields>((change, text) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    const path = key?.split(".") ?? [];
    if (value === undefined || path.length === 0 || path.includes("")) {
      throw new UserError(`"${text}" is not of the form key=value, for example train.epochs=3`);
    }
    if (path.length > DEEPEST) {
      throw new UserError(`an override goes ${path.length} fields deep, a spec at most ${DEEPEST}`);
    }
    return placed(change, path, jsonOrText(value));
  }, {});
}

function placed(fields: Fields, [key = "", ...rest]: readonly string[], value: unknown): Fields {
  if (rest.length === 0) return { ...fields, [key]: value };
  const below = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return { ...fields, [key]: placed(isRecord(below) ? below : {}, rest, value) };
}
