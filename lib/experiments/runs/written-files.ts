import { readdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../util/errors.js";
import { type Extent, extentOf } from "../../util/files.js";
import { isSame } from "./checkpoint-bond.js";

/** What a run's files hold as far as its writer knows, held to what is there: they may be deleted or edited meanwhile. */
export class WrittenFiles {
  readonly #folder: string;
  readonly #extents = new Map<string, Extent>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** From now on the file has to hold this. */
  note(name: string, extent: Extent): void {
    this.#extents.set(name, extent);
  }

  /** From now on the file has to hold what it holds now. */
  async noteAsFound(name: string): Promise<void> {
    const found = await extentOf(join(this.#folder, name));
    if (found === undefined) throw this.#changed([name]);
    this.note(name, found);
  }

  /** What was noted, but of some. */
  extents(without: readonly string[]): Readonly<Record<string, Extent>> {
    return Object.fromEntries([...this.#extents].filter(([name]) => !without.includes(name)));
  }

  /** Throws a UserError that names each file that does not hold what was noted. */
  async assertUnchanged(): Promise<void> {
    const changed: string[] = [];
    for (const [name, extent] of this.#extents)
      if (!isSame(await extentOf(join(this.#folder, name)), extent)) changed.push(name);
    if (changed.length > 0) throw this.#changed(changed);
  }

  /**
   * The SHA-256 of each file that was noted or lies in the folder, by name; hidden ones and folders are none of it. As
   * `assertUnchanged`; a file that is deleted after it was looked at keeps its place, so that who reads the run misses it.
   */
  async sums(): Promise<Record<string, string>> {
    await this.assertUnchanged();
    const sums: Record<string, string> = {};
    const files = readdirSync(this.#folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    const names = new Set([...this.#extents.keys(), ...files.map((file) => file.name)]);
    for (const name of [...names].sort()) {
      if (name.startsWith(".")) continue;
      const extent = this.#extents.get(name) ?? (await extentOf(join(this.#folder, name)));
      if (extent !== undefined) sums[name] = extent.sha256;
    }
    return sums;
  }

  #changed(names: readonly string[]): UserError {
    return new UserError(
      `${names.join(", ")} in ${this.#folder} was deleted or changed by something else while the run was written; ` +
        "call it again to go on from the last checkpoint that is whole",
    );
  }
}
