import type { ImageSet } from "../../datasets/dataset.js";
import type { LoadOptions } from "../../datasets/progress.js";
import type { Trace } from "../../trace/trace.js";
import { parseRunSpec } from "../specs/spec.js";
import { testImages } from "./image-splits.js";
import { runDataset } from "./run-images.js";
import { readRun } from "./run-record.js";
import { runSummary } from "./run-summary.js";
import { testTrace } from "./run-trace.js";

/** A trace beside the images that it is of, in the same order. */
export interface TracedImages {
  readonly trace: Trace;
  readonly images: ImageSet;
  /** Further [T, N] values from 0 to 1 that a stopping rule may watch, high where an image shall stop. */
  readonly signals?: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
}

/**
 * The test images of a finished run beside what one of its models (the first unless told) answers to them, for
 * `showTraceExplorer`. Loads the images anew; a UserError where they are not those that the run saw.
 */
export async function runTracedImages(
  directory: string,
  model: string = runSummary(directory).models[0]?.model ?? "",
  options: LoadOptions = {},
): Promise<TracedImages> {
  const spec = parseRunSpec(readRun(directory).spec, directory);
  const trace = await testTrace(directory, model);
  return { trace, images: testImages(spec, await runDataset(directory, options)) };
}
