import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readRun } from "../../lib/experiments/runs/run-record.js";
import type { RunSpec } from "../../lib/experiments/specs/spec.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { drawsOf } from "./mutations.js";

const CHILD = join(import.meta.dirname, "..", "experiments", "runs", "training-run-child.ts");
/** The order of summation, and with it the last bit, depends on the number of threads. */
const ONE_THREAD = { TF_NUM_INTRAOP_THREADS: "1", OMP_NUM_THREADS: "1" };
/** Kills of one training before it is let to its end and compared. */
const KILLS_EACH = 5;

interface KillRow {
  readonly job: string;
  readonly kills: number;
  readonly trainings: number;
  readonly identical: number;
  readonly wrong: number;
}

/** Kills trainings at random instants, each several times; each must end with the bytes of one that was left alone. */
export async function randomKills(
  kills: number,
  seed: number,
): Promise<{ readonly rows: readonly KillRow[]; readonly problems: readonly string[] }> {
  const place = mkdtempSync(join(tmpdir(), "kills-"));
  const spec = tinyRunSpec("cascaded-td", { train: { epochs: 6 } });
  const problems: string[] = [];
  let done = 0;
  let trainings = 0;
  try {
    const begun = performance.now();
    await training(join(place, "whole"), spec).ended;
    const longest = performance.now() - begun;
    const expected = result(join(place, "whole"));
    for (; done < kills; trainings++) {
      const root = join(place, `killed-${trainings}`);
      for (let kill = 0; kill < KILLS_EACH && done < kills; kill++, done++) {
        const { child, ended } = training(root, spec);
        await Promise.race([sleep(drawsOf(seed, "kill", done).below(Math.ceil(longest))), ended]);
        child.kill("SIGKILL");
        await ended;
      }
      await training(root, spec).ended;
      const found = await Promise.resolve(root).then(result).catch(String);
      if (found !== expected) problems.push(`training ${trainings}: ${found.slice(0, 300)}`);
      else await readRun(join(root, readdirSync(root)[0] ?? "")).verify();
      rmSync(root, { recursive: true, force: true });
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  const wrong = problems.length;
  return { rows: [{ job: "run", kills: done, trainings, identical: trainings - wrong, wrong }], problems };
}

function training(
  root: string,
  spec: RunSpec,
): { readonly child: ChildProcess; readonly ended: Promise<unknown> } {
  const child = spawn(process.execPath, ["--import", "tsx", CHILD, root, JSON.stringify(spec)], {
    stdio: "ignore",
    env: { ...process.env, ...ONE_THREAD },
  });
  return { child, ended: once(child, "close") };
}

/** Weights, trace and what lies in the folder besides. */
function result(root: string): string {
  const directory = join(root, readdirSync(root)[0] ?? "");
  const { files } = readRun(directory).done ?? {};
  const left = readdirSync(directory).filter((name) => name.startsWith("."));
  const model = readFileSync(join(directory, "model.safetensors"));
  return JSON.stringify([
    files?.["model.safetensors"],
    files?.["trace-CascadedTD.arrow"],
    model.length,
    left,
  ]);
}
