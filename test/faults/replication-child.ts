/** A replication of one small study, `<folder>`, the training, where it is not finished, included. For faults at calls. */
import { join } from "node:path";
import { trainingRun } from "../../lib/experiments/runs/training-run.js";
import { closeBrowser } from "../../lib/figures/browser.js";
import { planReplication } from "../../lib/studies/replication/replication.js";
import { analyseParts, writeReport } from "../../lib/studies/replication/results.js";
import { UserError } from "../../lib/util/errors.js";
import { SMALL_DATA, SMALL_PROTOCOL, smallStudy } from "../studies/small-study.js";

const [folder = ""] = process.argv.slice(2);
// Not before: the loader of TypeScript keeps its own files there.
process.env["TMPDIR"] = join(folder, "tmp");
const folders = {
  runs: join(folder, "runs"),
  results: join(folder, "results"),
  prints: join(folder, "prints"),
};
const replication = planReplication({
  protocol: SMALL_PROTOCOL,
  studies: [smallStudy("one", [0])],
  data: [SMALL_DATA],
});
const warn = (message: string): void => {
  process.stderr.write(`warning: ${message}\n`);
};
try {
  for (const { spec } of replication.trainings)
    await trainingRun(spec, { root: folders.runs, quiet: true, warn });
  const [problem] = await analyseParts(replication, folders);
  if (problem !== undefined) throw new UserError(problem.problem);
  await writeReport(replication, [{ data: "procedural", study: "one" }], folders.results);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await closeBrowser();
}
