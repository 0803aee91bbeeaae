import { mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { KERNEL_LINK, KERNEL_SOURCE, VENV } from "./project.mjs";

const LAB_SETTINGS = join(VENV, "share", "jupyter", "lab", "settings", "overrides.json");

/** JupyterLab asks nobody outside for news and updates. */
const SETTINGS = `${JSON.stringify(
  { "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false } },
  null,
  2,
)}\n`;

const target = () => relative(dirname(KERNEL_LINK), KERNEL_SOURCE);

export function isKernelLinked() {
  try {
    return readlinkSync(KERNEL_LINK) === target() && readFileSync(LAB_SETTINGS, "utf8") === SETTINGS;
  } catch {
    return false;
  }
}

/** Links the kernel's folder into .venv: no copy to go stale, no absolute path. */
export function linkKernel() {
  for (const file of [KERNEL_LINK, LAB_SETTINGS]) mkdirSync(dirname(file), { recursive: true });
  rmSync(KERNEL_LINK, { recursive: true, force: true });
  symlinkSync(target(), KERNEL_LINK);
  writeFileSync(LAB_SETTINGS, SETTINGS);
}
