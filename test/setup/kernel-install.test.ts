import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { folderOfTests } from "../temporary-folder.js";

const setup = join(import.meta.dirname, "../../lib/setup");
const folder = folderOfTests("kernel-install-test");

function install(args: readonly string[], data = join(folder, "data")) {
  const env = { ...process.env, JUPYTER_DATA_DIR: data };
  return spawnSync(process.execPath, [join(setup, "kernel-install.mjs"), ...args], { env, encoding: "utf8" });
}

const argvIn = (data: string): unknown =>
  (JSON.parse(readFileSync(join(data, "kernels/cascade/kernel.json"), "utf8")) as { argv: unknown }).argv;
const ARGV = [process.execPath, join(setup, "kernel/launch.mjs"), "{connection_file}"];

test("the kernel is installed for a user, and once more over itself", () => {
  const data = join(folder, "user");
  for (let i = 0; i < 2; i++) assert.equal(install([], data).status, 0);
  assert.deepEqual(argvIn(data), ARGV);
});

test("into one Python environment, with papermill's translator", () => {
  const prefix = join(folder, "env");
  const site = join(prefix, "lib/python3.12/site-packages");
  mkdirSync(site, { recursive: true });
  assert.equal(install(["--prefix", prefix]).status, 0);
  assert.deepEqual(argvIn(join(prefix, "share/jupyter")), ARGV);
  assert.ok(existsSync(join(site, "cascade_papermill.py")));
  assert.match(
    readFileSync(join(site, "cascade_papermill-1.0.dist-info/entry_points.txt"), "utf8"),
    /papermill\.engine/,
  );
  const refused = install(["--prefix", join(folder, "none")]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /^kernel: .*none is no Python environment: [^\n]*\n$/);
});

test("a copy of the kernel says how it is installed", () => {
  const copy = join(folder, "a/b/kernels/cascade");
  cpSync(join(setup, "kernel"), copy, { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, [join(copy, "launch.mjs"), "none"], {
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^this copy of the TypeScript kernel lies outside its project[^\n]*npm run kernel:install[^\n]*\n$/,
  );
});

const project = join(import.meta.dirname, "../..");
const PYTHON = join(project, ".venv/bin/python");

/** As VS Code and other programs do: asks Jupyter for the kernel by its name, starts it somewhere else, runs a cell. */
const RUN_A_CELL = `
import json, os
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="cascade")
said = []
client.execute_interactive('import { tdWeights } from "anytime-cascade"; console.log(tdWeights(0.5, 1, 4).join())',
    output_hook=lambda message: said.append(message["content"].get("text", "")), timeout=120)
spec = manager.kernel_spec
print(json.dumps({"folder": spec.resource_dir, "language": spec.language, "said": "".join(said).strip()}))
client.shutdown()
manager.finish_shutdown()
`;

test("the installed kernel runs from another folder, and without Node on the path", (t) => {
  if (!existsSync(join(project, ".venv/share/jupyter"))) {
    t.skip("JupyterLab is not set up: npm run setup -- --with-lab");
    return;
  }
  const data = join(folder, "elsewhere");
  assert.equal(install([], data).status, 0);
  const env = { ...process.env, JUPYTER_DATA_DIR: data, JUPYTER_PREFER_ENV_PATH: "0", PATH: folder };
  const { stdout, stderr } = spawnSync(PYTHON, ["-c", RUN_A_CELL], { cwd: folder, env, encoding: "utf8" });
  assert.equal(
    stdout.trim(),
    JSON.stringify({ folder: join(data, "kernels/cascade"), language: "typescript", said: "0.5,0.25,0.25" })
      .replaceAll('":"', '": "')
      .replaceAll('","', '", "'),
    stderr,
  );
});

test("every notebook names the kernel and its language, by which programs choose one", () => {
  const { language, display_name } = JSON.parse(
    readFileSync(join(setup, "kernel/kernel.json"), "utf8"),
  ) as Record<string, unknown>;
  for (const name of readdirSync(join(project, "notebooks")).filter((one) => one.endsWith(".ipynb"))) {
    const { metadata } = JSON.parse(readFileSync(join(project, "notebooks", name), "utf8")) as {
      metadata: { kernelspec: unknown; language_info: { name: unknown } };
    };
    assert.deepEqual(metadata.kernelspec, { display_name, language, name: "cascade" }, name);
    assert.equal(metadata.language_info.name, "typescript", name);
  }
});
