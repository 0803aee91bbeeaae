import { z } from "zod";
import { type ResolvedDatasetSource } from "../../datasets/source.js";
import { UserError } from "../../util/errors.js";
import { parseWithSchema } from "../../util/schema.js";
import { PRESETS, type PresetName, presetNamed } from "./presets.js";
import type { RunSpec } from "./spec.js";
import { changedSpec, combined, type SpecChange } from "./spec-change.js";

const sweepSchema = z.strictObject({
  /** Presets. */
  models: z.array(z.enum(Object.keys(PRESETS) as [PresetName, ...PresetName[]])).min(1),
  seeds: z.array(z.int().min(0)).min(1).default([0]),
  /** Data sources as on the command line; those of the presets where there are none. */
  data: z.array(z.string().min(1)).min(1).optional(),
  /** Fields of every spec that become others, by their paths. */
  change: z.record(z.string(), z.unknown()).default({}),
  /** Fields with all values that they are to have, by their paths; every combination is a training. */
  grid: z.record(z.string(), z.array(z.unknown()).min(1)).default({}),
});

/** Many trainings at once: every model with every seed on all data with every combination of the grid's values. */
export type SweepSpec = z.output<typeof sweepSchema>;

/** A sweep with every field checked; a UserError, which begins with `where`, names what is wrong. */
export function parseSweepSpec(value: unknown, where: string): SweepSpec {
  return parseWithSchema(sweepSchema, value, where);
}

/**
 * The specs of a sweep in the order of data, models, grid (its last field changing fastest) and seeds; `sources` are
 * its data. A UserError names the field that a spec has not, or a value that it cannot have.
 */
export function sweepSpecs(
  { models, seeds, change, grid }: SweepSpec,
  sources: readonly (ResolvedDatasetSource | undefined)[],
  where = "the sweep",
): RunSpec[] {
  const fixed = combined(...Object.entries(change).map(([field, value]) => at(field, value)));
  return product([sources, models, gridChanges(grid), seeds]).map(([data, model, varied, seed]) => {
    const change = combined(fixed, varied, { seed, ...(data && { data }) });
    return changedSpec(presetNamed(model), change, `${where}, ${model}`);
  });
}

function gridChanges(grid: SweepSpec["grid"]): SpecChange[] {
  const fields = Object.entries(grid).map(([field, values]) => values.map((value) => at(field, value)));
  return combinations(fields).map((changes) => combined(...changes));
}

/** A change of one field by its path: `at("train.epochs", 5)` is `{ train: { epochs: 5 } }`. */
function at(field: string, value: unknown): SpecChange {
  if (!/^\w+(\.\w+)*$/.test(field))
    throw new UserError(`a sweep changes "${field}", which is no path of a field, such as train.epochs`);
  return field.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as SpecChange;
}

/** Every way of taking one of each list, the last list changing fastest; of no lists one empty way. */
const combinations = <Item>(lists: readonly (readonly Item[])[]): Item[][] =>
  lists.reduce<Item[][]>((ways, list) => ways.flatMap((way) => list.map((item) => [...way, item])), [[]]);

const product = <A, B, C, D>(lists: readonly [readonly A[], readonly B[], readonly C[], readonly D[]]) =>
  combinations<A | B | C | D>(lists) as [A, B, C, D][];
