import { cpus } from "node:os";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ask, runCommand } from "./command.mjs";
import { SetupError, messageOf } from "./errors.mjs";
import { BINDING, QUIET_LOADER, TFJS, inProject, packageFile, sitePackages } from "./project.mjs";
import { installedTensorflow } from "./python-environment.mjs";
import { fingerprint, readStamp, removeStamp, stamps, writeStamp } from "./stamp.mjs";
import { findCompiler, findNodeHeaders, installHint } from "./toolchain.mjs";

const BINDING_SOURCES = join(TFJS, "binding");
const KERNEL_SOURCES = inProject("lib", "nn", "native");
const LOADER_SOURCE = inProject("lib", "setup", "native", "load-quietly.cc");
const TENSORFLOW_CHECK = inProject("lib", "setup", "check-tensorflow.mjs");

/** The files of a folder that end so, if there is such a folder. */
function filesIn(/** @type {string} */ folder, ending = "") {
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

/**
 * What the binding is compiled from, as a compiler's arguments: the sources that come with tfjs-node-gpu, and the
 * project's own kernels, against the headers and libraries of the wheel. The libraries are found relative to the
 * binding, so that a checkout can be moved; the CPU's and the CUDA wheel's are interchangeable.
 *
 * @param {string} output
 * @param {readonly string[]} kernels
 */
function compilerArguments(output, kernels) {
  const site = sitePackages();
  const headers = findNodeHeaders();
  if (site === undefined || headers === undefined || !existsSync(BINDING_SOURCES)) return undefined;
  const tensorflow = join(site, "tensorflow");
  return [
    ...[
      "-O3",
      "-march=native",
      // Lets comparisons be computed for many values at once.
      "-fno-trapping-math",
      "-fno-math-errno",
      "-shared",
      "-fPIC",
      "-std=c++17",
      "-DNAPI_VERSION=8",
      "-DBUILDING_NODE_EXTENSION",
    ],
    ...[BINDING_SOURCES, join(tensorflow, "include"), headers].map((folder) => `-I${folder}`),
    ...filesIn(BINDING_SOURCES, ".cc"),
    ...kernels,
    ...["-o", output, `-L${tensorflow}`, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"],
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

/** Code for one processor may not run on another one that shares the same disk. */
function processor() {
  const model = cpus()[0]?.model ?? "";
  const flags = existsSync("/proc/cpuinfo")
    ? /^(?:flags|Features)\s*:.*$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))
    : null;
  return `${model} ${flags?.[0] ?? ""}`;
}

function bindingStamp() {
  const args = compilerArguments("binding", filesIn(KERNEL_SOURCES, ".cc"));
  const compiler = findCompiler();
  const wheel = installedTensorflow();
  if (args === undefined || compiler === undefined || wheel === undefined) return undefined;
  const sources = [...filesIn(BINDING_SOURCES), ...filesIn(KERNEL_SOURCES), LOADER_SOURCE].map((file) =>
    readFileSync(file, "utf8"),
  );
  const portable = args.map((arg) => arg.replaceAll(inProject(), ""));
  return fingerprint([
    compiler.command,
    compiler.version,
    wheel.version,
    processor(),
    ...portable,
    ...sources,
  ]);
}

/** A binding that was compiled once stays good when the compiler is gone. */
export function isBindingReady() {
  const stamp = readStamp(stamps.binding);
  if (stamp === undefined || !existsSync(BINDING) || installedTensorflow() === undefined) return false;
  return findCompiler() === undefined || stamp === bindingStamp();
}

/** Compiles the binding with the project's own kernels, or without them where they do not compile. */
export async function compileBinding(/** @type {(message: string) => void} */ warn) {
  if (installedTensorflow() === undefined)
    throw new SetupError("there is no TensorFlow wheel to compile it against");
  const stamp = bindingStamp(); // before compiling: a source saved meanwhile counts as not yet compiled
  removeStamp(stamps.binding);
  const kernels = filesIn(KERNEL_SOURCES, ".cc");
  try {
    await compileWith(kernels);
  } catch (error) {
    if (kernels.length === 0) throw error;
    warn(`the project's own kernels are left out, which costs speed: ${messageOf(error)}`);
    await compileWith([]);
  }
  if (stamp !== undefined) writeStamp(stamps.binding, stamp);
}

async function compileWith(/** @type {readonly string[]} */ kernels) {
  const compiler = findCompiler();
  if (compiler === undefined)
    throw new SetupError(`no C++ compiler is found: ${installHint.compiler}, or set CXX`);
  mkdirSync(dirname(BINDING), { recursive: true });
  const temporary = `${BINDING}.${String(process.pid)}.tmp`;
  const args = compilerArguments(temporary, kernels);
  if (args === undefined)
    throw new SetupError("the header node_api.h is found neither in node_modules nor beside node");
  try {
    await runCommand(compiler.command, args);
    renameSync(temporary, BINDING); // a process that has the old one loaded keeps it
  } finally {
    rmSync(temporary, { force: true });
  }
  await compileLoader(compiler.command);
  const check = checkTensorflow();
  if ("problem" in check) throw new SetupError(check.problem);
}

async function compileLoader(/** @type {string} */ compiler) {
  const temporary = `${QUIET_LOADER}.${String(process.pid)}.tmp`;
  const args = loaderArguments(temporary);
  if (args === undefined) return;
  try {
    await runCommand(compiler, args);
    renameSync(temporary, QUIET_LOADER);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** @typedef {{ device: string, ownKernels: boolean }} TensorflowState */

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
