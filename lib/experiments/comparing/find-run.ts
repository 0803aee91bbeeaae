import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError } from "../../util/errors.js";
import { SPEC } from "../runs/done-record.js";
import { namedRuns, readRun, type RunRecord, RUNS } from "../runs/run-record.js";

/**
 * The run that a text names: its folder, the folder's name under `root`, or the beginning of its hash. Throws a
 * UserError where that is none, or more than one.
 */
export function findRun(text: string, root = RUNS): RunRecord {
  for (const folder of [text, join(root, text)]) if (existsSync(join(folder, SPEC))) return readRun(folder);
  const found = namedRuns(root).filter(
    ({ directory }) => /-([0-9a-f]+)$/.exec(directory)?.[1]?.startsWith(text) === true,
  );
  const [first, ...others] = found;
  if (first === undefined)
    throw new UserError(`no run under ${root} is called ${text}, and no run's hash begins so`);
  if (others.length === 0) return first;
  const names = found.map(({ directory }) => basename(directory)).join(", ");
  throw new UserError(`${text} names ${found.length} runs: ${names}; write more of the hash`);
}
