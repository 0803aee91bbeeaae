import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
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
