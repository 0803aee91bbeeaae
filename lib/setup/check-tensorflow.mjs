/** Multiplies two matrices on native TensorFlow; prints, as its last line, {"device": "CPU", "ownKernels": true}. */
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

/**
 * @typedef {{ arraySync(): number[][] }} Matrix
 * @typedef {{ isUsingGpuDevice: boolean, executeMultipleOutputs(name: string, attributes: [], inputs: [], outputs: number): unknown }} Backend
 * @typedef {{ getBackend(): string, matMul(a: number[][], b: number[][]): Matrix, backend(): Backend }} Tensorflow
 */
/** @type {unknown} */
const loaded = require("@tensorflow/tfjs-node-gpu");
const tf = /** @type {Tensorflow} */ (loaded);

const product = tf.matMul([[1, 2]], [[3], [4]]).arraySync()[0]?.[0];
if (tf.getBackend() !== "tensorflow" || product !== 11)
  throw new Error("native TensorFlow multiplies wrongly");

function hasOwnKernels() {
  try {
    tf.backend().executeMultipleOutputs("CascadeKernelVersion", [], [], 1);
    return true;
  } catch {
    return false;
  }
}

console.log(
  JSON.stringify({ device: tf.backend().isUsingGpuDevice ? "GPU" : "CPU", ownKernels: hasOwnKernels() }),
);
