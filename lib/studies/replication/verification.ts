import { join } from "node:path";
import { readRun } from "../../experiments/runs/run-record.js";
import type { Training } from "./replication.js";

/** Holds finished runs to what they wrote, each once, before anything is reported of them. */
export class Verification {
  readonly #root: string;
  readonly #report: (line: string) => void;
  readonly #verified = new Set<string>();
  #saidUnverified = false;

  /** `root` is the folder of all runs. */
  constructor(root: string, report: (line: string) => void) {
    this.#root = root;
    this.#report = report;
  }

  /** Throws a UserError that names what is missing or changed. */
  async verify(trainings: readonly Training[]): Promise<void> {
    for (const { directory } of trainings) {
      if (this.#verified.has(directory)) continue;
      const record = readRun(join(this.#root, directory));
      await record.verifyResults();
      this.#verified.add(directory);
      if (record.isUnverified()) this.#sayUnverified(record.directory);
    }
  }

  #sayUnverified(directory: string): void {
    if (this.#saidUnverified) return;
    this.#saidUnverified = true;
    this.#report(
      `${directory}, and maybe others, is of a former form, unverified: nothing tells whether its DONE.json was edited`,
    );
  }
}
