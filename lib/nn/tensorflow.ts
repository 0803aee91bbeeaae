import { createRequire } from "node:module";
import type * as TensorFlow from "@tensorflow/tfjs-node-gpu";

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

/** What the binding offers beyond the public interface: any TensorFlow operation, by name. */
interface NativeBackend {
  binding: Readonly<
    Record<"TF_ATTR_TYPE" | "TF_ATTR_INT" | "TF_ATTR_FLOAT" | "TF_ATTR_BOOL" | "TF_ATTR_STRING", number>
  > & {
    executeOp: (
      name: string,
      attributes: readonly OperationAttribute[],
      inputs: readonly number[],
      outputs: number,
    ) => NativeTensor[];
  };
  readonly isUsingGpuDevice: boolean;
  readonly tensorMap: {
    get(dataId: object): { readonly dtype: number };
    set(dataId: object, value: NativeTensor & { readonly values: null; readonly refCount: number }): void;
  };
  getInputTensorIds(inputs: readonly TensorFlow.Tensor[]): number[];
  createOutputTensor(output: NativeTensor): TensorFlow.Tensor;
}

/** A tensor as the binding gives it; dtype is TensorFlow's number of its type. */
interface NativeTensor {
  readonly id: number;
  readonly dtype: number;
  readonly shape: number[];
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
  const backend = nativeBackend();
  const made = backend.binding.executeOp(operation, attributes, backend.getInputTensorIds(inputs), outputs);
  return made.map((output) =>
    output.dtype === TYPE_NUMBER.bfloat16
      ? bfloat16Tensor(backend, output)
      : backend.createOutputTensor(output),
  );
}

/**
 * Milliseconds that `work` spends in each TensorFlow operation, by its name. What is missing from the whole time is
 * JavaScript. Empty without the native library.
 */
export function timeOperations(work: () => void): Map<string, number> {
  const spent = new Map<string, number>();
  if (!isNative) {
    work();
    return spent;
  }
  const backend = nativeBackend();
  const { binding } = backend;
  const executeOp: typeof binding.executeOp = (name, ...rest) => {
    const begun = performance.now();
    const outputs = binding.executeOp(name, ...rest);
    spent.set(name, (spent.get(name) ?? 0) + performance.now() - begun);
    return outputs;
  };
  // The binding's own properties are read-only: a twin stands before it meanwhile.
  backend.binding = Object.create(binding, { executeOp: { value: executeOp } }) as typeof binding;
  try {
    work();
  } finally {
    backend.binding = binding;
  }
  return spent;
}

/** How a tensor's numbers are stored: bfloat16 has float32's range and its upper eight bits of precision. */
export type Storage = "float32" | "bfloat16";

/** TensorFlow's numbers of the types. */
const TYPE_NUMBER: Readonly<Record<Storage, number>> = { float32: 1, bfloat16: 14 };

/**
 * TensorFlow.js does not know bfloat16, and takes such a tensor for float32; what it would do with one itself fails
 * loudly in TensorFlow, for the types do not fit. Operations by name, disposal and scopes work.
 */
function bfloat16Tensor(backend: NativeBackend, output: NativeTensor): TensorFlow.Tensor {
  const dataId = {};
  backend.tensorMap.set(dataId, { ...output, values: null, refCount: 1 });
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape: output.shape, dtype: "float32" });
}

export function storageOf(tensor: TensorFlow.Tensor): Storage {
  if (!isNative) return "float32";
  const { dtype } = nativeBackend().tensorMap.get(tensor.dataId);
  return dtype === TYPE_NUMBER.bfloat16 ? "bfloat16" : "float32";
}

/**
 * The level of the project's own kernels (lib/nn/native) in this process: the highest that the processor has, or the one
 * that the variable CASCADE_KERNELS names; undefined where they are not in use.
 */
export const kernelLevel: string | undefined = probeOwnKernels();

/** True where the project's own kernels are in use. */
export const hasOwnKernels = kernelLevel !== undefined;

/** They are written for the processor: with a GPU in use TensorFlow's own operations, which run there, are better. */
function probeOwnKernels(): string | undefined {
  const wanted = process.env["CASCADE_KERNELS"] ?? "";
  if (!isNative || wanted === "none" || usesGpu()) return undefined;
  try {
    return scoped(() => {
      const [level] = runNative("CascadeLevel", [], []);
      return level?.dataSync<"string">()[0];
    });
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/^.*\nMessage: /s, "");
    if (wanted !== "") throw new Error(reason, { cause: error });
    process.stderr.write(
      `The project's own kernels are not in use, which costs much time (${reason}): run "npm run doctor".\n`,
    );
    return undefined;
  }
}

type AttributeOf<Value> = (name: string, value: Value) => OperationAttribute;

function attributeOf(
  kind: Exclude<keyof NativeBackend["binding"], "executeOp">,
): AttributeOf<OperationAttribute["value"]> {
  return (name, value) => ({ name, type: nativeBackend().binding[kind], value });
}

const integer: AttributeOf<number> = attributeOf("TF_ATTR_INT");
const integers: AttributeOf<readonly number[]> = attributeOf("TF_ATTR_INT");
const float: AttributeOf<number> = attributeOf("TF_ATTR_FLOAT");
const boolean: AttributeOf<boolean> = attributeOf("TF_ATTR_BOOL");
const text: AttributeOf<string> = attributeOf("TF_ATTR_STRING");
const storage: AttributeOf<Storage> = (name, value) => attributeOf("TF_ATTR_TYPE")(name, TYPE_NUMBER[value]);
const int32Type = (name: string): OperationAttribute => attributeOf("TF_ATTR_TYPE")(name, 3);

/** Attributes of native operations, by the type of their value. */
export const attribute = { integer, integers, float, boolean, text, storage, int32Type };

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
  return kernelLevel === undefined ? "tensorflow" : `tensorflow, own kernels (${kernelLevel})`;
}
