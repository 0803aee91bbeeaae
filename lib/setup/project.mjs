import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds package.json. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");

/** A path inside the project. */
export const inProject = (/** @type {string[]} */ ...parts) => join(ROOT, ...parts);

export const VENV = inProject(".venv");
export const VENV_PYTHON = join(VENV, "bin", "python");
export const NODE_MODULES = inProject("node_modules");
export const TFJS = join(NODE_MODULES, "@tensorflow", "tfjs-node-gpu");
export const BINDING = join(TFJS, "lib", "napi-v8", "tfjs_binding.node");
/** Loads TensorFlow's framework without its remarks; lib/nn/tensorflow.ts loads it first. */
export const QUIET_LOADER = join(TFJS, "lib", "napi-v8", "load_quietly.node");
export const LOG = inProject("data", "cache", "setup.log");
export const LOCK = inProject("data", "cache", "setup.lock");
export const KERNEL_SOURCE = inProject("lib", "setup", "kernel");
export const KERNEL_LINK = join(VENV, "share", "jupyter", "kernels", "cascade");

/** The folder of .venv that holds its Python packages, if .venv has one. */
export function sitePackages() {
  const library = join(VENV, "lib");
  if (!existsSync(library)) return undefined;
  const python = readdirSync(library).find((name) => /^python3\.\d+$/.test(name));
  return python === undefined ? undefined : join(library, python, "site-packages");
}

/** The package.json of an installed npm package. */
export const packageFile = (/** @type {string} */ name) =>
  join(NODE_MODULES, ...name.split("/"), "package.json");
