import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { canonicalJson } from "../../util/canonical-json.js";
import { UserError } from "../../util/errors.js";
import { extentOfData, fileError, removeFile, writeFileAtomic } from "../../util/files.js";
import { lockFolder, type FolderLock } from "../../util/folder-lock.js";
import { encodeJsonLine, openJsonLines, type JsonLinesWriter } from "../../util/json-lines.js";
import type { StoredTensor } from "../../util/safetensors.js";
import { folderOf } from "./run-folder.js";
import { CheckpointFolder, isCheckpointFile, type Checkpoint } from "./checkpoint-folder.js";
import { currentEnvironment } from "./environment.js";
import { DONE, type DoneRecord, ENVIRONMENT, METRICS, SPEC, summed } from "./done-record.js";
import { type MetricsRecord, RunRecord } from "./run-record.js";
import { WrittenFiles } from "./written-files.js";
import { specHash } from "../specs/spec-hash.js";

export interface OpenRunOptions {
  /** Folder of all runs, such as data/runs. */
  readonly root: string;
  /** Letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** The resolved spec as plain data: every field that decides the result. */
  readonly spec: unknown;
  /** Added to environment.json, such as thread count and backend. */
  readonly environment?: Readonly<Record<string, unknown>>;
  /** Told what was found damaged and what was done about it. */
  readonly warn: (message: string) => void;
  /** How long to wait for another process that writes the run. */
  readonly patienceMs?: number;
}

/**
 * Opens the run of `spec` under `root` for writing, new or where a killed process left it, under an exclusive lock.
 * A UserError if another process is writing it or its spec.json was changed.
 */
