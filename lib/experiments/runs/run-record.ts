import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { UserError } from "../../util/errors.js";
import { sha256OfFile } from "../../util/files.js";
import { readJson } from "../../util/json-file.js";
import { readJsonLines } from "../../util/json-lines.js";
import { parseWithSchema } from "../../util/schema.js";
import { specHash } from "../specs/spec-hash.js";
import { CheckpointFolder, type Checkpoint } from "./checkpoint-folder.js";
import { nameInFolder } from "./run-folder.js";

/** Where runs are kept, from the folder that work is done in: in notebooks that of the project. */
export const RUNS = join("data", "runs");
export const SPEC = "spec.json";
export const ENVIRONMENT = "environment.json";
export const METRICS = "metrics.jsonl";
export const DONE = "DONE.json";

/** One line of metrics.jsonl: what was measured after `step` steps. */
export type MetricsRecord = Readonly<Record<string, unknown>> & { readonly step: number };

const metricsSchema = z.looseObject({ step: z.number() });
const doneSchema = z.object({
  hash: z.string(),
  finishedAt: z.string(),
  summary: z.unknown(),
  files: z.record(z.string(), z.string()),
});

/** DONE.json: the last word of a run, with the SHA-256 of each of its other files. */
export type DoneRecord = z.output<typeof doneSchema>;

/** A run as it stands on disk, for analyses: reading only, without a lock. */
export class RunRecord {
  readonly directory: string;
  readonly #checkpoints: CheckpointFolder;

  constructor(directory: string) {
    this.directory = directory;
    this.#checkpoints = new CheckpointFolder(directory);
  }

  get name(): string {
    return nameInFolder(basename(this.directory));
  }

  get spec(): unknown {
    return readJson(this.#path(SPEC), z.unknown());
  }

  get hash(): string {
    return specHash(this.spec);
  }

  /** The environments that worked on the run, first to last. */
  get environments(): readonly unknown[] {
    return readJson(this.#path(ENVIRONMENT), z.array(z.unknown()));
  }

  isDone(): boolean {
    return existsSync(this.#path(DONE));
  }

  /** DONE.json, or null while the run is not done. */
  get done(): DoneRecord | null {
    return this.isDone() ? readJson(this.#path(DONE), doneSchema) : null;
  }

  /** Checks each file of a finished run against DONE.json; a UserError names all that are missing or changed. */
  async verify(): Promise<void> {
    const { done } = this;
    if (done === null) throw new UserError(`${this.directory} is not finished: it has no ${DONE}`);
    const problems: string[] = [];
    if (done.hash !== this.hash) problems.push(`${SPEC} is not the spec that was run`);
    for (const [name, expected] of Object.entries(done.files)) {
      const path = this.#path(name);
      if (!existsSync(path)) problems.push(`${name} is missing`);
      else if ((await sha256OfFile(path)) !== expected) problems.push(`${name} has changed`);
    }
    if (problems.length > 0) {
      throw new UserError(
        `${this.directory} is damaged: ${problems.join(", ")}; delete the folder and run it again`,
      );
    }
  }

  /** The metrics in the order they were written; a UserError names a damaged line. */
  readMetrics(): MetricsRecord[] {
    const path = this.#path(METRICS);
    return readJsonLines(path).records.map((record, i) =>
      parseWithSchema(metricsSchema, record, `${path}, line ${i + 1}`),
    );
  }

  /** The newest sound checkpoint, or null if none was committed; damaged ones are reported to `warn`. */
  latestCheckpoint(warn: (message: string) => void): Promise<Checkpoint | null> {
    return this.#checkpoints.latest(warn);
  }

  #path(name: string): string {
    return join(this.directory, name);
  }
}

/** The run in `directory`; a UserError if there is none. */
export function readRun(directory: string): RunRecord {
  if (!existsSync(join(directory, SPEC))) throw new UserError(`${directory} holds no run: it has no ${SPEC}`);
  return new RunRecord(directory);
}

/** All runs in the folder `root`, data/runs unless told, finished or not, by directory name; none if it is not there. */
export function listRuns(root = RUNS): RunRecord[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort()
    .map((name) => join(root, name))
    .filter((directory) => existsSync(join(directory, SPEC)))
    .map((directory) => new RunRecord(directory));
}
