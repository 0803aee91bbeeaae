import { createRequire } from "node:module";
import type * as TensorFlow from "@tensorflow/tfjs-node-gpu";

/**
 * Loads the one TensorFlow of this process: the native library under @tensorflow/tfjs-node-gpu where it was set
 * up, else the pure JavaScript backend, which gives the same numbers slowly and runs the small tests.
 */

export type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D, TensorLike } from "@tensorflow/tfjs-node-gpu";

const require = createRequire(import.meta.url);

/** What the binding offers beyond the public interface: any TensorFlow operation, by name. */
interface NativeBackend {
  readonly binding: Readonly<
    Record<"TF_ATTR_TYPE" | "TF_ATTR_INT" | "TF_ATTR_FLOAT" | "TF_ATTR_BOOL" | "TF_ATTR_STRING", number>
  >;
  readonly isUsingGpuDevice: boolean;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly TensorFlow.Tensor[],
    outputs: number,
  ): TensorFlow.Tensor[];
}

interface OperationAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string | readonly number[];
}

/** tfjs-node calls two functions of `util` that newer versions of Node complain of or no longer have. */
function replaceOldUtilities(): void {
  const util = require("node:util") as Record<string, unknown>;
  util["isNullOrUndefined"] = (value: unknown) => value === null || value === undefined;
  util["isArray"] = Array.isArray;
}

function load(): { tf: typeof TensorFlow; reason: string | undefined } {
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
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

const loaded = load();

export const tf = loaded.tf;

/** Why the native library is not in use; undefined where it is. */
const whyNotNative: string | undefined = loaded.reason;

export const isNative = whyNotNative === undefined;

if (!isNative && process.env["CASCADE_BACKEND"] !== "javascript") {
  process.stderr.write(
    `TensorFlow's native library is not loaded (${whyNotNative ?? ""}); the slow JavaScript backend takes its place: run "npm run doctor" to see what is missing.\n`,
  );
}

/** The native backend, for operations that tfjs does not offer. */
function nativeBackend(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}

/** Whether TensorFlow computes on a GPU, which several processes cannot share as they share a processor. */
export function usesGpu(): boolean {
  return isNative && nativeBackend().isUsingGpuDevice;
}

/** Runs any TensorFlow operation by its name; the results belong to the current scope. */
export function runNative(
  operation: string,
  attributes: readonly OperationAttribute[],
  inputs: readonly TensorFlow.Tensor[],
  outputs = 1,
): TensorFlow.Tensor[] {
  return nativeBackend().executeMultipleOutputs(operation, attributes, inputs, outputs);
}

/** True where the project's own kernels (lib/nn/native) were compiled into the binding. */
export const hasOwnKernels = isNative && process.env["CASCADE_KERNELS"] !== "none" && probeOwnKernels();

/** They are written for the processor: with a GPU in use TensorFlow's own operations, which run there, are better. */
function probeOwnKernels(): boolean {
  try {
    if (usesGpu()) return false;
    const [version] = runNative("CascadeKernelVersion", [], []);
    version?.dispose();
    return version !== undefined;
  } catch {
    return false;
  }
}

type AttributeOf<Value> = (name: string, value: Value) => OperationAttribute;

function attributeOf(kind: keyof NativeBackend["binding"]): AttributeOf<OperationAttribute["value"]> {
  return (name, value) => ({ name, type: nativeBackend().binding[kind], value });
}

const FLOAT32 = 1;

const integer: AttributeOf<number> = attributeOf("TF_ATTR_INT");
const integers: AttributeOf<readonly number[]> = attributeOf("TF_ATTR_INT");
const float: AttributeOf<number> = attributeOf("TF_ATTR_FLOAT");
const boolean: AttributeOf<boolean> = attributeOf("TF_ATTR_BOOL");
const text: AttributeOf<string> = attributeOf("TF_ATTR_STRING");
const float32Type = (name: string): OperationAttribute => attributeOf("TF_ATTR_TYPE")(name, FLOAT32);

/** Attributes of native operations, by the type of their value. */
export const attribute = { integer, integers, float, boolean, text, float32Type };

/** Runs `work` and frees every tensor that it made and did not mark with tf.keep. */
export function scoped<R>(work: () => R): R {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}

/** Which TensorFlow does the work, for records of what a number was computed with. */
export function describeBackend(): string {
  if (!isNative) return "javascript";
  return hasOwnKernels ? "tensorflow, own kernels" : "tensorflow";
}