export async function openRun({
  root,
  name,
  spec,
  environment = {},
  warn,
  patienceMs = 0,
}: OpenRunOptions): Promise<Run> {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
    throw new UserError(`"${name}" is no name for a run: use letters, digits, ".", "_" and "-"`);
  }
  const directory = join(root, folderOf(name, spec));
  await mkdir(directory, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, "write", directory);
  });
  const lock = await lockFolder(directory, { patienceMs });
  try {
    const record = new RunRecord(directory);
    const files = new WrittenFiles(directory);
    if (!record.isDone()) {
      await removeUnfinishedFiles(directory);
      await writeSpec(record, spec);
      await writeEnvironment(record, currentEnvironment(environment), warn);
      for (const name of [SPEC, ENVIRONMENT]) await files.noteAsFound(name);
    }
    return new Run(record, specHash(spec), files, lock, warn);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** A run open for writing; made by openRun. Every write is a UserError once the lock is lost or released, or the run done. */
export class Run {
  readonly directory: string;
  readonly name: string;
  readonly hash: string;
  readonly #record: RunRecord;
  readonly #checkpoints: CheckpointFolder;
  readonly #files: WrittenFiles;
  readonly #lock: FolderLock;
  readonly #warn: (message: string) => void;
  #metrics: JsonLinesWriter | null = null;
  #released = false;

  constructor(
    record: RunRecord,
    hash: string,
    files: WrittenFiles,
    lock: FolderLock,
    warn: (message: string) => void,
  ) {
    this.directory = record.directory;
    this.name = record.name;
    this.hash = hash;
    this.#record = record;
    this.#checkpoints = new CheckpointFolder(record.directory, () => hash);
    this.#files = files;
    this.#lock = lock;
    this.#warn = warn;
    if (!record.isDone()) this.#openMetrics();
  }

  isDone(): boolean {
    return this.#record.isDone();
  }

  /** DONE.json, or null while the run is not done. */
  get done(): DoneRecord | null {
    return this.#record.done;
  }

  /** Checks each file of the finished run against DONE.json; a UserError names all that are missing or changed. */
  verify(): Promise<void> {
    return this.#record.verify();
  }

  /** Appends one line to metrics.jsonl. It survives a kill at once, and a power cut from the next checkpoint on. */
  appendMetrics(record: MetricsRecord): void {
    this.#openMetrics().append(record);
  }

  readMetrics(): MetricsRecord[] {
    return this.#record.readMetrics();
  }

  /** Drops the metrics of all steps after `step`, which a run resumed from there computes again; -1 drops all. */
  async truncateMetrics(step: number): Promise<void> {
    this.#assertWritable();
    const all = this.readMetrics();
    const kept = all.filter((record) => record.step <= step);
    if (kept.length === all.length) return;
    this.#closeMetrics();
    await writeFileAtomic(join(this.directory, METRICS), kept.map(encodeJsonLine).join(""));
  }

  /** Commits the state after `step` steps, and with it all metrics so far; this checkpoint and the one before it are kept. */
  async saveCheckpoint(
    step: number,
    tensors: ReadonlyMap<string, StoredTensor>,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    this.#files.note(METRICS, this.#openMetrics().sync());
    await this.#files.assertUnchanged();
    const files = this.#files.extents([SPEC, ENVIRONMENT]);
    await this.#checkpoints.save({ step, tensors, metadata, files });
  }

  /**
   * The newest sound checkpoint whose metrics and other files are as they were when it was saved, or null if none was
   * committed; a UserError if there is no such one.
   */
  async latestCheckpoint(): Promise<Checkpoint | null> {
    const checkpoint = await this.#checkpoints.latest(this.#warn);
    for (const [name, extent] of Object.entries(checkpoint?.files ?? {}))
      if (name !== METRICS) this.#files.note(name, extent);
    return checkpoint;
  }

  /** Writes (or replaces) one more file of the run. */
  async writeArtifact(name: string, data: Uint8Array | string | readonly Uint8Array[]): Promise<void> {
    this.#assertWritable();
    if (basename(name) !== name || name.startsWith(".") || isOwnFile(name)) {
      throw new RangeError(`"${name}" cannot be the name of an artifact of a run`);
    }
    await writeFileAtomic(join(this.directory, name), data);
    this.#files.note(name, extentOfData(data));
  }

  /**
   * Ends the run: writes DONE.json with `summary` and the SHA-256 of each file, after which nothing can be written. A
   * UserError where a file is not as this run wrote it. Folders are nobody's and left alone.
   */
  async finish(summary: unknown): Promise<void> {
    this.#files.note(METRICS, this.#openMetrics().sync());
    this.#closeMetrics();
    const files = await this.#files.sums();
    const done = summed({ hash: this.hash, finishedAt: new Date().toISOString(), summary, files });
    await writeFileAtomic(join(this.directory, DONE), indented(done));
  }

  /** Gives the lock back; the run can then be opened by others. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#closeMetrics();
    await this.#lock.release();
  }

  #assertWritable(): void {
    if (this.#released) throw new UserError(`${this.directory} was released and cannot be written any more`);
    this.#lock.assertHeld();
    if (this.isDone()) throw new UserError(`${this.directory} is done and cannot be written any more`);
  }

  #openMetrics(): JsonLinesWriter {
    this.#assertWritable();
    this.#metrics ??= openJsonLines(join(this.directory, METRICS), this.#warn);
    return this.#metrics;
  }

  #closeMetrics(): void {
    this.#metrics?.close();
    this.#metrics = null;
  }
}

/** Temporary files of a killed process, never renamed to their names. */
async function removeUnfinishedFiles(directory: string): Promise<void> {
  for (const name of readdirSync(directory)) {
    if (/^\..*\.tmp$/.test(name)) await removeFile(join(directory, name));
  }
}

async function writeSpec(record: RunRecord, spec: unknown): Promise<void> {
  const path = join(record.directory, SPEC);
  if (!existsSync(path)) await writeFileAtomic(path, indented(spec));
  else if (record.hash !== specHash(spec)) {
    throw new UserError(
      `${path} was changed after the run began; restore it, or delete the folder to run it anew`,
    );
  }
}

/** Adds this environment to environment.json unless the last one equals it; a run resumed elsewhere may differ in bits. */
async function writeEnvironment(
  record: RunRecord,
  environment: Readonly<Record<string, unknown>>,
  warn: (message: string) => void,
): Promise<void> {
  const path = join(record.directory, ENVIRONMENT);
  const before = existsSync(path) ? record.environments : [];
  const last = before.at(-1);
  if (last !== undefined && canonicalJson(last) === canonicalJson(environment)) return;
  if (last !== undefined)
    warn(`${record.directory} goes on in another environment; see ${ENVIRONMENT} there`);
  await writeFileAtomic(path, indented([...before, environment]));
}

function isOwnFile(name: string): boolean {
  return [SPEC, ENVIRONMENT, METRICS, DONE].includes(name) || isCheckpointFile(name);
}

function indented(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
