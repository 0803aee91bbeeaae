import { isNative, tf, type Tensor } from "../tensorflow.js";

/**
 * TensorFlow's operations by name, through the native backend: those that TensorFlow.js does not offer, the project's own
 * among them, and those on bfloat16, a type that it does not know.
 */

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
  getInputTensorIds(inputs: readonly Tensor[]): number[];
  createOutputTensor(output: NativeTensor): Tensor;
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

/** The native backend, for what TensorFlow.js does not offer. */
function nativeBackend(): NativeBackend {
  return tf.backend() as unknown as NativeBackend;
}

/** How numbers are stored: bfloat16 has float32's range and its upper eight bits of precision. */
export type Dtype = "float32" | "bfloat16";

/** TensorFlow's numbers of the types. */
const TYPE_NUMBER: Readonly<Record<Dtype, number>> = { float32: 1, bfloat16: 14 };

/**
 * TensorFlow.js does not know bfloat16, and takes such a tensor for float32; what it would do with one itself fails
 * loudly in TensorFlow, for the types do not fit. Operations by name, disposal and scopes work.
 */
function bfloat16Tensor(backend: NativeBackend, output: NativeTensor): Tensor {
  const dataId = {};
  backend.tensorMap.set(dataId, { ...output, values: null, refCount: 1 });
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape: output.shape, dtype: "float32" });
}

/** Runs any TensorFlow operation by its name; the results belong to the current scope. */
export function runNative(
  operation: string,
  attributes: readonly OperationAttribute[],
  inputs: readonly Tensor[],
  outputs = 1,
): Tensor[] {
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
const dtype: AttributeOf<Dtype> = (name, value) => attributeOf("TF_ATTR_TYPE")(name, TYPE_NUMBER[value]);
const int32Type = (name: string): OperationAttribute => attributeOf("TF_ATTR_TYPE")(name, 3);

/** Attributes of native operations, by the type of their value. */
export const attribute = { integer, integers, float, boolean, text, dtype, int32Type };

/** How a tensor's numbers are stored. */
export function dtypeOf(tensor: Tensor): Dtype {
  if (!isNative) return "float32";
  const { dtype: number } = nativeBackend().tensorMap.get(tensor.dataId);
  return number === TYPE_NUMBER.bfloat16 ? "bfloat16" : "float32";
}

/** Whether TensorFlow computes on a GPU, which several processes cannot share as they share a processor. */
export function usesGpu(): boolean {
  return isNative && nativeBackend().isUsingGpuDevice;
}
