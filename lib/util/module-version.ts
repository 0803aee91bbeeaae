import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A relative import, static or re-exported, as the compiler and Prettier write it. */
const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*"(\.{1,2}\/[^"]+)"/g;

/**
 * Hash of a module and of all of this project's modules that it imports, directly or not: what it computes is of one
 * version of the code exactly if these files are the same. Packages, and kernels that are loaded as a library, are not
 * part of it. `url` is the module's `import.meta.url`.
 */
export function moduleVersion(url: string): string {
  const files = new Map<string, Buffer>();
  collect(fileURLToPath(url), files);
  const hash = createHash("sha256");
  // By content alone: the same code at another place is the same version.
  for (const digest of [...files.values()].map(sha256).sort()) hash.update(digest);
  return hash.digest("hex");
}

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

function collect(path: string, files: Map<string, Buffer>): void {
  if (files.has(path)) return;
  const bytes = readFileSync(path);
  files.set(path, bytes);
  for (const [, specifier] of bytes.toString().matchAll(RELATIVE_IMPORT))
    collect(fileOf(resolve(dirname(path), specifier as string)), files);
}

/** The file itself; where tests run from the sources, its TypeScript. */
function fileOf(path: string): string {
  return existsSync(path) ? path : path.replace(/\.js$/, ".ts");
}
