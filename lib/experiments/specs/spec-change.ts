import { type ArchitectureName } from "../../models/architectures.js";
import { UserError } from "../../util/errors.js";
import { type Fields, isRecord } from "../../util/records.js";
import { fieldsOf } from "./network-spec.js";
import { parseRunSpec, type RunSpec } from "./spec.js";

/**
 * Fields of a spec, or of a part of it, that become others: `{ train: { epochs: 5 } }`. Lists, and what has a `kind`,
 * are replaced as a whole.
 */
export type Change<Part> = Part extends readonly unknown[] | { readonly kind: string }
  ? Part
  : Part extends object
    ? { readonly [Field in keyof Part]?: Change<Part[Field]> }
    : Part;

/** Fields of a spec that become others, checked by the compiler; `changedSpec` makes the change. */
export type SpecChange = Change<RunSpec>;

/**
 * `spec` with a change made, every field checked. With another `network.architecture` the fields that only the former
 * one has are gone. A UserError, which begins with `where`, for what a spec cannot be.
 */
export function changedSpec(spec: RunSpec, change: SpecChange, where = "the changed spec"): RunSpec {
  return parseRunSpec(merged(forArchitecture(spec, change.network?.architecture), change), where);
}

/** Several changes as one; a later one has the last word. */
export function combined(...changes: readonly SpecChange[]): SpecChange {
  return changes.reduce<SpecChange>((all, change) => merged(all, change) as SpecChange, {});
}

/** A change as the texts that ask for it at the command line. */
export function changeTexts(change: SpecChange): string[] {
  return leafTexts(change, []);
}

function leafTexts(value: unknown, path: readonly string[]): string[] {
  if (!isRecord(value) || Object.hasOwn(value, "kind")) return [`${path.join(".")}=${JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([field, one]) => leafTexts(one, [...path, field]));
}

function forArchitecture({ network, ...others }: RunSpec, wanted: ArchitectureName | undefined): Fields {
  const allowed = fieldsOf(wanted ?? network.architecture);
  const kept = Object.entries(network).filter(
    ([field]) => field === "architecture" || allowed.includes(field),
  );
  return { ...others, network: Object.fromEntries(kept) };
}

function merged(target: unknown, change: unknown, path: readonly string[] = []): unknown {
  if (target === undefined || !isRecord(change) || Object.hasOwn(change, "kind")) return change;
  if (Array.isArray(target)) return mergedList(target, change, path);
  if (!isRecord(target ?? {})) {
    const [field = ""] = Object.keys(change);
    throw missing([...path, field], `${path.join(".")} is ${JSON.stringify(target)}, which has no fields`);
  }
  const fields: Fields = { ...(target as Fields | null) };
  const changed = Object.entries(change).map(([field, value]) => {
    const old = Object.hasOwn(fields, field) ? fields[field] : undefined;
    return [field, merged(old, value, [...path, field])] as const;
  });
  return { ...fields, ...Object.fromEntries(changed) };
}

/** A list with some items changed, by their places: what the command line asks for with `network.layers.0=2`. */
function mergedList(list: readonly unknown[], change: Fields, path: readonly string[]): unknown[] {
  for (const place of Object.keys(change)) {
    if (!/^\d+$/.test(place) || Number(place) >= list.length)
      throw missing([...path, place], `${path.join(".")} is a list of ${list.length} items, counted from 0`);
  }
  return list.map((item, i) =>
    Object.hasOwn(change, String(i)) ? merged(item, change[String(i)], [...path, String(i)]) : item,
  );
}

const missing = (path: readonly string[], reason: string): UserError =>
  new UserError(`${path.join(".")} does not exist: ${reason}`);
