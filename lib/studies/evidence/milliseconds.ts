import { z } from "zod";
import { answerTimes } from "../../experiments/analyses/answer-times.js";
import { compiledCode } from "../../experiments/runs/compiled-code.js";
import { currentEnvironment } from "../../experiments/runs/environment.js";
import { readRun } from "../../experiments/runs/run-record.js";
import { openTrainedModel, type TrainedModel } from "../../experiments/runs/trained-model.js";
import { runSummary } from "../../experiments/runs/run-summary.js";
import type { RunSpec } from "../../experiments/specs/spec.js";
import { describeBackend } from "../../nn/backend/kernel-level.js";
import type { Milliseconds } from "./anytime-models.js";
import type { Analysis } from "./cached-analysis.js";
import type { StudyContext } from "../study-context.js";

const ANALYSIS: Analysis<Milliseconds> = {
  name: "answer times",
  module: import.meta.url,
  schema: z.record(z.string(), z.array(z.number())),
};

/** The time to each answer of every model that the trainings give, on this machine. */
export async function measuredMilliseconds(
  specs: readonly RunSpec[],
  timings: number,
  context: StudyContext,
): Promise<Milliseconds> {
  const directories = specs.map((spec) => context.run(spec));
  const views = directories.flatMap((directory) =>
    runSummary(directory).models.map(({ model }) => ({ directory, model })),
  );
  const { cpu, cores, node } = currentEnvironment();
  const key = {
    runs: directories.map((directory) => readRun(directory).hash),
    timings,
    // Times are of the code as it was compiled, too.
    machine: { cpu, cores, node, backend: describeBackend(), compiled: compiledCode() ?? null },
  };
  return context.cached(ANALYSIS, key, async () => {
    context.onProgress("measuring the time to each timestep's answer");
    const models: TrainedModel[] = [];
    for (const { directory, model } of views) models.push(await openTrainedModel(directory, { model }));
    const times = answerTimes(models, timings);
    for (const model of models) model.dispose();
    return Object.fromEntries(models.map(({ model }, m) => [model, times[m] ?? []]));
  });
}
