import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { UserError } from "../../util/errors.js";
import { parseWithSchema } from "../../util/schema.js";
import { namedModels } from "../specs/names.js";
import { parseRunSpec } from "../specs/spec.js";
import { divergedSummary, divergenceText } from "./divergence.js";
import { DONE, SPEC } from "./done-record.js";
import { readRun, RUNS } from "./run-record.js";

const channels = z.tuple([z.number(), z.number(), z.number()]);

/** What a finished run says of itself in DONE.json. */
const runSummarySchema = z.object({
  seed: z.number(),
  data: z.object({ name: z.string(), hash: z.string(), train: z.number(), test: z.number() }),
  normalisation: z.object({ mean: channels, std: channels }),
  classNames: z.array(z.string()),
  imageSize: z.number(),
  steps: z.number(),
  trainingSeconds: z.number(),
  imagesPerSecond: z.number(),
  models: z.array(
    z.object({
      model: z.string(),
      /** File of the run directory that holds the test set's trace. */
      trace: z.string(),
      accuracy: z.array(z.number()),
      area: z.number(),
    }),
  ),
});

/** What a finished run says of itself: its models, with the accuracies of each on the test images. */
export type RunSummary = z.output<typeof runSummarySchema>;

/** The summary of a finished run; a UserError says how to finish one that is not, or where the run diverged. */
export function runSummary(directory: string): RunSummary {
  const done = readRun(directory).done;
  if (done === null) {
    throw new UserError(`${directory} is not finished; call "${commandFor(directory)}" to go on with it`);
  }
  const diverged = divergedSummary(directory)?.diverged;
  if (diverged !== undefined) {
    throw new UserError(
      `${directory} gives no model, because its training diverged: ${divergenceText(diverged)}; train another spec, such as one with a lower train.learningRate or a larger network.epsilon`,
    );
  }
  const summary = parseWithSchema(runSummarySchema, done.summary, join(directory, DONE));
  const named = namedModels(parseRunSpec(readRun(directory).spec, join(directory, SPEC)));
  // Written in the order of the spec's models, under the names of their day.
  const models = summary.models.map((one, i) => ({ ...one, model: named[i]?.model ?? one.model }));
  return { ...summary, models };
}

/** What goes on with a run where it is: under another root it would begin anew. */
function commandFor(directory: string): string {
  const root = dirname(directory);
  const elsewhere = resolve(root) === resolve(RUNS) ? [] : ["--out", root];
  return ["cascade", "run", join(directory, SPEC), ...elsewhere].map(shellWord).join(" ");
}

/** A word as a shell takes it for one. */
const shellWord = (text: string): string =>
  /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** That a run does not give a model, and which it gives. */
export function noSuchModel(
  directory: string,
  model: string,
  models: readonly { readonly model: string }[],
): string {
  return `${directory} gives no model "${model}"; it gives ${models.map((one) => one.model).join(", ")}`;
}
