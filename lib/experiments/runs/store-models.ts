import type { ImageSet } from "../../datasets/dataset.js";
import { retimedState } from "../../models/retime.js";
import { disposeState, stateValues } from "../../models/state.js";
import { accuracyPerTimestep } from "../../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../../trace/area.js";
import { encodeTrace } from "../../trace/trace-file.js";
import type { Trace } from "../../trace/trace.js";
import { storedModel } from "../../train/checkpoint.js";
import { totalSteps, type TrainingPlan } from "../../train/training-steps.js";
import { encodeSafetensors } from "../../util/safetensors.js";
import { nextTurn } from "../../util/stopping.js";
import { modelViews } from "../specs/model-views.js";
import { collectTrace } from "./collect-trace.js";
import { type Divergence, notFinite } from "./divergence.js";
import { MODEL_FILE } from "./model-file.js";
import type { RunSummary } from "./run-summary.js";
import { type RunTask, stopped } from "./run-task.js";
import type { Trained } from "./train-to-end.js";

/** Writes the weights and every model's trace of the test images; a divergence where logits are not finite. */
export async function storeModels(
  task: RunTask,
  plan: TrainingPlan,
  { state, lastLoss }: Trained,
  test: ImageSet,
): Promise<RunSummary["models"] | Divergence> {
  const { run, spec, dataset, signal } = task;
  const { normalisation, epochs } = plan;
  await run.writeArtifact(
    MODEL_FILE,
    encodeSafetensors(storedModel(state), { format: "anytime-cascade 1", layout: "HWIO" }),
  );
  const values = stateValues(state);
  const models: RunSummary["models"] = [];
  for (const { model, network } of modelViews(spec, test.classNames.length, test.size.height)) {
    await nextTurn();
    if (signal.aborted) throw stopped(task, "after its last step");
    const viewState = retimedState(network, values);
    const trace: Trace = {
      ...collectTrace(network, viewState, test, { normalisation, model, run: run.hash }),
      data: dataset.hash,
      split: "test",
    };
    disposeState(viewState);
    const found = notFinite("logits", trace.logits);
    if (found !== null) return { ...found, step: totalSteps(plan), epoch: epochs - 1, lastLoss };
    const file = `trace-${model}.arrow`;
    await run.writeArtifact(file, encodeTrace(trace, file));
    const accuracy = [...accuracyPerTimestep(trace)];
    models.push({ model, trace: file, accuracy, area: areaUnderAccuracy(accuracy) });
  }
  return models;
}
