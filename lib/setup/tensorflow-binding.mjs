import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { usableProcessors } from "../util/machine-share.mjs";
import { ask, runCommand } from "./command.mjs";
import { SetupError, messageOf } from "./errors.mjs";
import {
  KERNEL_LEVELS,
  OPERATIONS_SOURCE,
  allLevelsCompiled,
  goesWithoutKernels,
  interfaceDefinition,
  kernelSources,
  levelArguments,
  levelLibrary,
} from "./kernel-levels.mjs";
import { BINDING, QUIET_LOADER, TFJS, inProject, packageFile, sitePackages } from "./project.mjs";
import { installedTensorflow } from "./python-environment.mjs";
import { clearLeftovers } from "./setup-lock.mjs";
import { fingerprint, readStamp, removeStamp, stamps, writeStamp } from "./stamp.mjs";
import { findCompiler, findNodeHeaders, installHint } from "./toolchain.mjs";

const BINDING_SOURCES = join(TFJS, "binding");
const LOADER_SOURCE = inProject("lib", "setup", "native", "load-quietly.cc");
const TENSORFLOW_CHECK = inProject("lib", "setup", "check-tensorflow.mjs");

/** The files of a folder that end so, if there is such a folder. */
function filesIn(/** @type {string} */ folder, ending = "") {
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

/**
 * What the binding is compiled from, as a compiler's arguments: the sources that come with tfjs-node-gpu, and the
 * project's own operations, against the headers and libraries of the wheel, for any processor of this kind. The
 * libraries are found relative to the binding, so that a checkout can be moved; the CPU's and the CUDA wheel's are
 * interchangeable.
 *
 * @param {string} output
 * @param {readonly string[]} operations
 */
function compilerArguments(output, operations) {
  const site = sitePackages();
  const headers = findNodeHeaders();
  if (site === undefined || headers === undefined || !existsSync(BINDING_SOURCES)) return undefined;
  const tensorflow = join(site, "tensorflow");
  return [
    ...["-O2", "-shared", "-fPIC", "-std=c++17", "-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION"],
    ...[BINDING_SOURCES, join(tensorflow, "include"), headers].map((folder) => `-I${folder}`),
    ...filesIn(BINDING_SOURCES, ".cc"),
    ...(operations.length > 0 ? [interfaceDefinition(), ...operations] : []),
    ...[
      "-o",
      output,
      `-L${tensorflow}`,
      "-l:libtensorflow_cc.so.2",
      "-l:libtensorflow_framework.so.2",
      "-ldl",
    ],
    `-Wl,-rpath,$ORIGIN/${relative(dirname(BINDING), tensorflow)}`,
  ];
}

/** What keeps TensorFlow quiet while it is loaded is compiled from, likewise. */
function loaderArguments(/** @type {string} */ output) {
  const site = sitePackages();
  const headers = findNodeHeaders();
  if (site === undefined || headers === undefined) return undefined;
  const libraries = relative(dirname(QUIET_LOADER), join(site, "tensorflow"));
  return [
    ...["-O2", "-shared", "-fPIC", "-std=c++17", "-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION"],
    ...[`-I${headers}`, LOADER_SOURCE, "-o", output, "-ldl", `-Wl,-rpath,$ORIGIN/${libraries}`],
  ];
}

/**
 * Neither the processor nor the compiler counts: one build serves every machine that shares the disk, whatever compiler
 * is on its path.
 */
function bindingStamp(withKernels = !goesWithoutKernels()) {
  const args = compilerArguments("binding", withKernels ? [OPERATIONS_SOURCE] : []);
  const wheel = installedTensorflow();
  if (args === undefined || wheel === undefined) return undefined;
  const levels = withKernels ? KERNEL_LEVELS.flatMap((level) => levelArguments(level, level.name)) : [];
  const sources = [...filesIn(BINDING_SOURCES), ...(withKernels ? kernelSources() : []), LOADER_SOURCE].map(
    (file) => readFileSync(file, "utf8"),
  );
  const portable = [...args, ...levels].map((arg) => arg.replaceAll(inProject(), ""));
  return fingerprint([wheel.version, ...portable, ...sources]);
}

/** A binding that was compiled once stays good when the compiler is gone, or when its kernels are not wanted. */
export function isBindingReady() {
  const stamp = readStamp(stamps.binding);
  if (stamp === undefined || !existsSync(BINDING) || installedTensorflow() === undefined) return false;
  if (goesWithoutKernels() && stamp === bindingStamp(false)) return true;
  if (!allLevelsCompiled()) return false;
  return findCompiler() === undefined || stamp === bindingStamp(true);
}

/** Compiles the binding and the project's own kernels, these once for each level of instruction sets. */
export async function compileBinding() {
  if (installedTensorflow() === undefined)
    throw new SetupError("there is no TensorFlow wheel to compile it against");
  const stamp = bindingStamp(); // before compiling: a source saved meanwhile counts as not yet compiled
  const compiler = findCompiler();
  if (compiler === undefined)
    throw new SetupError(`no C++ compiler is found: ${installHint.compiler}, or set CXX`);
  removeStamp(stamps.binding);
  mkdirSync(dirname(BINDING), { recursive: true });
  const withKernels = !goesWithoutKernels();
  const operations = withKernels ? [OPERATIONS_SOURCE] : [];
  await inTurn([
    () => compile(compiler.command, BINDING, (output) => compilerArguments(output, operations)),
    ...(withKernels ? KERNEL_LEVELS.map((level) => () => compileLevel(compiler.command, level)) : []),
    () => compile(compiler.command, QUIET_LOADER, loaderArguments),
  ]);
  const check = checkTensorflow();
  if ("problem" in check) throw new SetupError(check.problem);
  if (stamp !== undefined) writeStamp(stamps.binding, stamp);
}

/** Does the work in order, as much at once as there are processors; the first failure ends it. */
async function inTurn(/** @type {readonly (() => Promise<void>)[]} */ work) {
  const left = [...work];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await next();
  };
  const workers = Array.from({ length: usableProcessors() }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    left.length = 0;
    await Promise.allSettled(workers);
    throw error;
  }
}

