import { existsSync, readFileSync, statfsSync } from "node:fs";
import process from "node:process";
import { usableMemory, usableProcessors } from "../util/machine-share.mjs";
import { ask } from "./command.mjs";
import { goesWithoutKernels } from "./kernel-levels.mjs";
import { isKernelLinked } from "./kernel-link.mjs";
import { isLibraryBuilt } from "./library.mjs";
import { nodePackagesProblem } from "./node-packages.mjs";
import { BINDING, ROOT, VENV_PYTHON, inProject, packageFile } from "./project.mjs";
import { installedTensorflow, isLabReady, isTensorflowReady, isVenvReady } from "./python-environment.mjs";
import { checkTensorflow, isBindingReady } from "./tensorflow-binding.mjs";
import { NODE_WANTED, findCompiler, findPython, installHint, isAtLeast } from "./toolchain.mjs";

/**
 * @typedef {object} Component
 * @property {string} name
 * @property {"ok" | "missing" | "optional"} state "optional": not there, and only some uses want it
 * @property {string} version version, size or number; "" where there is none
 * @property {string} [detail] what is wrong
 * @property {string} [mend] the command, or the deed, that mends it
 */

const SETUP = "npm run setup";
const SETUP_LAB = "npm run setup -- --with-lab";
const GIB = 2 ** 30;
const gib = (/** @type {number} */ bytes) => `${(bytes / GIB).toFixed(1)} GiB`;

/** A finished set-up takes about 2.5 GiB; a run's checkpoints and cached images come on top. */
const DISK_WANTED = 2 * GIB;
const MEMORY_WANTED = 4 * GIB;

/** @returns {Component} */
const present = (/** @type {string} */ name, /** @type {string} */ version) => ({
  name,
  state: "ok",
  version,
});

/** @returns {Component} */
const missing = (
  /** @type {string} */ name,
  /** @type {string} */ detail,
  /** @type {string} */ mend,
  /** @type {"missing" | "optional"} */ state = "missing",
) => ({ name, state, version: "", detail, mend });

/** The version of an installed npm package, or undefined. */
function npmVersion(/** @type {string} */ name) {
  try {
    /** @type {unknown} */
    const found = JSON.parse(readFileSync(packageFile(name), "utf8"));
    return /** @type {{ version: string }} */ (found).version;
  } catch {
    return undefined;
  }
}

function node() {
  const enough = isAtLeast(process.version, NODE_WANTED);
  return enough
    ? present("Node", process.version)
    : missing("Node", `${process.version} is too old`, installHint.node);
}

function nodePackages() {
  const problem = nodePackagesProblem();
  const tools = ["typescript", "tslab", "danfojs-node", "arquero"];
  return problem === undefined
    ? present("npm packages", tools.map((name) => `${name} ${npmVersion(name) ?? "?"}`).join(", "))
    : missing("npm packages", problem, SETUP);
}

function python() {
  const found = findPython();
  return found === undefined
    ? missing("Python", "none from 3.10 on is found", `${installHint.python}, then ${SETUP}`)
    : present("Python", `${found.version} (${found.command})`);
}

function venv() {
  return isVenvReady()
    ? present(
        ".venv",
        `Python ${ask(VENV_PYTHON, ["-c", "import platform; print(platform.python_version())"]) ?? "?"}`,
      )
    : missing(
        ".venv",
        existsSync(VENV_PYTHON) ? "it is half-made or of another Python" : "it is not there",
        SETUP,
      );
}

function compiler() {
  const found = findCompiler();
  if (found !== undefined) return present("C++ compiler", found.version);
  const state = isBindingReady() ? "optional" : "missing";
  return missing(
    "C++ compiler",
    "neither $CXX nor g++ nor clang++ runs",
    `${installHint.compiler}, then ${SETUP}`,
    state,
  );
}

