import { existsSync, readFileSync } from "node:fs";
import { runCommand } from "./command.mjs";
import { inProject } from "./project.mjs";

/**
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockedPackage
 */

/** @returns {Record<string, LockedPackage>} */
function lockedPackages(/** @type {string} */ file) {
  /** @type {unknown} */
  const lock = JSON.parse(readFileSync(file, "utf8"));
  return /** @type {{ packages: Record<string, LockedPackage> }} */ (lock).packages;
}

/**
 * The first difference between what is installed and the lock file, or undefined where there is none. npm writes
 * its own account of node_modules (.package-lock.json) last, so a broken installation has none.
 */
export function nodePackagesProblem() {
  const account = inProject("node_modules", ".package-lock.json");
  if (!existsSync(account)) return "node_modules is missing or incomplete";
  const installed = lockedPackages(account);
  for (const [path, wanted] of Object.entries(lockedPackages(inProject("package-lock.json")))) {
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
  const npm = process.env["npm_execpath"];
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--no-progress"];
  const options = { attempts: 3 };
  await (npm?.endsWith("npm-cli.js") === true
    ? runCommand(process.execPath, [npm, ...args], options)
    : runCommand("npm", args, options));
}
