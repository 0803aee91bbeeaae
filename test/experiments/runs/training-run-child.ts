/** A training to be killed by training-run.test.ts: `<root> <spec as JSON>`. Says on standard output when it begins. */
import { writeSync } from "node:fs";
import { parseRunSpec } from "../../../lib/experiments/specs/spec.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";

const [root = "", json = ""] = process.argv.slice(2);
const spec = parseRunSpec(JSON.parse(json), "the argument");
writeSync(1, "begins\n");
const warn = (message: string): void => {
  writeSync(1, `${message}\n`);
};
writeSync(1, `done ${await trainingRun(spec, { root, quiet: true, warn })}\n`);
