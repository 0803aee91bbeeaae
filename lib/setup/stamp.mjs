import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { VENV, inProject } from "./project.mjs";
import { clearLeftovers } from "./setup-lock.mjs";

/**
 * A stamp says from what a finished thing was made. It lies inside the thing, so it goes when the thing goes,
 * and is written last: without it, or with another content, the thing is made again.
 */
export const stamps = {
  venv: join(VENV, ".setup", "venv"),
  tensorflow: join(VENV, ".setup", "tensorflow"),
  lab: join(VENV, ".setup", "lab"),
  binding: inProject("node_modules", ".setup", "binding"),
  library: inProject("lib", "dist", ".setup-stamp"),
};

/** What a stamp says, or undefined where there is none. */
export function readStamp(/** @type {string} */ path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

export function writeStamp(/** @type {string} */ path, /** @type {string} */ content) {
  mkdirSync(dirname(path), { recursive: true });
  clearLeftovers(path);
  const temporary = `${path}.${String(process.pid)}.tmp`;
  writeFileSync(temporary, content, { flush: true });
  renameSync(temporary, path);
}

export function removeStamp(/** @type {string} */ path) {
  rmSync(path, { force: true });
}

/** Hash of names, versions and contents. */
export const fingerprint = (/** @type {readonly string[]} */ words) =>
  createHash("sha256").update(JSON.stringify(words)).digest("hex");
