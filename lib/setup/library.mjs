import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.mjs";
import { inProject } from "./project.mjs";
import { fingerprint, readStamp, stamps, writeStamp } from "./stamp.mjs";

const NOT_SOURCE = new Set(["dist", "setup", "stubs", "node_modules"]);

/** @returns {string[]} */
function sourceFiles(/** @type {string} */ folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !NOT_SOURCE.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sourceFiles(path);
      return /\.(?:ts|mjs)$/.test(entry.name) ? [path] : [];
    });
}

/** Paths are hashed relative to the project, so that a moved checkout is not built again. */
function libraryStamp() {
  const files = [
    ...sourceFiles(inProject("lib")),
    inProject("tsconfig.base.json"),
    inProject("lib", "tsconfig.json"),
  ];
  const lock = inProject("package-lock.json");
  const words = [...files, lock].flatMap((file) => [
    file.slice(inProject().length),
    readFileSync(file, "utf8"),
  ]);
  return fingerprint(words);
}

/** TypeScript's own record of the last build: gone with lib/dist, and then all is built again. */
export function isLibraryBuilt() {
  return existsSync(inProject("lib", "dist", ".tsbuildinfo")) && readStamp(stamps.library) === libraryStamp();
}

export async function buildLibrary() {
  const stamp = libraryStamp(); // before the build: a file saved meanwhile counts as not yet built
  await runCommand(process.execPath, [
    inProject("node_modules", "typescript", "bin", "tsc"),
    "--build",
    "lib",
  ]);
  writeStamp(stamps.library, stamp);
}
