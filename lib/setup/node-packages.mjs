import { existsSync, readFileSync } from "node:fs";
import { runCommand } from "./command.mjs";
import { SetupError } from "./errors.mjs";
import { inProject } from "./project.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockedPackage
 */

const LOCK_DAMAGED = "package-lock.json is damaged; take it back: git checkout package-lock.json";

/** The packages that a lock file names; undefined where it is none. @returns {Record<string, LockedPackage> | undefined} */
function lockedPackages(/** @type {string} */ file) {
  const text = readFileSync(file, "utf8");
  try {
    /** @type {unknown} */
    const lock = JSON.parse(text);
    return /** @type {{ packages?: Record<string, LockedPackage> }} */ (lock).packages;
  } catch {
    return undefined;
  }
}

/**
 * The first difference between what is installed and the lock file, or undefined where there is none. npm writes
 * its own account of node_modules (.package-lock.json) last, so a broken installation has none.
 */
export function nodePackagesProblem() {
  const account = inProject("node_modules", ".package-lock.json");
  const installed = existsSync(account) ? lockedPackages(account) : undefined;
  if (installed === undefined) return "node_modules is missing or incomplete";
  const locked = lockedPackages(inProject("package-lock.json"));
  if (locked === undefined) return LOCK_DAMAGED;
  for (const [path, wanted] of Object.entries(locked)) {
    if (!path.includes("node_modules/")) continue;
    const found = installed[path];
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    if (found === undefined) {
      if (wanted.optional === true || wanted.devOptional === true) continue; // made for another platform
      return `${name} is not installed`;
    }
    if (found.version !== wanted.version || found.integrity !== wanted.integrity)
      return `${name} is not as the lock file says`;
    if (!existsSync(inProject(path, "package.json"))) return `the folder of ${name} is missing`;
  }
  return undefined;
}

export async function installNodePackages() {
  if (lockedPackages(inProject("package-lock.json")) === undefined) throw new SetupError(LOCK_DAMAGED);
  const npm = process.env["npm_execpath"];
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--no-progress"];
  const options = { attempts: 3 };
  await (npm?.endsWith("npm-cli.js") === true
    ? runCommand(process.execPath, [npm, ...args], options)
    : runCommand("npm", args, options));
}
