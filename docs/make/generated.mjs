import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const checking = process.argv.includes("--check");

/**
 * Writes a file, named from the root of the project, that is made from code or results, or with --check fails where it is not what the code gives.
 * @param {string} name @param {string} text
 */
export async function generated(name, text) {
  const path = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  if (!checking) return writeFile(path, text);
  if ((await readFile(path, "utf8").catch(() => "")) === text) return;
  console.error(`${name} is not what code and results give now; make it anew with: npm run docs`);
  process.exitCode = 1;
}
