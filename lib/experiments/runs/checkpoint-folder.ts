import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../util/errors.js";
import { fileError, removeFile, sha256OfFile, writeFileAtomic } from "../../util/files.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../util/safetensors.js";
import { createHash } from "node:crypto";
import { BOND, bondEntry, checkedBond, type CheckpointBond } from "./checkpoint-bond.js";

/** The state of a run after `step` steps, as opaque named tensors and texts. */
export interface Checkpoint {
  readonly step: number;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the run's files held then, by name; none where the checkpoint is of the former form, which is not bound. */
  readonly files?: CheckpointBond["files"];
}

/**
 * The checkpoints of one folder: `checkpoint-<step>.safetensors`, each beside a `.sha256` file in the form of
 * sha256sum. The checksum is written first, so a checkpoint is committed by the rename that gives it its name, and
 * one that does not fit its checksum is damaged. Inside, each says what it belongs to (`CheckpointBond`).
 */
export class CheckpointFolder {
  readonly #folder: string;
  readonly #run: () => string;
  /** Steps whose files this process wrote itself or has checked. */
  readonly #sound = new Set<number>();

  /** `run` gives the hash of the run whose folder it is. */
  constructor(folder: string, run: () => string) {
    this.#folder = folder;
    this.#run = run;
  }

  /** Commits a checkpoint, then removes all but this one and the newest sound one before it. */
  async save({ step, tensors, metadata, files = {} }: Checkpoint): Promise<void> {
    const path = this.#path(step);
    const bond = bondEntry({ run: this.#run(), step, files });
    const parts = encodeSafetensors(tensors, { ...metadata, ...bond });
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    const line = `${hash.digest("hex")}  ${fileName(step)}\n`;
    // While a checkpoint of the same step is replaced, the old and the new content are both committed.
    const replaced = existsSync(path) ? await this.#checksums(step) : "";
    await writeFileAtomic(`${path}.sha256`, replaced + line);
    await writeFileAtomic(path, parts);
    if (replaced !== "") await writeFileAtomic(`${path}.sha256`, line);
    this.#sound.add(step);
    await this.#removeOthers(step);
  }

  /**
   * The newest sound checkpoint, or null if none was ever committed. Each damaged one passed over is reported to
   * `warn`; a UserError if all are damaged.
   */
  async latest(warn: (message: string) => void): Promise<Checkpoint | null> {
    const problems: string[] = [];
    for (const step of this.#steps()) {
      try {
        const checkpoint = await this.#load(step);
        for (const problem of problems) warn(`${problem}; going back to step ${step}`);
        if (checkpoint.files === undefined)
          warn(
            `${this.#path(step)} is of a former form, unverified: it does not say of which run and step it is`,
          );
        return checkpoint;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push(error.message);
      }
    }
    if (problems.length === 0) return null;
    throw new UserError(
      `no usable checkpoint is left in ${this.#folder} (${problems.join("; ")}); delete the folder to start the run anew`,
    );
  }

  async #load(step: number): Promise<Checkpoint> {
    const path = this.#path(step);
    const bytes = await readFile(path).catch((error: unknown) => {
      throw fileError(error, "read", path);
    });
    const hash = createHash("sha256").update(bytes).digest("hex");
    if (!(await this.#checksums(step)).includes(hash)) {
      throw new UserError(`${path} is damaged: its content does not fit its checksum file`);
    }
    const { tensors, metadata } = decodeSafetensors(bytes, path);
    const where = { path, folder: this.#folder, run: this.#run(), step };
    const bond = await checkedBond(metadata, where);
    this.#sound.add(step);
    const own = Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== BOND));
    return { step, tensors, metadata: own, ...(bond && { files: bond.files }) };
  }

  async #isSound(step: number): Promise<boolean> {
    return (
      this.#sound.has(step) || (await this.#checksums(step)).includes(await sha256OfFile(this.#path(step)))
    );
  }

  async #checksums(step: number): Promise<string> {
    const path = `${this.#path(step)}.sha256`;
    return existsSync(path) ? readFile(path, "utf8") : "";
  }

  /** Steps of the committed checkpoints, newest first. */
  #steps(): number[] {
    return readdirSync(this.#folder)
      .map((name) => stepOf(name))
      .filter((step) => step !== null)
      .sort((a, b) => b - a);
  }

  async #removeOthers(step: number): Promise<void> {
    let previous: number | null = null;
    for (const other of this.#steps().filter((candidate) => candidate < step)) {
      if (previous === null && (await this.#isSound(other))) previous = other;
    }
    const kept = [step, ...(previous === null ? [] : [previous])].flatMap((s) => [
      fileName(s),
      `${fileName(s)}.sha256`,
    ]);
    for (const name of readdirSync(this.#folder)) {
      if (isCheckpointFile(name) && !kept.includes(name)) await removeFile(join(this.#folder, name));
    }
  }

  #path(step: number): string {
    return join(this.#folder, fileName(step));
  }
}

function fileName(step: number): string {
  return `checkpoint-${step}.safetensors`;
}

function stepOf(name: string): number | null {
  const digits = /^checkpoint-(\d+)\.safetensors$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Whether a file of this name belongs to the checkpoints. */
export function isCheckpointFile(name: string): boolean {
  return /^checkpoint-\d+\.safetensors(\.sha256)?$/.test(name);
}
