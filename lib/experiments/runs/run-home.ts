import { existsSync, lstatSync, readdirSync, realpathSync, type Stats } from "node:fs";
import { symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../../util/errors.js";
import { removeFile } from "../../util/files.js";
import { specHash } from "../specs/spec-hash.js";
import { folderOf, nameInFolder, runDirectory, runFolder } from "./run-folder.js";
import { SPEC } from "./done-record.js";
import { listRuns, readRun, type RunRecord } from "./run-record.js";
import { assertSameImages, imagesSeen } from "./run-images.js";
import type { RunSpec } from "../specs/spec.js";

/** Where a spec is run, and the spec that its directory is named after. */
export interface RunHome {
  readonly directory: string;
  readonly spec: unknown;
}

/**
 * The home of a spec's run on the images with this hash.
 *
 * A run is named after its spec, which says where the images lie. The same training on the same images at another
 * path is the same run all the same: the spec's own directory is then a link to the one of that run, so that it is
 * found by either name. Throws a UserError where the run that is there saw other images.
 */
export async function runHome(root: string, spec: RunSpec, hash: string): Promise<RunHome> {
  const own = runDirectory(root, spec);
  const found = statsOf(own);
  if (found?.isSymbolicLink() === true && !existsSync(own)) await removeFile(own);
  else if (found !== undefined) {
    if (existsSync(join(own, SPEC))) assertSameImages(own, hash, spec.data);
    return found.isSymbolicLink() ? homeOf(root, realpathSync(own)) : { directory: own, spec };
  }
  const same = sameRun(root, spec, hash);
  if (same === undefined) return { directory: own, spec };
  // Another process may have been quicker; and where a file system has no links, the run goes by its own name alone.
  await symlink(basename(same.directory), own).catch(() => undefined);
  return homeOf(root, same.directory);
}

function homeOf(root: string, directory: string): RunHome {
  const home = join(root, basename(directory));
  return { directory: home, spec: readRun(home).spec };
}

function statsOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Another run of the same training on the same images, a finished one first. */
function sameRun(root: string, spec: RunSpec, hash: string): RunRecord | undefined {
  if (!existsSync(root)) return undefined;
  const training = trainingHash(spec);
  const name = nameInFolder(runFolder(spec));
  const candidates = new Set(readdirSync(root).filter((folder) => nameInFolder(folder) === name));
  const same = listRuns(root).filter(
    (record) => candidates.has(basename(record.directory)) && isSame(record, training, hash),
  );
  return same.find((record) => record.isDone()) ?? same[0];
}

function isSame(record: RunRecord, training: string, hash: string): boolean {
  if (statsOf(record.directory)?.isSymbolicLink() === true) return false;
  try {
    // A copy under a name of its own is not the run.
    if (basename(record.directory) !== folderOf(record.name, record.spec)) return false;
    return trainingHash(record.spec) === training && imagesSeen(record)?.hash === hash;
  } catch (error) {
    // A damaged run is told of when it is opened, not by one that looks past it.
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Hash of all that decides a training but its images: what they are is told by their own hash. */
function trainingHash(spec: unknown): string {
  return specHash(typeof spec === "object" && spec !== null ? { ...spec, data: null } : spec);
}
