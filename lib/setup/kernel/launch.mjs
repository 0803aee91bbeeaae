/**
 * Starts tslab as the kernel of a notebook, in the project's folder, whatever folder the notebook lies in:
 * tslab resolves packages and their types from its current directory.
 */
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("../../../", import.meta.url)));

// tslab loads the library, which is an ES module, through require(): no notebook needs to hear that this is new.
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  if (warning.name !== "ExperimentalWarning") process.stderr.write(`${warning.name}: ${warning.message}\n`);
});

// A kernel whose server was killed has nobody left to work for.
const server = process.ppid;
setInterval(() => {
  if (process.ppid !== server) process.exit();
}, 1000).unref();

/** @typedef {{ startKernel(options: { configPath: string, enableFindLocal: boolean }): void }} Tslab */
/** @type {unknown} */
const loaded = createRequire(import.meta.url)("tslab/dist/main.js");
const tslab = /** @type {Tslab} */ (loaded);
tslab.startKernel({ configPath: process.argv[2] ?? "", enableFindLocal: false });
