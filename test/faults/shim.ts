import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Compiles shim.c, which says what it does, into `place`, once; gives the library to be preloaded. */
export function compileShim(place: string): string {
  const shim = join(place, "shim.so");
  if (!existsSync(shim))
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", shim, join(import.meta.dirname, "shim.c"), "-ldl"]);
  return shim;
}

/** How many calls the last process counted that ended with FAULT_COUNT set to this file; 0 if none did. */
export function callsCounted(path: string): number {
  return existsSync(path) ? Number(readFileSync(path, "utf8")) : 0;
}
