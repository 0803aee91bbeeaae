/** A run without a network, `<root>`: metrics, checkpoints, artifacts, its end; goes on where it was. For faults at calls. */
import { openRun } from "../../lib/experiments/runs/run-store.js";
import { UserError } from "../../lib/util/errors.js";
import { SPEC, stateAfter } from "../experiments/runs/run-store-fixture.js";

const STEPS = 6;
const [root = ""] = process.argv.slice(2);
try {
  const warn = (message: string): void => {
    process.stderr.write(`warning: ${message}\n`);
  };
  const run = await openRun({ root, name: "run", spec: SPEC, environment: { threads: 1 }, warn });
  try {
    if (run.isDone()) await run.verify();
    else {
      await run.writeArtifact("data.json", '{"hash":"1"}');
      const start = (await run.latestCheckpoint())?.step ?? 0;
      await run.truncateMetrics(start);
      for (let step = start + 1; step <= STEPS; step++) {
        run.appendMetrics({ step, loss: 1 / step });
        if (step % 2 === 0) await run.saveCheckpoint(step, stateAfter(step), {});
      }
      await run.writeArtifact("model.bin", Buffer.alloc(5_000, 7));
      await run.finish({ steps: STEPS });
    }
  } finally {
    await run.release();
  }
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
