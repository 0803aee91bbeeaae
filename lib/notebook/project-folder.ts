import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder that holds .venv and the sources, whether this runs compiled or not. */
export function projectFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "lib", "notebook", "run.py"))) folder = dirname(folder);
  return folder;
}
