import { isNative, scoped, SLOW } from "../tensorflow.js";
import { runNative, usesGpu } from "./native-operation.js";

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
    process.emitWarning(
      `The project's own kernels are not in use, which costs much time (${reason}): run "npm run doctor"`,
      SLOW,
    );
    return undefined;
  }
}

/** Which TensorFlow does the work, for records of what a number was computed with. */
export function describeBackend(): string {
  if (!isNative) return "javascript";
  return kernelLevel === undefined ? "tensorflow" : `tensorflow, own kernels (${kernelLevel})`;
}
