/** Multiplies two matrices on native TensorFlow; prints, as its last line, {"device": "CPU", "kernels": "avx2", "why": ""}. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

// Node 23 removed these two, and tfjs-node still calls them.
/** @type {Record<string, unknown>} */
const legacy = {
  isNullOrUndefined: (/** @type {unknown} */ value) => value === null || value === undefined,
  isArray: Array.isArray,
};
/** @type {unknown} */
const util = require("node:util");
Object.assign(/** @type {object} */ (util), legacy);

process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
// As lib/nn/tensorflow.ts has it: a look at a GPU must not take the memory of a training on it.
process.env["TF_FORCE_GPU_ALLOW_GROWTH"] ??= "true";

/**
 * @typedef {{ arraySync(): number[][] }} Matrix
 * @typedef {{ dataSync(): string[] }} Text
 * @typedef {{ isUsingGpuDevice: boolean, executeMultipleOutputs(name: string, attributes: [], inputs: [], outputs: number): Text[] }} Backend
 * @typedef {{ getBackend(): string, matMul(a: number[][], b: number[][]): Matrix, backend(): Backend }} Tensorflow
 */
/** @type {unknown} */
const loaded = require("@tensorflow/tfjs-node-gpu");
const tf = /** @type {Tensorflow} */ (loaded);

const product = tf.matMul([[1, 2]], [[3], [4]]).arraySync()[0]?.[0];
if (tf.getBackend() !== "tensorflow" || product !== 11)
  throw new Error("native TensorFlow multiplies wrongly");

/** The level of the project's own kernels in use, or why there is none. */
function kernels() {
  if (process.env["CASCADE_KERNELS"] === "none") return { kernels: null, why: "CASCADE_KERNELS=none is set" };
  if (tf.backend().isUsingGpuDevice) return { kernels: null, why: "a GPU is in use" };
  try {
    const [level] = tf.backend().executeMultipleOutputs("CascadeLevel", [], [], 1);
    return { kernels: level?.dataSync()[0] ?? null, why: "" };
  } catch (error) {
    return { kernels: null, why: error instanceof Error ? error.message : String(error) };
  }
}

const device = tf.backend().isUsingGpuDevice ? "GPU" : "CPU";
console.log(JSON.stringify({ device, ...kernels() }));
