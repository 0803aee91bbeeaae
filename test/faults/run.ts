/**
 * `npm run test:faults [-- --inputs 100000] [--kills 100] [--alike 2] [--seed 1] [--only fuzz,calls,kills,flat]`:
 * damaged input for every reader (or --reader); faults (or --fault) at the system calls of every job (or --job), at --alike of
 * those that are alike; kills of every command (or --command), at random instants and inside such calls; memory over --steps
 * of a training and --repeats of an analysis; prints the figures, and ends with 1 where one is wrong.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { tableText, tableCells } from "../../lib/util/table-cells.js";
import { faultsAtCalls } from "./calls.js";
import { flatMemory } from "./flat.js";
import { fuzz } from "./fuzz.js";
import { killCommands } from "./kills.js";
import { readers } from "./readers.js";

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "2000" },
    kills: { type: "string", default: "20" },
    alike: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    steps: { type: "string", default: "10000" },
    repeats: { type: "string", default: "100" },
    only: { type: "string", default: "fuzz,calls,kills,flat" },
    reader: { type: "string" },
    job: { type: "string" },
    fault: { type: "string" },
    command: { type: "string" },
  },
});
const parts = values.only.split(",");
const seed = Number(values.seed);
const wrong: string[] = [];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function report(rows: readonly object[]): void {
  say(`${tableText(tableCells(rows, { limit: 100 }))}\n`);
}

async function fuzzAll(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "readers-"));
  const names = (await readers(folder)).map(({ name }) => name);
  rmSync(folder, { recursive: true });
  const rows: object[] = [];
  for (const name of names.filter((one) => values.reader === undefined || one === values.reader)) {
    const row = await fuzz(name, seed, Number(values.inputs));
    rows.push({ ...row, wrong: row.wrong.length });
    for (const { input, reason } of row.wrong.slice(0, 5)) wrong.push(`${name}, input ${input}: ${reason}`);
    process.stderr.write(`${JSON.stringify(rows.at(-1))}\n`);
  }
  say(`Damaged input (seed ${seed}); "other" is a whole input too, in a format without sums`);
  report(rows);
}

if (parts.includes("fuzz")) await fuzzAll();
if (parts.includes("calls")) {
  const { alike, job, fault } = values;
  const { rows, problems } = await faultsAtCalls({
    ...{ alike: Number(alike), seed },
    ...{ jobs: job?.split(","), faults: fault?.split(",") },
  });
  say(`Faults at system calls that reach the folder, at ${alike} of those that are alike`);
  report(rows);
  wrong.push(...problems);
}
if (parts.includes("kills")) {
  // Commands run as they are installed.
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
  const only = values.command?.split(",");
  const [kills, alike] = [Number(values.kills), Number(values.alike)];
  const { rows, problems } = await killCommands({ kills, alike, seed, ...(only && { only }) });
  say(`Kills: at random instants, and inside ${values.alike} of the calls on files that are alike`);
  report(rows);
  wrong.push(...problems);
}
if (parts.includes("flat")) {
  const { rows, problems } = flatMemory(Number(values.steps), Number(values.repeats));
  say("What is held more at the end than after the first tenth");
  report(rows);
  wrong.push(...problems);
}
for (const line of wrong) say(`WRONG ${line}`);
process.exitCode = wrong.length === 0 ? 0 : 1;
