import { execFile } from "node:child_process";
import { promisify } from "node:util";

const MODULE = new URL("../../lib/util/own-temporary.ts", import.meta.url).href;
const CODE = `import(${JSON.stringify(MODULE)}).then(({ ownMark }) => process.stdout.write(ownMark()))`;

/** The mark that a process which has ended had for what is its own. */
export async function markOfTheDead(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "--eval", CODE]);
  return stdout;
}
