import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { datasetHash, loadDataset } from "../../datasets/load.js";
import type { ResolvedDatasetSource } from "../../datasets/source.js";
import { runHome } from "../../experiments/runs/run-home.js";
import { DONE } from "../../experiments/runs/done-record.js";
import { UserError } from "../../util/errors.js";
import type { Training } from "./replication.js";
import { sourcesOf } from "./source-shapes.js";

/**
 * Holds the images of all trainings to those that their runs saw, and finds runs of the same trainings on the same
 * images at another path. Data that are still to be trained on are decoded here once, and not by each training.
 *
 * Throws a UserError where images have changed, and where those of an unfinished training are not there; `report` is
 * told of finished ones whose images are gone.
 */
export async function checkImages(
  trainings: readonly Training[],
  root: string,
  report: (line: string) => void,
): Promise<void> {
  for (const source of sourcesOf(trainings)) {
    const own = trainings.filter(({ spec }) => isDeepStrictEqual(spec.data, source));
    const areDone = own.every(({ directory }) => existsSync(join(root, directory, DONE)));
    const hash = areDone ? await hashIfThere(source, report) : (await loadDataset(source)).hash;
    if (hash !== undefined) for (const { spec } of own) await runHome(root, spec, hash);
  }
}

async function hashIfThere(
  source: ResolvedDatasetSource,
  report: (line: string) => void,
): Promise<string | undefined> {
  try {
    return await datasetHash(source);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    report(`the images of finished trainings cannot be compared with those that they saw: ${error.message}`);
    return undefined;
  }
}
