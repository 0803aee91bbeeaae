/** Opens JupyterLab on the notebooks, on this machine only, with a random token: `npm run lab [-- --port 9000]`. */
import { spawn, spawnSync } from "node:child_process";
import { dirname, delimiter } from "node:path";
import { ask } from "./command.mjs";
import { jupyterFolders } from "./jupyter-folders.mjs";
import { guardOutput } from "./output-streams.mjs";
import { ROOT, VENV_PYTHON } from "./project.mjs";

guardOutput();

const isRoot = process.getuid?.() === 0;
const hasScreen =
  process.platform === "darwin" || ["DISPLAY", "WAYLAND_DISPLAY"].some((name) => process.env[name]);

/** JupyterLab in a process that ends with this one, however this one ends: Linux sees to that where it is asked to. */
const START = `
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv.pop(1)):
    sys.exit("its parent has ended")
sys.path.append(sys.argv.pop(1))
from jupyterlab.labapp import main
sys.exit(main())
`;

const args = [
  ...["-c", START, String(process.pid), import.meta.dirname],
  ...["--ServerApp.ip=127.0.0.1", `--ServerApp.root_dir=${ROOT}`],
  "--ContentsManager.pre_save_hook=saved_figures.drop_pictures",
  // New notebooks are for the project's kernel unless one chooses.
  "--MappingKernelManager.default_kernel_name=cascade",
  ...["--LabApp.default_url=/lab/tree/notebooks", ...(isRoot ? ["--allow-root"] : [])],
  ...(hasScreen ? [] : ["--no-browser"]),
  ...process.argv.slice(2),
];
/**
 * Signs the notebooks that are as the project has them, so that what their committed outputs hold is shown; the files
 * stay as they are. Those that were changed, or came from elsewhere, are the reader's own to trust.
 */
function trustOwnNotebooks() {
  const git = (/** @type {string[]} */ ...words) =>
    (ask("git", ["-C", ROOT, ...words, "--", "notebooks/*.ipynb"]) ?? "")
      .split("\n")
      .filter((name) => name !== "");
  const changed = git("diff", "--name-only", "HEAD");
  const own = git("ls-files").filter((name) => !changed.includes(name));
  if (own.length > 0)
    spawnSync(VENV_PYTHON, ["-m", "jupyter", "trust", ...own], { cwd: ROOT, env, stdio: "ignore" });
}

const env = {
  ...process.env,
  ...jupyterFolders(),
  JUPYTER_PREFER_ENV_PATH: "1",
  // The kernel is started as "node": let it be the one that runs here.
  PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
};

trustOwnNotebooks();
const server = spawn(VENV_PYTHON, args, { cwd: ROOT, env, stdio: "inherit" });
// npm, or the shell that started it, may be killed, which tells nobody: then its child has another parent.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) server.kill("SIGTERM");
}, 1000).unref();
// Ctrl-C reaches the server too, which asks before it ends: wait for it.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => server.kill("SIGTERM"));
server.on("error", (error) => {
  process.stderr.write(
    `lab: JupyterLab cannot be started (${error.message}): run \`npm run setup -- --with-lab\`\n`,
  );
  process.exitCode = 1;
});
server.on("close", (code) => {
  process.exitCode = code ?? 0;
});
