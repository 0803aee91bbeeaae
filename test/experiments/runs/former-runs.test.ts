import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runDirectory } from "../../../lib/experiments/runs/run-folder.js";
import { readRun } from "../../../lib/experiments/runs/run-record.js";
import { runSummary } from "../../../lib/experiments/runs/run-summary.js";
import { testTrace } from "../../../lib/experiments/runs/run-trace.js";
import { openTrainedModel } from "../../../lib/experiments/runs/trained-model.js";
import { trainingRun } from "../../../lib/experiments/runs/training-run.js";
import { runName } from "../../../lib/experiments/specs/names.js";
import { parseRunSpec, type RunSpec } from "../../../lib/experiments/specs/spec.js";
import { folderOfTests } from "../../temporary-folder.js";

/** Two tiny runs as they were written before a network said its architecture: a DenseNet's, and a Shallow-Deep Network's. */
const FORMER = fileURLToPath(new URL("former-runs", import.meta.url));
const FOLDERS = readdirSync(FORMER);

/** Their models under today's names. */
const MODELS: Readonly<Record<string, readonly string[]>> = {
  "densenet-ordinary-ce": ["DenseNet-CascadedCE", "DenseNet-SerialCE"],
  "serial-td-multihead": ["SDN"],
};

const root = folderOfTests("former-runs");

const specOf = (folder: string): RunSpec => parseRunSpec(readRun(join(FORMER, folder)).spec, folder);

for (const folder of FOLDERS) {
  test(`${folder}: a finished run of the former form is found, sound, and gives its models`, async () => {
    const directory = join(root, folder);
    cpSync(join(FORMER, folder), directory, { recursive: true });
    const spec = specOf(folder);
    assert.equal(runDirectory(root, spec), directory);
    assert.equal(await trainingRun(spec, { root, quiet: true }), directory);
    const names = runSummary(directory).models.map(({ model }) => model);
    assert.deepEqual(names, MODELS[runName(spec)]);
    for (const name of names) {
      // Whatever its file is called.
      assert.equal((await testTrace(directory, name)).model, name);
      const model = await openTrainedModel(directory, { model: name });
      assert.deepEqual([model.model, model.network.timesteps], [name, 3]);
      model.dispose();
    }
    await assert.rejects(
      testTrace(directory, "CascadedTD"),
      new RegExp(`gives no model "CascadedTD"; it gives ${names.join(", ")}$`),
    );
  });

  test(`${folder}: an unfinished one goes on where it was`, async () => {
    const begun = mkdtempSync(join(root, "begun-"));
    const directory = join(begun, folder);
    const before = (name: string): Buffer => readFileSync(join(FORMER, folder, name));
    // As it was killed after its last step: with its checkpoint, but without models and DONE.json.
    cpSync(join(FORMER, folder), directory, {
      recursive: true,
      filter: (path) => !/(DONE\.json|model\.safetensors|\.arrow)$/.test(path),
    });
    const told: string[] = [];
    const warn = (message: string): void => void told.push(message);
    assert.equal(await trainingRun(specOf(folder), { root: begun, quiet: true, warn }), directory);
    assert.match(told.join("\n"), /goes on after step 2 of 2/);
    assert.deepEqual(readFileSync(join(directory, "spec.json")), before("spec.json"));
    assert.deepEqual(readFileSync(join(directory, "model.safetensors")), before("model.safetensors"));
  });
}
