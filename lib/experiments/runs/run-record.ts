import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../../util/errors.js";
import { extentOf, fileError, sha256 } from "../../util/files.js";
import { decodeJson } from "../../util/json-file.js";
import { decodeJsonLines } from "../../util/json-lines.js";
import { parseWithSchema } from "../../util/schema.js";
import { specHash } from "../specs/spec-hash.js";
import { CheckpointFolder, type Checkpoint, isCheckpointFile } from "./checkpoint-folder.js";
import { DONE, type DoneRecord, ENVIRONMENT, METRICS, readDone, SPEC } from "./done-record.js";
import { nameInFolder } from "./run-folder.js";

/** Where runs are kept, from the folder that work is done in: in notebooks that of the project. */
export const RUNS = join("data", "runs");

/** One line of metrics.jsonl: what was measured after `step` steps. */
export type MetricsRecord = Readonly<Record<string, unknown>> & { readonly step: number };

const metricsSchema = z.looseObject({ step: z.number() });
/**
 * A run as it stands on disk, for analyses: reading only, without a lock. What is read of a finished run is held to
 * DONE.json: a UserError names a file that is not the one that the run wrote.
 */
export class RunRecord {
  readonly directory: string;
  readonly #checkpoints: CheckpointFolder;

  constructor(directory: string) {
    this.directory = directory;
    this.#checkpoints = new CheckpointFolder(directory, () => this.hash);
  }

  get name(): string {
    return nameInFolder(basename(this.directory));
  }

  get spec(): unknown {
    return this.readJson(SPEC, z.unknown());
  }

  get hash(): string {
    return specHash(this.spec);
  }

  /** The environments that worked on the run, first to last. */
  get environments(): readonly unknown[] {
    return this.readJson(ENVIRONMENT, z.array(z.unknown()));
  }

  isDone(): boolean {
    return existsSync(this.#path(DONE));
  }

  /** DONE.json, or null while the run is not done. */
  get done(): DoneRecord | null {
    return this.isDone() ? readDone(this.directory) : null;
  }

  /** Whether the run was finished before DONE.json held a sum of itself, so that nothing tells whether it was edited. */
  isUnverified(): boolean {
    const { done } = this;
    return done !== null && done.sum === undefined;
  }

  /** Checks each file of a finished run against DONE.json; a UserError names all that are missing or changed. */
  verify(): Promise<void> {
    return this.#verify(() => true);
  }

  /** The same of what results are made of: checkpoints may have been deleted to save room. */
  verifyResults(): Promise<void> {
    return this.#verify((name) => !isCheckpointFile(name));
  }

  async #verify(counts: (name: string) => boolean): Promise<void> {
    const { done } = this;
    if (done === null) throw new UserError(`${this.directory} is not finished: it has no ${DONE}`);
    const problems: string[] = [];
    for (const [name, expected] of Object.entries(done.files).filter(([name]) => counts(name))) {
      const found = await extentOf(this.#path(name));
      if (found === undefined) problems.push(`${name} is missing`);
      else if (found.sha256 !== expected) problems.push(`${name} has changed`);
    }
    if (problems.length === 0 && done.hash !== this.hash)
      problems.push(`${SPEC} is not the spec that was run`);
    if (problems.length > 0) throw damaged(this.directory, problems.join(", "));
  }

  /** The metrics in the order they were written; a UserError names a damaged line. */
  readMetrics(): MetricsRecord[] {
    const path = this.#path(METRICS);
    if (!this.isDone() && !existsSync(path)) return [];
    return decodeJsonLines(this.#read(METRICS), path).records.map((record, i) =>
      parseWithSchema(metricsSchema, record, `${path}, line ${i + 1}`),
    );
  }

  /** One of the run's JSON files. */
  readJson<Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> {
    return decodeJson(this.#read(name).toString("utf8"), this.#path(name), schema);
  }

  /** The newest sound checkpoint, or null if none was committed; damaged ones are reported to `warn`. */
  latestCheckpoint(warn: (message: string) => void): Promise<Checkpoint | null> {
    return this.#checkpoints.latest(warn);
  }

  /** A file's content, which in a finished run is the one that DONE.json names. */
  #read(name: string): Buffer {
    const path = this.#path(name);
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      throw fileError(error, "read", path);
    }
    const expected = this.done?.files[name];
    if (expected !== undefined && sha256(bytes) !== expected)
      throw damaged(this.directory, `${name} has changed`);
    return bytes;
  }

  #path(name: string): string {
    return join(this.directory, name);
  }
}

/** That a finished run is not what was written, and what to do. */
export function damaged(directory: string, reason: string): UserError {
  return new UserError(`${directory} is damaged: ${reason}; delete the folder and run it again`);
}

/** The run in `directory`; a UserError if there is none. */
export function readRun(directory: string): RunRecord {
  if (!existsSync(join(directory, SPEC))) throw new UserError(`${directory} holds no run: it has no ${SPEC}`);
  return new RunRecord(directory);
}

/** All runs in the folder `root`, data/runs unless told, finished or not, by directory name; none if it is not there. */
export function listRuns(root = RUNS): RunRecord[] {
  return namedRuns(root).filter(({ directory }) => !isSecondName(directory, root));
}

/** The same under each of their names: a run whose images lie at two paths has two (`runHome`). */
export function namedRuns(root = RUNS): RunRecord[] {
  if (!existsSync(root)) return [];
  try {
    return readdirSync(root)
      .sort()
      .map((name) => join(root, name))
      .filter((directory) => existsSync(join(directory, SPEC)))
      .map((directory) => new RunRecord(directory));
  } catch (error) {
    throw fileError(error, "read", root);
  }
}

/** Whether it is a link to another run of the same root; a run that lies elsewhere is in this root by its link alone. */
function isSecondName(directory: string, root: string): boolean {
  try {
    return lstatSync(directory).isSymbolicLink() && dirname(realpathSync(directory)) === realpathSync(root);
  } catch (error) {
    throw fileError(error, "read", directory);
  }
}
