/**
 * Sets up what is missing and nothing else: `npm run setup [-- --gpu | --cpu] [--with-lab] [--quiet]`.
 *
 * Every step looks first whether its result is there, made from what it would be made from now, and marks a
 * result as finished last of all: it can be killed at any instant and called again.
 */
import { parseArgs } from "node:util";
import { SetupError, messageOf, systemRefusal } from "./errors.mjs";
import { isKernelLinked, linkKernel } from "./kernel-link.mjs";
import { buildLibrary, isLibraryBuilt } from "./library.mjs";
import { installNodePackages, nodePackagesProblem } from "./node-packages.mjs";
import {
  installLab,
  installTensorflow,
  isLabReady,
  isTensorflowReady,
  isVenvReady,
  makeVenv,
} from "./python-environment.mjs";
import { guardOutput } from "./output-streams.mjs";
import { endChildren, lockSetup } from "./setup-lock.mjs";
import { progressOf } from "./progress.mjs";
import { KernelError, compileBinding, isBindingReady } from "./tensorflow-binding.mjs";
import { NODE_WANTED, findCompiler, installHint, isAtLeast } from "./toolchain.mjs";

/**
 * @typedef {object} Step
 * @property {string} title what it makes
 * @property {() => boolean} isDone
 * @property {() => void | Promise<void>} make
 */

/** @typedef {{ quiet: boolean, withLab: boolean, device: "cpu" | "gpu" | undefined }} Wishes */

/** @returns {Wishes} */
function readWishes() {
  const { values } = parseArgs({
    options: {
      quiet: { type: "boolean", default: false },
      "with-lab": { type: "boolean", default: false },
      gpu: { type: "boolean", default: false },
      cpu: { type: "boolean", default: false },
    },
  });
  if (values.gpu && values.cpu)
    throw new SetupError("choose one of --gpu and --cpu: only one TensorFlow can be installed");
  const device = values.gpu ? "gpu" : values.cpu ? "cpu" : undefined;
  return { quiet: values.quiet, withLab: values["with-lab"], device };
}

async function setUp(/** @type {Wishes} */ { quiet, withLab, device }) {
  if (!isAtLeast(process.version, NODE_WANTED))
    throw new SetupError(`Node ${process.version} is too old: ${installHint.node}`);

  const progress = progressOf(quiet);
  if (device === "gpu")
    progress.note(
      "on the one GPU that was tried training was slower than on the processor beside it (environment.md)",
    );
  await lockSetup(progress.note);
  const take = async (/** @type {Step} */ step) => {
    if (step.isDone()) progress.alreadyThere(step.title);
    else await progress.time(step.title, async () => step.make());
  };

  await take({
    title: "npm packages",
    isDone: () => nodePackagesProblem() === undefined,
    make: installNodePackages,
  });

  /** @type {Step} */
  const venv = { title: "Python environment .venv", isDone: isVenvReady, make: makeVenv };
  try {
    if (!isBindingReady() && findCompiler() === undefined)
      throw new SetupError(`no C++ compiler is found: ${installHint.compiler}, or set CXX`);
    await take(venv);
    await take({
      title: `TensorFlow wheel${device === undefined ? "" : ` (${device.toUpperCase()})`}`,
      isDone: () => isTensorflowReady(device),
      make: () => installTensorflow(device),
    });
    await take({
      title: "TensorFlow binding for Node",
      isDone: isBindingReady,
      make: compileBinding,
    });
  } catch (error) {
    if (error instanceof KernelError) throw error;
    progress.warn(
      `native TensorFlow cannot be set up, so the slow pure JavaScript backend is used: ${messageOf(error)}`,
    );
  }

  if (withLab) {
    if (!isVenvReady()) await take(venv);
    await take({ title: "JupyterLab", isDone: isLabReady, make: installLab });
    await take({ title: "TypeScript kernel", isDone: isKernelLinked, make: linkKernel });
  }
  await take({ title: "library lib/dist", isDone: isLibraryBuilt, make: buildLibrary });
}

/** Says why the set-up ends, in one sentence where it is no mistake of its own. */
function fail(/** @type {unknown} */ error) {
  const isMeant = error instanceof SetupError || (error instanceof TypeError && "code" in error);
  const reason = isMeant ? error.message : systemRefusal(error);
  if (reason === undefined) console.error(error);
  else process.stderr.write(`setup: ${reason}\n`);
  endChildren();
  process.exit(1);
}

guardOutput();
process.once("uncaughtException", fail);
await setUp(readWishes()).catch(fail);
process.exit();
