/** Imports an image set, `<folder>`: `set.tar` in it, its cache below it. Says the hash. For faults at calls. */
import { join } from "node:path";
import { loadDataset } from "../../lib/datasets/load.js";
import { resolveDatasetSource } from "../../lib/datasets/source.js";
import { UserError } from "../../lib/util/errors.js";

const [folder = ""] = process.argv.slice(2);
try {
  const source = resolveDatasetSource({ kind: "folder", path: join(folder, "set.tar") });
  const { hash } = await loadDataset(source, { cacheFolder: join(folder, "cache") });
  process.stdout.write(`${hash}\n`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
