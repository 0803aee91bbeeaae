import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { kernelLevel } from "../../nn/backend/kernel-level.js";
import { isNative } from "../../nn/tensorflow.js";
import { contentHash } from "../../util/content-hash.js";
import { sha256 } from "../../util/files.js";

/** A few digits of the compiled code that computes here, the binding with the project's operations and its kernels; none in JavaScript. */
export function compiledCode(): string | undefined {
  if (!isNative) return undefined;
  const require = createRequire(import.meta.url);
  const names = ["tfjs_binding.node", ...(kernelLevel === undefined ? [] : [`cascade_${kernelLevel}.so`])];
  const folder = "@tensorflow/tfjs-node-gpu/lib/napi-v8";
  return contentHash(names.map((name) => sha256(readFileSync(require.resolve(`${folder}/${name}`)))));
}
