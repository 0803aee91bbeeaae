/**
 * Makes the TypeScript kernel known to other programs of this user (VS Code, a JupyterLab elsewhere, papermill):
 * `npm run kernel:install`, or for one Python environment alone `npm run kernel:install -- --prefix <folder>`.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { SetupError, messageOf } from "./errors.mjs";
import { homeFolder } from "./jupyter-folders.mjs";
import { installTranslator } from "./kernel-link.mjs";
import { guardOutput } from "./output-streams.mjs";
import { KERNEL_SOURCE } from "./project.mjs";

/** Where Jupyter looks for what a user has installed. */
function userData() {
  const chosen = process.env["JUPYTER_DATA_DIR"];
  if (chosen !== undefined) return chosen;
  return process.platform === "darwin"
    ? join(home(), "Library", "Jupyter")
    : join(process.env["XDG_DATA_HOME"] ?? join(home(), ".local", "share"), "jupyter");
}

function home() {
  const folder = homeFolder();
  if (folder === undefined)
    throw new SetupError("you have no home folder: set HOME, or JUPYTER_DATA_DIR, to where Jupyter looks");
  return folder;
}

/** The kernel as it is described elsewhere: with this Node, and the launcher where it lies in the project. */
function description() {
  /** @type {unknown} */
  const read = JSON.parse(readFileSync(join(KERNEL_SOURCE, "kernel.json"), "utf8"));
  const argv = [process.execPath, join(KERNEL_SOURCE, "launch.mjs"), "{connection_file}"];
  return `${JSON.stringify({ .../** @type {object} */ (read), argv }, null, 2)}\n`;
}

function writeKernel(/** @type {string} */ data) {
  const folder = join(data, "kernels", "cascade");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "kernel.json"), description());
  process.stdout.write(`kernel: written to ${folder}\n`);
}

function sitesIn(/** @type {string} */ prefix) {
  const library = join(prefix, "lib");
  const names = existsSync(library) ? readdirSync(library).filter((name) => /^python3\.\d+$/.test(name)) : [];
  return names.map((name) => join(library, name, "site-packages")).filter((site) => existsSync(site));
}

function installInto(/** @type {string} */ prefix) {
  const sites = sitesIn(prefix);
  if (sites.length === 0)
    throw new SetupError(`${prefix} is no Python environment: it has no lib/python3.*/site-packages`);
  writeKernel(join(prefix, "share", "jupyter"));
  for (const site of sites) installTranslator(site);
}

guardOutput();
try {
  const { values } = parseArgs({ options: { prefix: { type: "string" } } });
  if (values.prefix === undefined) writeKernel(userData());
  else installInto(resolve(values.prefix));
} catch (error) {
  process.stderr.write(`kernel: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
