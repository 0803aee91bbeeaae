import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Growth } from "./flat-child.js";

const CHILD = join(import.meta.dirname, "flat-child.ts");
/** Compiled code and the allocator's reserve grow by less; a leak of 1 KiB a step is 9 MiB after 10,000 steps. */
const MOST_HEAP_KIB = 8 * 1024;
/** The same for what the heap does not count: 8 KiB a step, where the weights of the tiny network alone are some 170 KiB. */
const MOST_RSS_KIB = 72 * 1024;

/** Memory over many steps of a training, and many repeats of an analysis with a stream that is begun and forgotten. */
export function flatMemory(
  steps: number,
  repeats: number,
): { readonly rows: readonly object[]; readonly problems: readonly string[] } {
  const out = execFileSync(process.execPath, ["--import", "tsx", CHILD, String(steps), String(repeats)], {
    encoding: "utf8",
  });
  const { training, analysis } = JSON.parse(out) as { training: Growth; analysis: Growth };
  const rows = [
    { what: `${steps} steps`, ...training },
    { what: `${repeats} repeats of an analysis`, ...analysis },
  ];
  const problems = rows
    .filter((row) => row.tensors !== 0 || row.heapKib > MOST_HEAP_KIB || row.rssKib > MOST_RSS_KIB)
    .map((row) => `memory is not flat: ${JSON.stringify(row)}`);
  return { rows, problems };
}
