import { UserError } from "../../util/errors.js";
import { jsonOrText } from "../../util/json-text.js";

/** Fields within fields; no spec is half as deep. */
const DEEPEST = 20;

/**
 * `spec` with each `key=value` put in place; the key is a dotted path (`train.epochs=3`, `stages.0.blocks=2`), the
 * value is read as JSON where it is JSON, else as text. What fields exist and what they may hold is left to the schema.
 */
export function applyOverrides(spec: object, overrides: readonly string[]): unknown {
  return overrides.reduce<unknown>((value, override) => {
    const [, key, text] = /^([^=]+)=(.*)$/s.exec(override) ?? [];
    const path = key?.split(".") ?? [];
    if (text === undefined || path.length === 0 || path.includes("")) {
      throw new UserError(`"${override}" is not of the form key=value, for example train.epochs=3`);
    }
    if (path.length > DEEPEST) {
      throw new UserError(`an override goes ${path.length} fields deep, a spec at most ${DEEPEST}`);
    }
    return replaceAt(value, path, jsonOrText(text), []);
  }, spec);
}

function replaceAt(
  target: unknown,
  path: readonly string[],
  value: unknown,
  walked: readonly string[],
): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const here = [...walked, key];
  if (Array.isArray(target)) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index >= target.length) {
      throw new UserError(
        `${here.join(".")} does not exist: ${walked.join(".")} is a list of ${target.length} items, counted from 0`,
      );
    }
    return target.map((item: unknown, i) => (i === index ? replaceAt(item, rest, value, here) : item));
  }
  if (typeof target !== "object" && target !== undefined) {
    throw new UserError(
      `${here.join(".")} does not exist: ${walked.join(".")} is ${JSON.stringify(target)}, which has no fields`,
    );
  }
  const fields: Record<string, unknown> = { ...target };
  const old = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return { ...fields, [key]: replaceAt(old, rest, value, here) };
}
