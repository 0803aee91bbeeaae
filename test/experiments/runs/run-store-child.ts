/**
 * A stand-in for a trainer, to be killed by run-store.test.ts: `<root> <until step>` resumes from the newest
 * checkpoint, appends one record each step, saves a checkpoint each fifth, and says on standard output what it
 * committed. It finishes the run at the last step.
 */
import { writeSync } from "node:fs";
import { openRun } from "../../../lib/experiments/runs/run-store.js";
import { CHECKPOINT_EVERY, SPEC, stateAfter } from "./run-store-fixture.js";

const [root = "", until = ""] = process.argv.slice(2);

function say(...words: (string | number)[]): void {
  writeSync(1, `${words.join(" ")}\n`);
}

const run = await openRun({
  root,
  name: "killed",
  spec: SPEC,
  warn: (message) => {
    say("warning", message);
  },
});
const resumedFrom = (await run.latestCheckpoint())?.step ?? 0;
await run.truncateMetrics(resumedFrom);
say("resumed", resumedFrom);
for (let step = resumedFrom + 1; step <= Number(until); step++) {
  run.appendMetrics({ step, loss: 1 / step });
  say("metrics", step);
  if (step % CHECKPOINT_EVERY === 0) {
    await run.saveCheckpoint(step, stateAfter(step), { step: String(step) });
    say("checkpoint", step);
  }
}
await run.finish({ steps: Number(until) });
await run.release();
