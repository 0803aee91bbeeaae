import { createRequire } from "node:module";
import type * as TensorFlow from "@tensorflow/tfjs-node-gpu";
import { usableProcessors } from "../util/machine-share.mjs";

/**
 * Loads the one TensorFlow of this process: the native library under @tensorflow/tfjs-node-gpu where it was set
 * up, else the pure JavaScript backend, which gives the same numbers slowly and runs the small tests.
 */

export type {
  Scalar,
  Tensor,
  Tensor1D,
  Tensor2D,
  Tensor3D,
  Tensor4D,
  TensorLike,
  Variable,
} from "@tensorflow/tfjs-node-gpu";

const require = createRequire(import.meta.url);

/** tfjs-node calls two functions of `util` that newer versions of Node complain of or no longer have. */
function replaceOldUtilities(): void {
  const util = require("node:util") as Record<string, unknown>;
  util["isNullOrUndefined"] = (value: unknown) => value === null || value === undefined;
  util["isArray"] = Array.isArray;
}

/**
 * What a GPU does unasked, and this project does not want: float32 rounded to ten bits before it is multiplied, sums in an
 * order that changes from run to run, all of its memory taken by whoever comes first. Read when TensorFlow begins.
 */
const ON_A_GPU = {
  NVIDIA_TF32_OVERRIDE: "0",
  TF_DETERMINISTIC_OPS: "1",
  TF_FORCE_GPU_ALLOW_GROWTH: "true",
};

function load(): { tf: typeof TensorFlow; reason: string | undefined } {
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  for (const [name, value] of Object.entries(ON_A_GPU)) process.env[name] ??= value;
  // By itself it takes a thread for each processor that it sees, whatever time a container is given on them.
  process.env["TF_NUM_INTRAOP_THREADS"] ??= String(usableProcessors());
  replaceOldUtilities();
  if (process.env["CASCADE_BACKEND"] !== "javascript") {
    try {
      loadQuietly();
      return { tf: require("@tensorflow/tfjs-node-gpu") as typeof TensorFlow, reason: undefined };
    } catch (error) {
      const cause = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      return { tf: loadJavaScript(), reason: cause };
    }
  }
  return { tf: loadJavaScript(), reason: "CASCADE_BACKEND=javascript is set" };
}

/** TensorFlow remarks on itself while it is loaded; the module that set-up compiled for this loads it in silence. */
function loadQuietly(): void {
  try {
    require("@tensorflow/tfjs-node-gpu/lib/napi-v8/load_quietly.node");
  } catch {
    // Not there, or of no use: loading the binding says what is wrong.
  }
}

function loadJavaScript(): typeof TensorFlow {
  const tfjs = require("@tensorflow/tfjs") as typeof TensorFlow;
  // Otherwise it advertises its native backend on standard error; why that is not in use is said below.
  tfjs.enableProdMode();
  if (!tfjs.getBackend()) void tfjs.setBackend("cpu");
  return tfjs;
}

/** What Node calls the warnings that computation is slower than it could be. */
export const SLOW = "SlowComputationWarning";

const loaded = load();

/**
 * TensorFlow.js: with the native library where that loads, else in JavaScript, whose small tests run without it.
 */
export const tf = loaded.tf;

/** Why the native library is not in use; undefined where it is. */
const whyNotNative: string | undefined = loaded.reason;

/** Whether the native library is in use; the JavaScript backend is far too slow for training. */
export const isNative = whyNotNative === undefined;

if (!isNative && process.env["CASCADE_BACKEND"] !== "javascript") {
  // A warning of Node's, which a program that only uses the library can handle or silence; by default it is printed.
  process.emitWarning(
    `TensorFlow's native library is not loaded (${whyNotNative ?? ""}); the slow JavaScript backend takes its place: run "npm run doctor" to see what is missing`,
    SLOW,
  );
}

/** Runs `work` and frees every tensor that it made and did not mark with tf.keep. */
export function scoped<R>(work: () => R): R {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}
