import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../util/errors.js";
import { type Extent, extentOf } from "../../util/files.js";
import { decodeJson } from "../../util/json-file.js";

/** The entry of a checkpoint's metadata that says what the checkpoint belongs to. */
export const BOND = "belongs-to";

const bondSchema = z.strictObject({
  /** Hash of the spec. */
  run: z.string(),
  /** Steps done. */
  step: z.int(),
  /** What the run's files held when the checkpoint was saved: metrics.jsonl has grown since, the others have not. */
  files: z.record(z.string(), z.strictObject({ bytes: z.int().min(0), sha256: z.string() })),
});

/** What a checkpoint belongs to: a step of a run, and what the run had written until then. */
export type CheckpointBond = z.output<typeof bondSchema>;

/** The bond as an entry of the metadata. */
export function bondEntry(bond: CheckpointBond): Readonly<Record<string, string>> {
  return { [BOND]: JSON.stringify(bond) };
}

/**
 * The bond of a checkpoint that is called `step`, in the folder of the run with this hash; undefined where it is of the
 * former form, which has none. A UserError where the checkpoint is another's, or a file that it builds upon is not
 * what it was.
 */
export async function checkedBond(
  metadata: Readonly<Record<string, string>>,
  where: { readonly path: string; readonly folder: string; readonly run: string; readonly step: number },
): Promise<CheckpointBond | undefined> {
  const text = metadata[BOND];
  if (text === undefined) return undefined;
  const { path, folder, run, step } = where;
  const bond = decodeJson(text, `${path}, ${BOND}`, bondSchema);
  if (bond.run !== run)
    throw new UserError(`${path} is not of this run but of the one with hash ${bond.run}`);
  if (bond.step !== step)
    throw new UserError(`${path} is the checkpoint of step ${bond.step} under another name`);
  for (const [name, expected] of Object.entries(bond.files)) {
    const found = await extentOf(join(folder, name), expected.bytes);
    if (!isSame(found, expected))
      throw new UserError(
        `${name} does not hold any more what it held at step ${step}, so ${path} is of no use`,
      );
  }
  return bond;
}

/** Whether a file is there and holds what was expected. */
export function isSame(found: Extent | undefined, expected: Extent): boolean {
  return found?.bytes === expected.bytes && found.sha256 === expected.sha256;
}
