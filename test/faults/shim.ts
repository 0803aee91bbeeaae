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

/** The calls that a process made with FAULT_LOG set to this file, in their order, each by its name and its path. */
export function loggedCalls(path: string): string[] {
  const calls: string[] = [];
  for (const [, number, call = ""] of existsSync(path)
    ? readFileSync(path, "utf8").matchAll(/^(\d+) (.*)$/gm)
    : [])
    calls[Number(number)] = call;
  return calls;
}

/**
 * Which of the calls are tried, by number: of those that are alike (the same function on a path that is the same but for the
 * numbers and sums in it) `most`, spread from the first to the last.
 */
export function chosenCalls(calls: readonly string[], most: number): number[] {
  const alike = new Map<string, number[]>();
  for (const [i, call] of calls.entries()) {
    const kind = call.replaceAll(/[0-9a-f]{6,}|\d+/g, "#");
    alike.set(kind, [...(alike.get(kind) ?? []), i]);
  }
  const chosen = [...alike.values()].flatMap((numbers) => {
    const count = Math.min(most, numbers.length);
    return Array.from({ length: count }, (_, i) =>
      numbers.at(count === 1 ? 0 : Math.round((i * (numbers.length - 1)) / (count - 1))),
    );
  });
  return chosen.filter((number) => number !== undefined).sort((a, b) => a - b);
}
