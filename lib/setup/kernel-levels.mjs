import { arch } from "node:process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { BINDING, inProject } from "./project.mjs";
import { fingerprint } from "./stamp.mjs";

const SOURCES = inProject("lib", "nn", "native");

/** The levels of instruction sets that the kernels are compiled for; lib/nn/native/operations/levels.h chooses among them. */
const AVX2 = ["-mavx2", "-mfma"];
const AVX512 = [...AVX2, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512"];
const VNNI = [...AVX512, "-mavx512vnni"];

/**
 * A level with a probe is left out by compilers that do not compile that file.
 *
 * @typedef {{ name: string, flags: readonly string[], probe?: string }} KernelLevel
 */

/** @type {readonly KernelLevel[]} */
export const KERNEL_LEVELS =
  arch === "x64"
    ? [
        { name: "baseline", flags: [] },
        { name: "avx2", flags: AVX2 },
        { name: "avx512", flags: AVX512 },
        { name: "avx512-vnni", flags: VNNI },
        {
          name: "avx512-amx",
          flags: [...VNNI, "-mamx-tile", "-mamx-int8", "-DCASCADE_MATRIX_REGISTERS"],
          probe: join(SOURCES, "probes", "avx512-amx.cc"),
        },
      ]
    : [{ name: "baseline", flags: [] }];

/** The value of CASCADE_KERNELS that does without the project's own kernels. */
export const goesWithoutKernels = () => process.env["CASCADE_KERNELS"] === "none";

const ARITHMETIC = join(SOURCES, "arithmetic");
const OPERATIONS = join(SOURCES, "operations");

/** What the operations that TensorFlow sees are compiled from. */
export const OPERATIONS_SOURCE = join(OPERATIONS, "operations.cc");

/** What both sides of the arithmetic's interface are compiled with, so that sides of different set-ups do not meet. */
export const interfaceDefinition = () =>
  `-DCASCADE_INTERFACE="${fingerprint([readFileSync(join(ARITHMETIC, "arithmetic.h"), "utf8")]).slice(0, 16)}"`;

/** Every file that the kernels are made from. */
export const kernelSources = () =>
  [ARITHMETIC, OPERATIONS].flatMap((folder) =>
    readdirSync(folder)
      .sort()
      .map((name) => join(folder, name)),
  );

/** The compiled arithmetic of a level, beside the binding. */
export const levelLibrary = (/** @type {KernelLevel} */ { name }) =>
  join(dirname(BINDING), `cascade_${name}.so`);

export const allLevelsCompiled = () =>
  KERNEL_LEVELS.every((level) => level.probe !== undefined || existsSync(levelLibrary(level)));

/**
 * A compiler's arguments for a level. Nothing may be fused or reordered but where the source says so, for then every level,
 * compiler and number of threads gives the same bits; and no symbol but the one entry leaves the library.
 *
 * @param {KernelLevel} level
 * @param {string} output
 */
export const levelArguments = ({ flags }, output) => [
  ...["-O3", "-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden"],
  // Comparisons may be computed for many values at once.
  ...["-fno-trapping-math", "-fno-math-errno", "-ffp-contract=off", "-Wno-psabi"],
  ...flags,
  interfaceDefinition(),
  join(ARITHMETIC, "level.cc"),
  // Not by -Wl, which takes commas in the path for its own.
  ...["-Xlinker", `--version-script=${join(ARITHMETIC, "exports.map")}`],
  ...["-o", output],
];
