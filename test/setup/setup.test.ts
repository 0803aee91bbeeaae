import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemRefusal } from "../../lib/setup/errors.mjs";
import { jupyterFolders } from "../../lib/setup/jupyter-folders.mjs";
import { KERNEL_LEVELS, levelArguments } from "../../lib/setup/kernel-levels.mjs";
import { inProject } from "../../lib/setup/project.mjs";
import { isAtLeast } from "../../lib/setup/toolchain.mjs";
import { NAMELESS, noNameless } from "../nameless-user.js";
import { bareProjectIn, type Project } from "./bare-project.js";

const SETUP = join(import.meta.dirname, "../../lib/setup");
const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A project of nothing but the set-up, which goes away with the tests. */
function bareProject(): Project {
  const root = mkdtempSync(join(tmpdir(), "setup-test-"));
  folders.push(root);
  return bareProjectIn(root);
}

function setUp({ root, env }: Project, args: string[] = []): { status: number | null; said: string } {
  const done = spawnSync(process.execPath, ["lib/setup/setup.mjs", ...args], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  return { status: done.status, said: done.stderr };
}

/** Neither gone nor a zombie that nobody has buried yet. */
const isRunning = (pid: number): boolean =>
  /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim());

/** The calls that are noted whole. */
function npmCalls({ root }: Project): string[] {
  const file = join(root, "npm-calls");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
}

test("versions are compared as numbers", () => {
  assert.ok(isAtLeast("v20.19.0", [20, 19]));
  assert.ok(isAtLeast("3.13.1", [3, 10]));
  assert.ok(!isAtLeast("3.9.18", [3, 10]));
  assert.ok(!isAtLeast("v18.20.0", [20, 19]));
});

test("without a compiler the set-up warns in one sentence and goes on; a second call does no work", () => {
  const project = bareProject();
  const first = setUp(project);
  assert.equal(first.status, 0, first.said);
  assert.match(first.said, /npm packages +done/);
  assert.match(
    first.said,
    /warning: native TensorFlow cannot be set up, .*no C\+\+ compiler is found: install/,
  );
  assert.match(first.said, /library lib\/dist +done/);

  const second = setUp(project, ["--quiet"]);
  assert.equal(second.status, 0);
  assert.equal(second.said.trim().split("\n").length, 1, second.said); // the warning alone
  assert.equal(npmCalls(project).length, 1);

  const lab = setUp(project, ["--quiet", "--with-lab"]);
  assert.equal(lab.status, 1);
  assert.match(lab.said, /setup: no Python 3\.10 or newer is found: install/);
});

/** A Python without ensurepip, with a pip of this version; it notes what it is to do. */
const pythonWithPip = (version: string): string => `#!/bin/sh
case "$*" in
  *python_version*) echo 3.11.2 ;;
  *ensurepip*) exit 1 ;;
  *"pip --version") echo "pip ${version} from /usr/lib/python3/dist-packages/pip (python 3.11)" ;;
  *) echo "$*" >> python-calls ;;
esac
`;

test("a pip that is there stands in for a missing ensurepip, unless it is too old for that", () => {
  for (const [version, isUsed] of [
    ["22.0.2", false],
    ["22.3", true],
  ] as const) {
    const project = bareProject();
    const python = join(project.root, "bin/python");
    writeFileSync(python, pythonWithPip(version), { mode: 0o755 });
    const { status, said } = setUp({ ...project, env: { ...project.env, PYTHON: python } }, ["--with-lab"]);
    assert.equal(status, 1);
    const calls = join(project.root, "python-calls");
    if (isUsed)
      assert.match(readFileSync(calls, "utf8"), /^-m pip --python .*\.venv\/bin\/python install pip==/m);
    else assert.match(said, /^setup: .*bin\/python has no venv module: install .* python3-venv/m);
  }
});

test("a comma in the project's path is no comma of the linker's", () => {
  for (const word of KERNEL_LEVELS.flatMap((level) => levelArguments(level, "level.so")))
    assert.ok(!(word.startsWith("-Wl,") && word.includes(inProject())), word);
});

test("a changed source is built again, a changed lock file installed again", () => {
  const project = bareProject();
  setUp(project);
  writeFileSync(join(project.root, "lib/new.ts"), "export {};\n");
  assert.match(setUp(project, ["--quiet"]).said, /library lib\/dist +done/);
  const lock = '{ "packages": { "": {}, "node_modules/typescript": { "version": "1.0.1" } } }';
  writeFileSync(join(project.root, "package-lock.json"), lock);
  assert.match(setUp(project, ["--quiet"]).said, /npm packages +done/);
  assert.equal(npmCalls(project).length, 2);
});

test("a damaged lock file is a sentence, a damaged account of what is installed is made anew", () => {
  const project = bareProject();
  setUp(project);
  writeFileSync(join(project.root, "node_modules/.package-lock.json"), "something else");
  assert.match(setUp(project, ["--quiet"]).said, /npm packages +done/);
  writeFileSync(join(project.root, "package-lock.json"), "something else");
  const { status, said } = setUp(project, ["--quiet"]);
  assert.equal(status, 1);
  assert.match(
    said,
    /^setup: package-lock\.json is damaged; take it back: git checkout package-lock\.json$/m,
  );
  assert.doesNotMatch(said, /^ {4}at /m);
});

test("a set-up killed in the middle leaves no command running and is mended by the next", async () => {
  const project = bareProject();
  const slow = { ...project.env, NPM_SECONDS: "60" };
  const killed = spawn(process.execPath, ["lib/setup/setup.mjs"], { cwd: project.root, env: slow });
  while (npmCalls(project).length === 0) await sleep(20);
  killed.kill("SIGKILL");
  await new Promise((resolve) => killed.once("close", resolve));
  const left = Number(npmCalls(project)[0]?.split(" ")[1]);
  assert.ok(isRunning(left));

  const next = setUp(project);
  assert.equal(next.status, 0, next.said);
  assert.match(next.said, /npm packages +done/);
  assert.ok(!isRunning(left));
});

