import type { TrainingView, WatchedTraining, WatchTraining } from "../experiments/runs/training-watch.js";
import { shownFields, type StepRecord } from "../experiments/runs/training-metrics.js";
import { trainingProgressSvg } from "../figures/training-progress.js";
import { duration, timeLeft } from "../util/progress.js";
import { type DisplayBundle, openDisplay } from "./emit-display.js";
import { escapeHtml } from "./show-table.js";

/** Between two pictures of a training. */
const SECONDS = 1;

/**
 * How the notebook shows trainings: one output that is replaced as they go on, the curves of the one at hand below a
 * line with its loss, accuracies and time left. Trainings of one view, one after the other, share the output.
 * Undefined outside of notebooks.
 */
export function notebookWatch(): WatchTraining | undefined {
  const display = openDisplay();
  return display === undefined ? undefined : (training) => curves(training, display);
}

function curves(training: WatchedTraining, display: (bundle: DisplayBundle) => void): TrainingView {
  const { name, total, initial } = training;
  const records: StepRecord[] = [...training.records];
  const begun = performance.now();
  let drawnAt = -Infinity;
  const draw = (state: string): void => {
    drawnAt = performance.now();
    const last = records.at(-1);
    const fields = Object.entries(last === undefined ? {} : shownFields(last)).map((field) =>
      field.join(" "),
    );
    const done = last?.step ?? initial;
    const title = [`${name} ${done}/${total}`, ...fields, state].join(" | ");
    const svg = trainingProgressSvg(records, total);
    display({ "text/html": `<p>${escapeHtml(title)}</p>${svg}`, "text/plain": title });
  };
  draw("begins");
  return {
    update(record) {
      records.push(record);
      const seconds = (performance.now() - begun) / 1000;
      if (performance.now() - drawnAt >= 1000 * SECONDS)
        draw(timeLeft({ done: record.step, initial, total, seconds }));
    },
    stop() {
      const took = duration((performance.now() - begun) / 1000);
      draw(records.at(-1)?.step === total ? `trained in ${took}` : `stopped after ${took}`);
    },
  };
}

// Trainings (lib/experiments/runs/training-watch.ts) look here for how they are shown.
Object.assign(globalThis, { [Symbol.for("anytime-cascade.watch")]: notebookWatch });
