import { join } from "node:path";
import { runName } from "../specs/names.js";
import { specHash } from "../specs/spec-hash.js";
import type { RunSpec } from "../specs/spec.js";

/** The folder of a run among all runs: its name for people, and the hash of its spec, by which it is told from others. */
export function folderOf(name: string, spec: unknown): string {
  return `${name}-${specHash(spec)}`;
}

/** The name in a run's folder. */
export function nameInFolder(folder: string): string {
  return folder.replace(/-[0-9a-f]{12}$/, "");
}

/** The folder of the run of a spec among all runs. */
export function runFolder(spec: RunSpec): string {
  return folderOf(runName(spec), spec);
}

/** Directory of the run of a spec under `root`, begun or not. */
export function runDirectory(root: string, spec: RunSpec): string {
  return join(root, runFolder(spec));
}