function tensorflow() {
  const wheel = installedTensorflow();
  if (wheel === undefined) return missing("TensorFlow wheel", "none is installed whole", SETUP);
  return isTensorflowReady(undefined)
    ? present("TensorFlow wheel", `${wheel.version} (${wheel.device === "gpu" ? "CUDA" : "CPU"})`)
    : missing("TensorFlow wheel", `${wheel.version} is not the wanted version`, SETUP);
}

function binding() {
  const name = "TensorFlow binding";
  if (!existsSync(BINDING))
    return missing(name, "it is not compiled: the slow JavaScript backend is used", SETUP);
  if (!isBindingReady())
    return missing(name, "it was compiled from something else than is installed now", SETUP);
  const check = checkTensorflow();
  if ("problem" in check) return missing(name, check.problem, SETUP);
  const version = `tfjs-node-gpu ${npmVersion("@tensorflow/tfjs-node-gpu") ?? "?"}`;
  const wanted = check.kernels !== null || check.device === "GPU" || goesWithoutKernels();
  const kernels =
    check.kernels === null ? `without the project's kernels: ${check.why}` : `kernels ${check.kernels}`;
  return wanted
    ? present(name, `${version}, computes on the ${check.device}, ${kernels}`)
    : missing(name, kernels, SETUP);
}

function library() {
  return isLibraryBuilt()
    ? present("library lib/dist", npmVersion("anytime-cascade") ?? "?")
    : missing("library lib/dist", "it is not built from the present sources", SETUP);
}

function lab() {
  if (!isLabReady())
    return missing("JupyterLab", "only notebooks and `npm test` want it", SETUP_LAB, "optional");
  const versions = ask(VENV_PYTHON, [
    "-c",
    "from importlib.metadata import version as v; print(v('jupyterlab'), '(nbclient', v('nbclient') + ', plotly', v('plotly') + ')')",
  ]);
  return versions === undefined
    ? missing("JupyterLab", "it is installed but does not answer", "delete .venv, then " + SETUP_LAB)
    : present("JupyterLab", versions);
}

function kernel() {
  return isKernelLinked()
    ? present("TypeScript kernel", `tslab ${npmVersion("tslab") ?? "?"}`)
    : missing("TypeScript kernel", "only notebooks and `npm test` want it", SETUP_LAB, "optional");
}

/** The library knows where a browser is; this asks it, in a process of its own. */
function browser() {
  const name = "Chromium for figures";
  const locate = inProject("lib", "dist", "figures", "browser.js");
  if (!existsSync(locate)) return missing(name, "not known before the library is built", SETUP);
  const answer = ask(process.execPath, ["--no-warnings", inProject("lib", "setup", "check-browser.mjs")]);
  return answer === undefined
    ? missing(
        name,
        "no browser starts",
        "install Chromium or Google Chrome, or set CHROME_PATH to one",
        "optional",
      )
    : present(name, answer);
}

function fonts() {
  const count =
    ask("fc-list", [])
      ?.split("\n")
      .filter((line) => line !== "").length ?? 0;
  return present("fonts", count > 0 ? `${String(count)} of the system` : "those of the browser package");
}

function memory() {
  const text = `${gib(usableMemory())}, ${gib(process.availableMemory())} free`;
  return usableMemory() >= MEMORY_WANTED
    ? present("memory", text)
    : missing("memory", `${text}: training wants 4 GiB`, "use smaller batches", "optional");
}

function disk() {
  const { bavail, bsize } = statfsSync(ROOT);
  const free = bavail * bsize;
  return free >= DISK_WANTED
    ? present("free disk", gib(free))
    : missing("free disk", `${gib(free)}: runs want 2 GiB`, "free some space", "optional");
}

/** Every component of the workbench, with what is there of it. */
export function components() {
  return [
    node(),
    nodePackages(),
    python(),
    venv(),
    compiler(),
    tensorflow(),
    binding(),
    library(),
    lab(),
    kernel(),
    browser(),
    fonts(),
    present("cores", String(usableProcessors())),
    memory(),
    disk(),
  ];
}
