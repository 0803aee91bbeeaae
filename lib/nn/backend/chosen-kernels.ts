import { composedKernels } from "./composed-kernels.js";
import { hasOwnKernels } from "./kernel-level.js";
import type { Kernels } from "./kernels.js";
import { ownKernels } from "./own-kernels.js";

/** The kernels of this process: the project's own where they are in use. */
export const kernels: Kernels = hasOwnKernels ? ownKernels : composedKernels;