test("of two set-ups at once one works and the other waits for it", async () => {
  const project = bareProject();
  const env = { ...project.env, NPM_SECONDS: "1" };
  const ends = [0, 1].map(() => {
    const child = spawn(process.execPath, ["lib/setup/setup.mjs"], { cwd: project.root, env });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    return new Promise<string>((resolve) =>
      child.once("close", (code) => {
        resolve(`${String(code)} ${said}`);
      }),
    );
  });
  const said = await Promise.all(ends);
  assert.ok(
    said.every((text) => text.startsWith("0 ")),
    said.join("\n"),
  );
  assert.equal(npmCalls(project).length, 1);
  assert.equal(said.filter((text) => text.includes("another set-up is at work")).length, 1);
});

test("what the system refuses is a sentence, and what a killed set-up left beside its lock goes", () => {
  for (const said of ["Unknown system error -122: Unknown system error -122", "UNKNOWN: unknown error"]) {
    const quota = Object.assign(new Error(`${said}, open 'x'`), { errno: -122, syscall: "open" });
    assert.match(systemRefusal(quota) ?? "", /^EDQUOT: refused by the system, open 'x'; mend that/);
  }
  assert.equal(systemRefusal(new TypeError("x is undefined")), undefined);

  const project = bareProject();
  const cache = join(project.root, "data/cache");
  mkdirSync(cache, { recursive: true });
  for (const name of ["setup.lock.4000000000", "setup.lock.stale-4000000000"])
    writeFileSync(join(cache, name), "{}");
  mkdirSync(join(project.root, "lib/dist"), { recursive: true });
  mkdirSync(join(project.root, "lib/dist/.setup-stamp"));
  const { status, said } = setUp(project, ["--quiet"]);
  assert.equal(status, 1);
  const last = said.trim().split("\n").at(-1) ?? "";
  assert.match(last, /^setup: E[A-Z]+: .*rename .*\.setup-stamp.*; mend that and run it again/, said);
  assert.doesNotMatch(said, /^ {4}at /m);
  assert.deepEqual(readdirSync(cache), ["setup.log"]);
});

test("the doctor names what is missing, the command that mends it, and exits with 1", () => {
  const { root, env } = bareProject();
  const done = spawnSync(process.execPath, ["lib/setup/doctor.mjs", "--json"], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  assert.equal(done.status, 1, done.stderr);
  const report = JSON.parse(done.stdout) as {
    ok: boolean;
    machine: Record<string, unknown>;
    components: { name: string; state: string; mend?: string }[];
  };
  assert.deepEqual(Object.keys(report.machine), ["system", "kernel", "glibc", "cpu", "flags", "locale"]);
  assert.equal(report.ok, false);
  const missing = report.components.filter(({ state }) => state === "missing");
  for (const name of [
    "npm packages",
    "Python",
    ".venv",
    "C++ compiler",
    "TensorFlow wheel",
    "TensorFlow binding",
  ])
    assert.ok(
      missing.some((component) => component.name === name && component.mend?.includes("npm run setup")),
      name,
    );
});

test("no pinned package of the lab wants a patch level of Python", (context) => {
  const site = join(SETUP, "../../.venv/lib");
  if (!existsSync(join(SETUP, "../../.venv/share/jupyter/kernels/cascade"))) {
    context.skip("JupyterLab is not set up (npm run setup -- --with-lab)");
    return;
  }
  assert.doesNotMatch(readFileSync(join(SETUP, "requirements-lab.txt"), "utf8"), /python_full_version/);
  const demanding = readdirSync(site, { recursive: true, encoding: "utf8" })
    .filter((name) => /^python[^/]*\/site-packages\/[^/]*\.dist-info\/METADATA$/.test(name))
    .filter((name) => /^Requires-Python:.*>=? *3\.\d+\.[1-9]/m.test(readFileSync(join(site, name), "utf8")));
  assert.deepEqual(demanding, []);
});

test("where the home folder cannot be written, the lab is led to other folders", () => {
  const home = mkdtempSync(join(tmpdir(), "setup-home-"));
  folders.push(home);
  const other = join(home, "other");
  assert.deepEqual(jupyterFolders(home, other), {});
  writeFileSync(join(home, "file"), "");
  const led = jupyterFolders(join(home, "file"), other);
  assert.equal(led["JUPYTER_RUNTIME_DIR"], join(other, ".local/share/jupyter/runtime"));
  assert.ok(Object.values(led).every((path) => path.startsWith(other)));
});

test("a user without a name and a home has the lab's folders in the project", { skip: noNameless }, () => {
  const script = `
    import { jupyterFolders } from ${JSON.stringify(join(SETUP, "jupyter-folders.mjs"))};
    console.log(jupyterFolders(undefined, "/other").JUPYTER_CONFIG_DIR);`;
  const as = { env: { PATH: process.env["PATH"] }, uid: NAMELESS, encoding: "utf8" } as const;
  const led = spawnSync(process.execPath, ["--input-type=module", "-e", script], as);
  assert.equal(led.stdout, "/other/.jupyter\n", led.stderr);
  const install = spawnSync(process.execPath, [join(SETUP, "kernel-install.mjs")], as);
  assert.match(install.stderr, /^kernel: you have no home folder: set HOME, or JUPYTER_DATA_DIR, [^\n]*\n$/);
});
