import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import type { ImageSet } from "./dataset.js";
import { numberOfFile } from "./image-layout.js";
import { parseNpy } from "./npy.js";
import { zipFiles } from "./zip-archive.js";

/** C-scores (Jiang et al. 2021) in the original order of the examples. */
export interface CScores {
  /** `[N]` class of each example. */
  readonly labels: Int32Array;
  /** `[N]` in [0, 1], 1 = typical; NaN where unknown. */
  readonly scores: Float32Array;
}

const ARRAYS = ["labels.npy", "scores.npy"] as const;

/** Reads `labels` and `scores` from an `.npz` file; throws a UserError that says what is wrong with it. */
export async function readCScores(path: string): Promise<CScores> {
  const entries = await unzipped(path);
  const [labels, scores] = ARRAYS.map((name) => {
    const entry = entries.get(name);
    if (entry === undefined)
      throw new UserError(`${path} has no array ${name}; C-scores need labels and scores`);
    const array = parseNpy(entry, `${path}: ${name}`);
    if (array.shape.length !== 1)
      throw new UserError(`${path}: ${name} has ${array.shape.length} axes, expected one`);
    return array.values;
  });
  if (labels === undefined || scores === undefined || labels.length !== scores.length || labels.length === 0)
    throw new UserError(
      `${path}: labels (${labels?.length ?? 0}) and scores (${scores?.length ?? 0}) do not pair up`,
    );
  const badLabel = labels.findIndex((label) => !Number.isInteger(label) || label < 0 || label > 1e6);
  if (badLabel >= 0)
    throw new UserError(`${path}: labels[${badLabel}] is ${labels[badLabel] ?? ""}, no class number`);
  const badScore = scores.findIndex((score) => score < 0 || score > 1);
  if (badScore >= 0)
    throw new UserError(
      `${path}: scores[${badScore}] is ${scores[badScore] ?? ""}, C-scores lie from 0 to 1`,
    );
  return { labels: Int32Array.from(labels), scores: Float32Array.from(scores) };
}

/** The two arrays; whatever lies beside them is left alone. */
async function unzipped(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = new Map<string, Uint8Array>();
  try {
    for await (const { path: name, content } of zipFiles(path, (file) => ARRAYS.some((one) => one === file)))
      if (content !== undefined) entries.set(name, content);
  } catch (error) {
    const known = fileError(error, "read", path);
    if (known instanceof UserError) throw known;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${path} is no whole .npz file (${reason}); get it again`, { cause: error });
  }
  return entries;
}

/**
 * The split with `cScores[n] = scores[ids[n]]`, NaN where the scores do not reach.
 *
 * Throws a UserError where the scores' labels are not the split's, or its ids are not original indices.
 */
export function joinCScores(set: ImageSet, { labels, scores }: CScores, where: string): ImageSet {
  const unnumbered = set.paths?.find((path, n) => numberOfFile(path) !== set.ids[n]);
  if (unnumbered !== undefined)
    throw new UserError(
      `C-scores join by original index, but file ${unnumbered} is not named by a number of its own`,
    );
  const known = set.ids.filter((id) => id < labels.length).length;
  const wrong = set.ids.findIndex((id, n) => id < labels.length && labels[id] !== set.labels[n]);
  if (wrong >= 0 || known === 0) {
    const id = set.ids[wrong] ?? 0;
    const differing = set.ids.filter((at, n) => at < labels.length && labels[at] !== set.labels[n]).length;
    throw new UserError(
      known === 0
        ? `${where} covers none of the images`
        : `${where} does not belong to these data: example ${id} has label ${labels[id] ?? ""} there and ` +
            `${set.labels[wrong] ?? ""} here, and ${differing} of ${known} labels differ`,
    );
  }
  return { ...set, cScores: Float32Array.from(set.ids, (id) => scores[id] ?? NaN) };
}
