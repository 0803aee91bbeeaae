import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { threadLimit } from "../../experiments/runs/environment.js";
import { UserError } from "../../util/errors.js";
import { fileError, removeFile, writeFileAtomic } from "../../util/files.js";
import { clearLeftLock } from "../../util/folder-lock.js";
import type { Training } from "./replication.js";

export interface TrainingProcessesOptions {
  /** Folder of all runs. */
  readonly root: string;
  /** Trainings at a time. */
  readonly jobs: number;
  /** Threads of each. */
  readonly threads: number;
  /** Ends the trainings that run and begins no others. */
  readonly signal?: AbortSignal;
  readonly onEnd?: (outcome: TrainingOutcome) => void;
  /** A program that takes the arguments of `cascade run`, and its first arguments. */
  readonly program?: readonly [string, ...string[]];
}

export interface TrainingOutcome {
  readonly training: Training;
  readonly state: "done" | "failed" | "stopped";
  /** How it failed, with the end of what it wrote. */
  readonly problem?: string;
}

/** The command line of this project. */
const CASCADE = [
  process.execPath,
  fileURLToPath(import.meta.resolve("anytime-cascade/cli/cascade.mjs")),
] as const;
const LINES_OF_LOG = 8;
/** What a training gets to end by itself before it is ended. */
const GRACE_MS = 10_000;

/**
 * Trains each spec in a process of its own, several at a time: two side by side with one thread each get through
 * more images a second than one after the other with two. One that fails is reported and the others go on.
 * Gives the outcomes of those that were begun.
 */
export async function runTrainings(
  trainings: readonly Training[],
  options: TrainingProcessesOptions,
): Promise<TrainingOutcome[]> {
  const waiting = [...trainings];
  const outcomes: TrainingOutcome[] = [];
  const work = async (): Promise<void> => {
    for (;;) {
      const training = options.signal?.aborted === true ? undefined : waiting.shift();
      if (training === undefined) return;
      const outcome = await outcomeOf(training, options);
      outcomes.push(outcome);
      options.onEnd?.(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, work));
  return outcomes;
}

/** What cannot be written for one training is its failure alone: the others go on. */
async function outcomeOf(training: Training, options: TrainingProcessesOptions): Promise<TrainingOutcome> {
  try {
    return await runTraining(training, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { training, state: "failed", problem: error.message };
  }
}

async function runTraining(
  training: Training,
  { root, threads, signal, program = CASCADE }: TrainingProcessesOptions,
): Promise<TrainingOutcome> {
  const { log, specFile } = filesBeside(root, training);
  const output = openLog(log);
  const [command, ...first] = program;
  const words = ["run", specFile, "--out", root, "--parent", String(process.pid)];
  try {
    await writeFileAtomic(specFile, JSON.stringify(training.spec));
    const child = spawn(command, [...first, ...words], {
      stdio: ["ignore", output, output],
      // Ctrl-C is for this process alone: it ends the trainings and tells that from a failure.
      detached: true,
      env: { ...process.env, ...threadLimit(threads) },
    });
    const end = await endOf(child, signal);
    if (end === undefined) {
      await removeFile(log);
      return { training, state: "done" };
    }
    if (signal?.aborted === true) return { training, state: "stopped" };
    return { training, state: "failed", problem: [`${end}; see ${log}`, ...lastLines(log)].join("\n  ") };
  } finally {
    closeSync(output);
    await removeFile(specFile);
  }
}

/** Beside the log: what a killed process leaves is replaced or removed by the next one, and not strewn over the system's folder. */
function filesBeside(root: string, { directory }: Training) {
  const file = (ending: string): string => join(root, "logs", `${directory}.${ending}`);
  return { log: file("log"), specFile: file("json") };
}

/** Removes what a process that was killed left in and beside trainings which are finished by now. */
export async function removeLeftovers(root: string, finished: readonly Training[]): Promise<void> {
  for (const training of finished) {
    for (const file of Object.values(filesBeside(root, training))) await removeFile(file);
    await clearLeftLock(join(root, training.directory));
  }
}

/** Empty, and written at its end: another call may have a process at the same training that writes there still. */
function openLog(path: string): number {
  let log: number | undefined;
  try {
    mkdirSync(join(path, ".."), { recursive: true });
    log = openSync(path, "a");
    ftruncateSync(log);
    return log;
  } catch (error) {
    if (log !== undefined) closeSync(log);
    throw fileError(error, "write", path);
  }
}

/** How the process failed; undefined if it did not. */
function endOf(child: ChildProcess, signal: AbortSignal | undefined): Promise<string | undefined> {
  let killer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill("SIGTERM");
    killer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  };
  if (signal?.aborted === true) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  return new Promise<string | undefined>((resolve) => {
    child.once("error", ({ message }) => {
      resolve(`it did not start (${message})`);
    });
    child.once("exit", (code, killedBy) => {
      if (code === 0) resolve(undefined);
      else
        resolve(
          killedBy === null ? `it ended with exit code ${String(code)}` : `it was killed by ${killedBy}`,
        );
    });
  }).finally(() => {
    clearTimeout(killer);
    signal?.removeEventListener("abort", stop);
  });
}

/** None where another call that was done with the training has removed it. */
function lastLines(log: string): string[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-LINES_OF_LOG);
}
