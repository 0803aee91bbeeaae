import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { parseDatasetSource } from "../datasets/parse-source.js";
import { divergedSummary, divergenceText } from "../experiments/runs/divergence.js";
import { isPresetName, PRESETS, presetNamed } from "../experiments/specs/presets.js";
import { changedSpec, combined, type SpecChange } from "../experiments/specs/spec-change.js";
import { parseRunSpec, type RunSpec } from "../experiments/specs/spec.js";
import { type RunSummary, runSummary } from "../experiments/runs/run-summary.js";
import { trainingRun } from "../experiments/runs/training-run.js";
import { readJson } from "../util/json-file.js";
import { exitWithParent } from "../util/parent-watch.js";
import { wholeNumber } from "./options.js";
import { parseOverrides } from "./overrides.js";
import { writeOut } from "./output.js";
import { withStopSignal } from "./stop-signals.js";
import { RUNS } from "../experiments/runs/run-record.js";

/** What a training that a killed sweep left gets to notice it and end: it looks every second, or after a long step. */
const ORPHAN_MS = 20_000;

interface RunCommandOptions {
  readonly out: string;
  readonly parent?: number;
  readonly printSpec?: true;
}

/** `cascade run <preset or spec.json> [key=value ...]`: trains one model, or goes on with it. */
export function runCommand(): Command {
  return new Command("run")
    .description("train a model, or go on where it was stopped, and store the traces of its test images")
    .argument("<preset or spec.json>", "one of the presets below, or a spec file")
    .argument("[key=value...]", "fields of the spec to change, such as train.epochs=3 or data=cifar10=<path>")
    .addHelpText("after", presetsText())
    .option("--out <folder>", "folder of all runs", RUNS)
    .option("--parent <pid>", "end when this process has ended (for sweeps that start runs)", wholeNumber(1))
    .option("--print-spec", "print the resolved spec and stop")
    .action(async (name: string, overrides: string[], options: RunCommandOptions) => {
      const spec = await resolvedSpec(name, overrides);
      if (options.printSpec === true) {
        writeOut(JSON.stringify(spec, null, 2));
        return;
      }
      const stopWatching = options.parent === undefined ? undefined : exitWithParent({ pid: options.parent });
      const patienceMs = options.parent === undefined ? 0 : ORPHAN_MS;
      const directory = await withStopSignal((signal) =>
        trainingRun(spec, { root: options.out, signal, patienceMs }),
      );
      stopWatching?.();
      writeOut(directory);
      const diverged = divergedSummary(directory)?.diverged;
      // A divergence is a result: the run is done, and the exit code says so.
      if (diverged !== undefined) writeOut(`the training diverged: ${divergenceText(diverged)}`);
      else for (const line of accuracyLines(runSummary(directory))) writeOut(line);
    });
}

/** A preset or spec file with the changes that are asked for; `data=<text>` takes the short forms of a data source. */
async function resolvedSpec(name: string, overrides: readonly string[]): Promise<RunSpec> {
  const base = isPresetName(name) ? presetNamed(name) : specFile(name);
  const plain: string[] = [];
  let data: SpecChange = {};
  for (const override of overrides) {
    const [, text] = /^data=([^{].*)$/s.exec(override) ?? [];
    if (text === undefined) plain.push(override);
    else data = { data: await parseDatasetSource(text) };
  }
  const where = isPresetName(name) ? `preset ${name}` : name;
  return changedSpec(base, combined(data, parseOverrides(plain)), where);
}

function specFile(path: string): RunSpec {
  if (!existsSync(path) && dirname(path) === "." && !path.endsWith(".json")) presetNamed(path);
  return parseRunSpec(readJson(path, z.unknown()), path);
}

/** What each preset is for, under its command. */
function presetsText(): string {
  const texts = Object.entries(PRESETS).map(
    ([name, { question, paper }]) => `  npx cascade run ${name}\n      ${question}\n      paper: ${paper}`,
  );
  return `\nPresets:\n${texts.join("\n")}`;
}

function accuracyLines(summary: RunSummary): string[] {
  return summary.models.map(
    ({ model, accuracy }) =>
      `${model}: accuracy ${accuracy.map((a) => (100 * a).toFixed(1)).join(" ")} % at t = 0 .. ${accuracy.length - 1}`,
  );
}
