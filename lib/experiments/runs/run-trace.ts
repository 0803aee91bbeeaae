import { join } from "node:path";
import { accuracyPerTimestep } from "../../trace/accuracy-per-timestep.js";
import { readTrace } from "../../trace/trace-file.js";
import type { Trace } from "../../trace/trace.js";
import { UserError } from "../../util/errors.js";
import { sha256OfFile } from "../../util/files.js";
import { DONE, SPEC } from "./done-record.js";
import { damaged, readRun } from "./run-record.js";
import { noSuchModel, runSummary } from "./run-summary.js";

/**
 * What one of a finished run's models answers to the test images, for everything that is reported. A UserError where
 * there is no such model, and where spec, DONE.json and trace do not belong together: the spec is not the one that was
 * run, the file is not the one that was written, or the accuracies in DONE.json are not the trace's.
 */
export async function testTrace(directory: string, model: string): Promise<Trace> {
  const { models } = runSummary(directory);
  const recorded = models.find((one) => one.model === model);
  if (recorded === undefined) throw new UserError(noSuchModel(directory, model, models));
  const record = readRun(directory);
  const { done } = record;
  if (done?.hash !== record.hash) throw damaged(directory, `${SPEC} is not the spec that was run`);
  const path = join(directory, recorded.trace);
  // Before it is decoded: what was not written here is nobody's measurement.
  if ((await sha256OfFile(path)) !== done.files[recorded.trace])
    throw damaged(directory, `${recorded.trace} has changed`);
  // Its sum was just compared: one of the former form, without a sum inside, is as good here.
  const trace = await readTrace(path, () => undefined);
  if (!isEqual(accuracyPerTimestep(trace), recorded.accuracy))
    throw damaged(directory, `the accuracies of ${model} in ${DONE} are not those of ${recorded.trace}`);
  // A run from before may have it under the model's former name.
  return { ...trace, model };
}

/** To what a sum in another order may change. */
const ROUNDING = 1e-9;

function isEqual(a: ArrayLike<number>, b: readonly number[]): boolean {
  return a.length === b.length && b.every((value, t) => Math.abs((a[t] ?? NaN) - value) <= ROUNDING);
}