/** The project's own kernels do not compile: nothing else is wrong, and one can go on without them. */
export class KernelError extends SetupError {}

/**
 * @param {string} compiler
 * @param {import("./kernel-levels.mjs").KernelLevel} level
 */
const knowsLevel = (compiler, { flags, probe }) =>
  probe === undefined || ask(compiler, [...flags, "-c", probe, "-o", "/dev/null"]) !== undefined;

/**
 * @param {string} compiler
 * @param {import("./kernel-levels.mjs").KernelLevel} level
 */
async function compileLevel(compiler, level) {
  if (!knowsLevel(compiler, level)) {
    rmSync(levelLibrary(level), { force: true });
    return;
  }
  try {
    await compile(compiler, levelLibrary(level), (output) => levelArguments(level, output));
  } catch (error) {
    const first = /^.*\berror:.*$/m.exec(messageOf(error))?.[0].trim() ?? messageOf(error);
    throw new KernelError(
      `the project's own kernels do not compile at level ${level.name} (${first}; whole output in data/cache/setup.log): ` +
        "set CXX to another compiler, or go on without them, several times slower, by CASCADE_KERNELS=none",
    );
  }
}

/**
 * @param {string} compiler
 * @param {string} file
 * @param {(output: string) => string[] | undefined} argumentsFor
 */
async function compile(compiler, file, argumentsFor) {
  clearLeftovers(file);
  const temporary = `${file}.${String(process.pid)}.tmp`;
  const args = argumentsFor(temporary);
  if (args === undefined)
    throw new SetupError("the header node_api.h is found neither in node_modules nor beside node");
  try {
    await runCommand(compiler, args);
    renameSync(temporary, file); // a process that has the old one loaded keeps it
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** @typedef {{ device: string, kernels: string | null, why: string }} TensorflowState */

/**
 * Loads the binding in a process of its own and multiplies two matrices with it.
 *
 * @returns {TensorflowState | { problem: string }}
 */
export function checkTensorflow() {
  if (!existsSync(packageFile("@tensorflow/tfjs-node-gpu")))
    return { problem: "tfjs-node-gpu is not installed" };
  const answer = ask(process.execPath, ["--no-warnings", TENSORFLOW_CHECK])?.split("\n").at(-1);
  if (answer === undefined)
    return {
      problem: `the compiled binding does not load or compute: \`node ${relative(inProject(), TENSORFLOW_CHECK)}\` says why`,
    };
  /** @type {unknown} */
  const state = JSON.parse(answer);
  return /** @type {TensorflowState} */ (state);
}
