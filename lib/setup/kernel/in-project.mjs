/** Takes the kernel into the project's folder, first of all; a copy of it elsewhere says how to install it. */
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../", import.meta.url));
if (!existsSync(new URL("../project.mjs", import.meta.url))) {
  process.stderr.write(
    "this copy of the TypeScript kernel lies outside its project and cannot run: call `npm run kernel:install` in the project instead of `jupyter kernelspec install`\n",
  );
  process.exit(1);
}
process.chdir(folder);
