import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { KERNEL_LINK, KERNEL_SOURCE, VENV, inProject, sitePackages } from "./project.mjs";

const LAB_SETTINGS = join(VENV, "share", "jupyter", "lab", "settings", "overrides.json");

/** JupyterLab asks nobody outside for news and updates. */
const SETTINGS = `${JSON.stringify(
  { "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false } },
  null,
  2,
)}\n`;

const TRANSLATOR = inProject("lib", "setup", "papermill", "cascade_papermill.py");
/** What makes papermill load the translator: an installed package with an entry point. */
const PACKAGE = {
  METADATA: "Metadata-Version: 2.1\nName: cascade-papermill\nVersion: 1.0\n",
  "entry_points.txt": "[papermill.engine]\ncascade = cascade_papermill:TypeScriptEngine\n",
  INSTALLER: "npm run setup\n",
};

const target = () => relative(dirname(KERNEL_LINK), KERNEL_SOURCE);
const read = (/** @type {string} */ path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined);

export function isKernelLinked() {
  try {
    return (
      readlinkSync(KERNEL_LINK) === target() &&
      read(LAB_SETTINGS) === SETTINGS &&
      isTranslatorInstalled(sitePackages() ?? VENV)
    );
  } catch {
    return false;
  }
}

const folderOf = (/** @type {string} */ site) => join(site, "cascade_papermill-1.0.dist-info");

function isTranslatorInstalled(/** @type {string} */ site) {
  const files = Object.entries(PACKAGE).every(([name, text]) => read(join(folderOf(site), name)) === text);
  return files && read(join(site, "cascade_papermill.py")) === read(TRANSLATOR);
}

/** Makes papermill, in the Python whose packages lie in `site`, know TypeScript notebooks. */
export function installTranslator(/** @type {string} */ site) {
  mkdirSync(folderOf(site), { recursive: true });
  for (const [name, text] of Object.entries(PACKAGE)) writeFileSync(join(folderOf(site), name), text);
  writeFileSync(join(site, "cascade_papermill.py"), readFileSync(TRANSLATOR));
}

/** Links the kernel's folder into .venv: no copy to go stale, no absolute path. */
export function linkKernel() {
  for (const file of [KERNEL_LINK, LAB_SETTINGS]) mkdirSync(dirname(file), { recursive: true });
  rmSync(KERNEL_LINK, { recursive: true, force: true });
  symlinkSync(target(), KERNEL_LINK);
  writeFileSync(LAB_SETTINGS, SETTINGS);
  installTranslator(sitePackages() ?? VENV);
}
