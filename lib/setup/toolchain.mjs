import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { ask } from "./command.mjs";
import { packageFile } from "./project.mjs";

export const NODE_WANTED = [20, 19];
export const PYTHON_WANTED = [3, 10];

/** True if `version` ("3.11.7", "v20.20.2") is at least `wanted`, compared over its first two numbers. */
export function isAtLeast(/** @type {string} */ version, /** @type {readonly number[]} */ wanted) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted;
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** TensorFlow's wheel exists for these; a newer Python is taken only where none of them is found. */
const PYTHONS = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"];
const NEWEST_TRIED_PYTHON = "3.13";

/** @typedef {{ command: string, version: string }} Tool */

/** The Python to make .venv with: $PYTHON, else the first fitting one on the path. @returns {Tool | undefined} */
export function findPython() {
  const chosen = process.env["PYTHON"];
  const found = (chosen === undefined ? PYTHONS : [chosen]).flatMap((command) => {
    const version = ask(command, ["-c", "import platform; print(platform.python_version())"]);
    return version !== undefined && isAtLeast(version, PYTHON_WANTED) ? [{ command, version }] : [];
  });
  const newest = NEWEST_TRIED_PYTHON.split(".").map(Number);
  const isTried = (/** @type {Tool} */ { version }) =>
    !isAtLeast(version, newest) || version.startsWith(`${NEWEST_TRIED_PYTHON}.`);
  return found.find(isTried) ?? found[0];
}

/** The C++ compiler: $CXX, else g++, else clang++. @returns {Tool | undefined} */
export function findCompiler() {
  const chosen = process.env["CXX"];
  for (const command of chosen === undefined || chosen === "" ? ["g++", "clang++"] : [chosen]) {
    const version = ask(command, ["--version"])?.split("\n")[0];
    if (version !== undefined) return { command, version };
  }
  return undefined;
}

/** The folder with node_api.h: from the npm package, else from beside the node program. */
export function findNodeHeaders() {
  const beside = join(dirname(dirname(process.execPath)), "include", "node");
  return [join(dirname(packageFile("node-api-headers")), "include"), beside].find((folder) =>
    existsSync(join(folder, "node_api.h")),
  );
}

export const installHint = {
  python:
    "install Python 3.10 to 3.13 with its venv module (Debian, Ubuntu: `apt-get install python3 python3-venv`)",
  compiler: "install a C++ compiler (Debian, Ubuntu: `apt-get install g++`)",
  node: "install Node 20.19 or newer",
};
