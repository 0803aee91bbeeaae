import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ask, runCommand } from "./command.mjs";
import { SetupError } from "./errors.mjs";
import { BINDING, TFJS, inProject, packageFile, sitePackages } from "./project.mjs";
import { installedTensorflow } from "./python-environment.mjs";
import { fingerprint, readStamp, removeStamp, stamps, writeStamp } from "./stamp.mjs";
import { findCompiler, findNodeHeaders, installHint } from "./toolchain.mjs";

const SOURCES = join(TFJS, "binding");
export const TENSORFLOW_CHECK = inProject("lib", "setup", "check-tensorflow.mjs");

/**
 * What the binding is compiled from, as a compiler's arguments: the sources that come with tfjs-node-gpu against
 * the headers and libraries of the wheel. The libraries are found relative to the binding, so that a checkout
 * can be moved; the CPU's and the CUDA wheel's are interchangeable.
 */
function compilerArguments(/** @type {string} */ output) {
  const site = sitePackages();
  const headers = findNodeHeaders();
  if (site === undefined || headers === undefined || !existsSync(SOURCES)) return undefined;
  const tensorflow = join(site, "tensorflow");
  return [
    ...["-O2", "-shared", "-fPIC", "-std=c++17", "-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION"],
    ...[SOURCES, join(tensorflow, "include"), headers].map((folder) => `-I${folder}`),
    ...sourceFiles(".cc"),
    ...["-o", output, `-L${tensorflow}`, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"],
    `-Wl,-rpath,$ORIGIN/${relative(dirname(BINDING), tensorflow)}`,
  ];
}

function sourceFiles(/** @type {string} */ ending) {
  const names = existsSync(SOURCES) ? readdirSync(SOURCES) : [];
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(SOURCES, name));
}

function bindingStamp() {
  const args = compilerArguments("binding");
  const compiler = findCompiler();
  const wheel = installedTensorflow();
  if (args === undefined || compiler === undefined || wheel === undefined) return undefined;
  const words = [
    compiler.command,
    compiler.version,
    wheel.version,
    ...args.map((arg) => arg.replaceAll(inProject(), "")),
  ];
  return fingerprint(words, []) + fingerprint(sourceFiles("").map((file) => readFileSync(file, "base64")));
}

/** A binding that was compiled once stays good when the compiler is gone. */
export function isBindingReady() {
  const stamp = readStamp(stamps.binding);
  if (stamp === undefined || !existsSync(BINDING) || installedTensorflow() === undefined) return false;
  return findCompiler() === undefined || stamp === bindingStamp();
}

export async function compileBinding() {
  const compiler = findCompiler();
  if (compiler === undefined)
    throw new SetupError(`no C++ compiler is found: ${installHint.compiler}, or set CXX`);
  if (installedTensorflow() === undefined)
    throw new SetupError("there is no TensorFlow wheel to compile it against");
  removeStamp(stamps.binding);
  mkdirSync(dirname(BINDING), { recursive: true });
  const temporary = `${BINDING}.${String(process.pid)}.tmp`;
  try {
    const args = compilerArguments(temporary);
    if (args === undefined)
      throw new SetupError("the header node_api.h is found neither in node_modules nor beside node");
    await runCommand(compiler.command, args);
    renameSync(temporary, BINDING); // a process that has the old one loaded keeps it
  } finally {
    rmSync(temporary, { force: true });
  }
  const check = checkTensorflow();
  if ("problem" in check) throw new SetupError(check.problem);
  const stamp = bindingStamp();
  if (stamp !== undefined) writeStamp(stamps.binding, stamp);
}

/**
 * Loads the binding in a process of its own and multiplies two matrices with it.
 *
 * @returns {{ device: string } | { problem: string }}
 */
export function checkTensorflow() {
  if (!existsSync(packageFile("@tensorflow/tfjs-node-gpu")))
    return { problem: "tfjs-node-gpu is not installed" };
  const answer = ask(process.execPath, ["--no-warnings", TENSORFLOW_CHECK]);
  const found = /** @type {unknown} */ (JSON.parse(answer?.split("\n").at(-1) ?? "null"));
  return typeof found === "object" && found !== null && "device" in found && typeof found.device === "string"
    ? { device: found.device }
    : {
        problem: `the compiled binding does not load or compute: \`node ${relative(inProject(), TENSORFLOW_CHECK)}\` says why`,
      };
}
