import { accessSync, constants, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { inProject } from "./project.mjs";

/** JupyterLab's folders, by the variable that names each. */
const FOLDERS = {
  JUPYTER_CONFIG_DIR: ".jupyter",
  JUPYTER_DATA_DIR: join(".local", "share", "jupyter"),
  JUPYTER_RUNTIME_DIR: join(".local", "share", "jupyter", "runtime"),
  IPYTHONDIR: ".ipython",
};

function isWritable(/** @type {string} */ folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The home folder; undefined where HOME is not set and the system does not know the user, as in containers. */
export function homeFolder() {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

/**
 * Variables that lead JupyterLab to folders of the project where it cannot write to its own ones in the home folder, or
 * there is none. Those that are set already stay.
 *
 * @returns {Record<string, string>}
 */
export function jupyterFolders(home = homeFolder(), otherwise = inProject("data", "cache", "jupyter")) {
  return Object.fromEntries(
    Object.entries(FOLDERS)
      .filter(([name]) => process.env[name] === undefined)
      .filter(([, path]) => home === undefined || !isWritable(join(home, path)))
      .map(([name, path]) => [name, join(otherwise, path)]),
  );
}
