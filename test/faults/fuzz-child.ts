/**
 * Reads mutated inputs: `<reader> <seed> <first input> <number>`. Says before each what it is, so that the one that ends
 * or stops this process is known, and at the end what came of all of them.
 */
import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../lib/util/errors.js";
import { drawsOf } from "./mutations.js";
import type { Reader } from "./reader.js";
import { readers } from "./readers.js";

/** What came of inputs; `wrong` are those that broke a promise, with the reason. */
export interface Outcomes {
  readonly right: number;
  readonly other: number;
  readonly typed: number;
  readonly wrong: readonly { readonly input: number; readonly reason: string }[];
}

/** An input has some kilobytes. */
const MOST_MILLISECONDS = 2_000;
/** What one input may add to the most memory that this process ever held; its own garbage stays well below it. */
const MOST_KIB = 256 * 1024;

const [name = "", seed = "", first = "", count = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "fuzz-"));
try {
  const reader = (await readers(folder)).find((one) => one.name === name);
  if (reader === undefined) throw new Error(`there is no reader ${name}`);
  await fuzz(reader, Number(first), Number(count));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function fuzz(reader: Reader, from: number, inputs: number): Promise<void> {
  const whole: unknown[] = [];
  for (const sample of reader.samples) whole.push(await reader.read(sample));
  const outcomes = { right: 0, other: 0, typed: 0, wrong: [] as { input: number; reason: string }[] };
  for (let input = from; input < from + inputs; input++) {
    if (input % 50 === 0) writeSync(1, `at ${input} ${JSON.stringify(outcomes)}\n`);
    const draws = drawsOf(Number(seed), reader.name, input);
    const which = draws.below(reader.samples.length);
    const bytes = reader.mutate(reader.samples[which] as Uint8Array, draws);
    const begun = performance.now();
    const { maxRSS } = process.resourceUsage();
    try {
      const value = await reader.read(bytes);
      if (isDeepStrictEqual(value, whole[which])) outcomes.right++;
      else if (reader.isSummed === true) outcomes.wrong.push({ input, reason: "read as something else" });
      else outcomes.other++;
    } catch (error) {
      if (error instanceof UserError) outcomes.typed++;
      else
        outcomes.wrong.push({
          input,
          reason: String(error instanceof Error ? error.stack : error).slice(0, 300),
        });
    }
    const took = performance.now() - begun;
    if (took > MOST_MILLISECONDS) outcomes.wrong.push({ input, reason: `took ${Math.round(took)} ms` });
    const grown = process.resourceUsage().maxRSS - maxRSS;
    if (grown > MOST_KIB) outcomes.wrong.push({ input, reason: `took ${Math.round(grown / 1024)} MiB` });
  }
  writeSync(1, `end ${JSON.stringify(outcomes)}\n`);
}
