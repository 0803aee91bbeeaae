import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask, runCommand } from "./command.mjs";
import { SetupError } from "./errors.mjs";
import { VENV, VENV_PYTHON, inProject, sitePackages } from "./project.mjs";
import { fingerprint, readStamp, removeStamp, stamps, writeStamp } from "./stamp.mjs";
import { findPython, installHint, isAtLeast } from "./toolchain.mjs";

/** This pip goes on with a download that broke off; the one that comes with Python may not. */
const PIP = "pip==26.3";
const TENSORFLOW_VERSION = "2.21.0";
const LAB_REQUIREMENTS = inProject("lib", "setup", "requirements-lab.txt");

/** Older ones cannot install into another environment than their own. */
const PIP_FOR_OTHERS = [22, 3];

/** @typedef {"cpu" | "gpu"} Device */

/** Settings of the user's pip that would lead a package past .venv are put aside. */
const PIP_ENV = {
  PYTHONNOUSERSITE: "1",
  PYTHONPATH: "",
  PIP_USER: "0",
  PIP_NO_INPUT: "1",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_RETRIES: "5",
  PIP_TIMEOUT: "60",
};

async function pipInstall(/** @type {readonly string[]} */ args) {
  await runCommand(VENV_PYTHON, ["-m", "pip", "install", "--progress-bar=off", ...args], {
    env: PIP_ENV,
    attempts: 3,
  });
}

/** Python's version, as written in the stamp of the .venv made with it. */
const venvVersion = () => ask(VENV_PYTHON, ["-c", "import platform; print(platform.python_version())"]);
const venvStamp = (/** @type {string} */ version) => `Python ${version.replace(/\.\d+[^.]*$/, "")}, ${PIP}`;

export function isVenvReady() {
  const version = existsSync(VENV_PYTHON) ? venvVersion() : undefined;
  return version !== undefined && readStamp(stamps.venv) === venvStamp(version);
}

/** Makes .venv anew: a half-made one, or one whose Python is gone, cannot be mended. */
export async function makeVenv() {
  const python = findPython();
  if (python === undefined) throw new SetupError(`no Python 3.10 or newer is found: ${installHint.python}`);
  rmSync(VENV, { recursive: true, force: true });
  await createVenv(python.command);
  await pipInstall([PIP]);
  // JupyterLab's bundled yarn would take the project's "type": "module" for its own.
  writeFileSync(join(VENV, "package.json"), "{}\n");
  writeStamp(stamps.venv, venvStamp(venvVersion() ?? python.version));
}

async function createVenv(/** @type {string} */ python) {
  if (ask(python, ["-c", "import venv, ensurepip"]) !== undefined)
    return runCommand(python, ["-m", "venv", VENV]);
  // Debian splits ensurepip off; a pip that is on the machine can stand in for it.
  const [, pip = "0"] = /^pip (\S+)/.exec(ask(python, ["-m", "pip", "--version"]) ?? "") ?? [];
  if (ask(python, ["-c", "import venv"]) === undefined || !isAtLeast(pip, PIP_FOR_OTHERS))
    throw new SetupError(
      `${python} has no venv module: ${installHint.python}, or set PYTHON to another Python`,
    );
  await runCommand(python, ["-m", "venv", "--without-pip", VENV]);
  await runCommand(python, ["-m", "pip", "--python", VENV_PYTHON, "install", PIP], {
    env: PIP_ENV,
    attempts: 3,
  });
}

/** The TensorFlow wheel that is installed, whole, or undefined. @returns {{ device: Device, version: string } | undefined} */
export function installedTensorflow() {
  const stamp = readStamp(stamps.tensorflow);
  const site = sitePackages();
  if (stamp === undefined || site === undefined) return undefined;
  if (!existsSync(join(site, "tensorflow", "libtensorflow_cc.so.2"))) return undefined;
  const [device, version = ""] = stamp.split(" ");
  return { device: device === "gpu" ? "gpu" : "cpu", version };
}

/** Without a wish, whichever wheel is there will do. */
export function isTensorflowReady(/** @type {Device | undefined} */ wish) {
  const installed = installedTensorflow();
  return installed?.version === TENSORFLOW_VERSION && (wish === undefined || wish === installed.device);
}

/** Installs one TensorFlow wheel in place of any other: two of them would overwrite each other's files. */
export async function installTensorflow(/** @type {Device | undefined} */ wish) {
  const device = wish ?? readStamp(stamps.tensorflow)?.split(" ")[0] ?? "cpu";
  removeStamp(stamps.tensorflow);
  const site = sitePackages() ?? VENV;
  for (const name of readdirSync(site))
    if (/^tensorflow(_cpu)?(-[\d.]+\.dist-info)?$/.test(name))
      rmSync(join(site, name), { recursive: true, force: true });
  await pipInstall(
    device === "gpu"
      ? ["--constraint", LAB_REQUIREMENTS, `tensorflow[and-cuda]==${TENSORFLOW_VERSION}`]
      : ["--no-deps", `tensorflow-cpu==${TENSORFLOW_VERSION}`],
  );
  writeStamp(stamps.tensorflow, `${device} ${TENSORFLOW_VERSION}`);
}

const labStamp = () => fingerprint([readFileSync(LAB_REQUIREMENTS, "utf8")]);

export const isLabReady = () => readStamp(stamps.lab) === labStamp();

export async function installLab() {
  removeStamp(stamps.lab);
  await pipInstall(["--requirement", LAB_REQUIREMENTS]);
  writeStamp(stamps.lab, labStamp());
}
