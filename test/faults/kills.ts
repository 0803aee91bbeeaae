import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  COMMANDS,
  hasKernel,
  type KilledCommand,
  outcome,
  processesOf,
  start,
  type Started,
} from "./commands.js";
import { type Draws, drawsOf } from "./mutations.js";
import { chosenCalls, compileShim, loggedCalls } from "./shim.js";

/** Kills of one folder's work before it is let to its end and compared. */
const KILLS_EACH = 5;
/** What processes that a killed one leaves get to notice it; they look every second, on a machine that may be busy. */
const ORPHANS_MS = 20_000;

export interface KillRow {
  readonly job: string;
  readonly begun: number;
  /** Of these, commands that had not ended before; what they started is killed beside them, or left to notice. */
  readonly kills: number;
  /** Pieces of work that were let to their end after their kills. */
  readonly finished: number;
  readonly wrong: number;
}

export interface KillReport {
  readonly rows: readonly KillRow[];
  readonly problems: readonly string[];
}

export interface KillOptions {
  /** At random instants, of each command. */
  readonly kills: number;
  /** Inside of so many of the system calls on files that are alike (`chosenCalls`); none if left out. */
  readonly alike?: number;
  readonly seed: number;
  /** Names of the commands; all if left out. */
  readonly only?: readonly string[];
}

/** Kills each command, again and again, and begins it anew at once; at its end all must be as if it was left alone. */
export async function killCommands({ kills, alike, seed, only }: KillOptions): Promise<KillReport> {
  const place = mkdtempSync(join(tmpdir(), "kills-"));
  const rows: KillRow[] = [];
  const problems: string[] = [];
  try {
    for (const command of COMMANDS) {
      if (only?.includes(command.name) === false) continue;
      if (command.name === "notebook" && !hasKernel) continue;
      const whole = await leftAlone(command, place);
      for (const killer of [
        randomKiller(kills, seed),
        ...(alike === undefined ? [] : [callKiller(chosenCalls(whole.calls, alike), place)]),
      ]) {
        const { row, wrong } = await killCommand(command, place, whole, killer);
        rows.push(row);
        problems.push(...wrong.map((one) => `${row.job}: ${one}`));
      }
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  return { rows, problems };
}

/** How a command is killed for the `kill`-th time; undefined when that was enough. */
interface Killer {
  readonly name: string;
  readonly begin: (
    command: KilledCommand,
    folder: string,
    kill: number,
    whole: Whole,
  ) => Promise<Started> | undefined;
}

/** The command when it is left alone. */
interface Whole {
  readonly milliseconds: number;
  readonly calls: readonly string[];
  readonly outcome: string;
}

/** At a random instant: the command alone, or with all that it started. */
function randomKiller(kills: number, seed: number): Killer {
  const begin = async (started: Started, draws: Draws, longest: number): Promise<Started> => {
    await Promise.race([sleep(draws.below(Math.ceil(longest))), started.ended]);
    const pids = draws.below(2) === 0 ? [] : processesOf(started.mark);
    started.child.kill("SIGKILL");
    for (const pid of pids) kill(pid);
    return started;
  };
  return {
    name: "at random",
    begin: (command, folder, number, { milliseconds }) =>
      number >= kills
        ? undefined
        : // What was done before is not done again, so a later one takes less time.
          begin(start(command, folder), drawsOf(seed, `kill ${command.name}`, number), milliseconds / 2),
  };
}

/** At a system call on a file, half-way through it where it writes: the command alone. */
function callKiller(calls: readonly number[], place: string): Killer {
  return {
    name: "in a call",
    begin: (command, folder, number) => {
      const call = calls[number];
      if (call === undefined) return undefined;
      const env = { ...shimmed(place, folder), FAULT_CALL: String(call), FAULT_KIND: "kill" };
      return Promise.resolve(start(command, folder, env));
    },
  };
}

function shimmed(place: string, folder: string): Record<string, string> {
  return { LD_PRELOAD: compileShim(place), FAULT_FOLDER: folder };
}

async function killCommand(
  command: KilledCommand,
  place: string,
  whole: Whole,
  killer: Killer,
): Promise<{ readonly row: KillRow; readonly wrong: readonly string[] }> {
  const wrong: string[] = [];
  const row = { job: `${command.name}, ${killer.name}`, begun: 0, kills: 0, finished: 0, wrong: 0 };
  for (let isOver = false; !isOver;) {
    const folder = mkdtempSync(join(place, "work-"));
    await command.prepare(folder);
    const marks: string[] = [];
    for (let each = 0; each < KILLS_EACH; each++) {
      const started = killer.begin(command, folder, row.begun, whole);
      isOver = started === undefined;
      if (started === undefined) break;
      row.begun++;
      const { mark, ended } = await started;
      marks.push(mark);
      if ((await ended).code === null) row.kills++;
    }
    if (marks.length === 0) break;
    row.finished++;
    const problem = await finish(command, folder, marks, whole).catch(String);
    if (problem !== undefined) wrong.push(`after ${row.kills} kills ${problem}`);
    rmSync(folder, { recursive: true, force: true });
    process.stderr.write(`${JSON.stringify({ ...row, wrong: wrong.length })} ${problem ?? ""}\n`);
  }
  return { row: { ...row, wrong: wrong.length }, wrong };
}

async function leftAlone(command: KilledCommand, place: string): Promise<Whole> {
  const folder = mkdtempSync(join(place, "whole-"));
  await command.prepare(folder);
  const log = join(place, "log");
  rmSync(log, { force: true });
  const begun = performance.now();
  const { code, said } = await start(command, folder, { ...shimmed(place, folder), FAULT_LOG: log }).ended;
  const milliseconds = performance.now() - begun;
  if (code !== 0) throw new Error(`${command.name} does not end well: ${said}`);
  return { milliseconds, calls: loggedCalls(log), outcome: await outcome(folder) };
}

/** The command once more, at once; undefined if all is as it was left alone, and nobody is left of those who were killed. */
async function finish(
  command: KilledCommand,
  folder: string,
  marks: readonly string[],
  whole: Whole,
): Promise<string | undefined> {
  const last = start(command, folder);
  const { code, said } = await last.ended;
  if (code !== 0) return `the next call ended with ${String(code)}: ${said.slice(-1_000)}`;
  for (const mark of [...marks, last.mark]) {
    const begun = performance.now();
    while (processesOf(mark).length > 0) {
      if (performance.now() - begun > ORPHANS_MS) return `processes go on: ${processesOf(mark).join(", ")}`;
      await sleep(100);
    }
  }
  const found = await outcome(folder);
  return found === whole.outcome ? undefined : difference(found, whole.outcome);
}

function difference(found: string, expected: string): string {
  const [here, there] = [found, expected].map((text) => text.split("\n"));
  const more = here?.filter((line) => there?.includes(line) === false) ?? [];
  const less = there?.filter((line) => here?.includes(line) === false) ?? [];
  return `found ${more.join(", ") || "nothing more"}; missing ${less.join(", ") || "nothing"}`;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
