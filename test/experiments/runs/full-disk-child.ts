/** Fills the small file system at `<root>` through a run, and prints as JSON what was said and what is left. */
import { openRun } from "../../../lib/experiments/runs/run-store.js";
import { UserError } from "../../../lib/util/errors.js";
import { SPEC, stateAfter } from "./run-store-fixture.js";

const [root = ""] = process.argv.slice(2);
const warnings: string[] = [];
const run = await openRun({ root, name: "full", spec: SPEC, warn: (message) => warnings.push(message) });
let savedStep = 0;
let appendedStep = 0;

async function untilFull(action: () => void | Promise<void>): Promise<string> {
  for (;;) {
    try {
      await action();
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }
}

// Artifacts leave too little for one more checkpoint, then metrics take the rest.
await run.saveCheckpoint(++savedStep, stateAfter(savedStep), {});
let artifacts = 0;
const artifactError = await untilFull(() =>
  run.writeArtifact(`filling-${artifacts++}`, new Uint8Array(100_000)),
);
const checkpointError = await untilFull(async () => {
  await run.saveCheckpoint(savedStep + 1, stateAfter(savedStep + 1), {});
  savedStep++;
});
const metricsError = await untilFull(() => {
  run.appendMetrics({ step: appendedStep + 1, text: "x".repeat(1000) });
  appendedStep++;
});
const left = await run.latestCheckpoint();
const metricsSteps = run.readMetrics().length;
await run.release();
console.log(
  JSON.stringify({
    errors: { artifactError, checkpointError, metricsError },
    warnings,
    savedStep,
    leftStep: left?.step,
    appendedStep,
    metricsSteps,
  }),
);
