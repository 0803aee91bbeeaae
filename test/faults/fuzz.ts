import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcomes } from "./fuzz-child.js";

const CHILD = join(import.meta.dirname, "fuzz-child.ts");
/** Beyond what the process takes by itself, some 250 MiB with TensorFlow and sharp. */
const HEAP_MIB = 512;
/** Of all memory that can be written, the libraries' own too: the system gives no more, and the process ends. */
const MEMORY_MIB = 2048;
/** A block of 50 inputs that takes longer hangs, on a machine that may have much else to do. */
const SILENCE_MS = 300_000;
const BLOCK = 50;

/** A row of the table of figures. */
export interface FuzzRow extends Outcomes {
  readonly reader: string;
  readonly tried: number;
}

/** Reads `count` mutated inputs with one reader, in processes of limited memory that may end or hang. */
export async function fuzz(reader: string, seed: number, count: number): Promise<FuzzRow> {
  let row: FuzzRow = { reader, tried: 0, right: 0, other: 0, typed: 0, wrong: [] };
  while (row.tried < count) {
    const part = await fuzzPart(reader, seed, row.tried, count - row.tried);
    row = {
      reader,
      tried: row.tried + part.tried,
      right: row.right + part.right,
      other: row.other + part.other,
      typed: row.typed + part.typed,
      wrong: [...row.wrong, ...part.wrong],
    };
  }
  return row;
}

async function fuzzPart(reader: string, seed: number, first: number, count: number): Promise<FuzzRow> {
  const args = [reader, String(seed), String(first), String(count)];
  const program = [process.execPath, `--max-old-space-size=${HEAP_MIB}`, "--import", "tsx", CHILD, ...args];
  const child = spawn("sh", ["-c", `ulimit -d ${1024 * MEMORY_MIB} && exec "$@"`, "sh", ...program], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let complaint = "";
  let heard = performance.now();
  child.stdout.on("data", (chunk: Buffer) => {
    heard = performance.now();
    // The last two lines are enough, the last of which may be cut.
    out = (out + chunk.toString()).split("\n").slice(-3).join("\n");
  });
  child.stderr.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-600)));
  const ended = new Promise<void>((resolve) =>
    child.once("close", () => {
      resolve();
    }),
  );
  const isOver = { yet: false };
  void ended.then(() => (isOver.yet = true));
  while (!isOver.yet) {
    await Promise.race([ended, sleep(500)]);
    if (performance.now() - heard > SILENCE_MS) child.kill("SIGKILL");
  }
  const end = /^end (.*)$/m.exec(out)?.[1];
  if (end !== undefined) return { reader, tried: count, ...(JSON.parse(end) as Outcomes) };
  const [, at, so] = [...out.matchAll(/^at (\d+) (.*)$/gm)].at(-1) ?? [];
  if (at === undefined || so === undefined)
    throw new Error(`${reader}: the process did not begin: ${complaint}`);
  const lost = {
    input: Number(at),
    reason: `one of ${BLOCK} from here ended the process or hung: ${complaint}`,
  };
  const sofar = JSON.parse(so) as Outcomes;
  return {
    reader,
    tried: Math.min(count, Number(at) - first + BLOCK),
    ...sofar,
    wrong: [...sofar.wrong, lost],
  };
}
