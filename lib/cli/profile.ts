import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { from } from "arquero";
import { Command } from "commander";
import { z } from "zod";
import { QUARTER } from "../experiments/benchmark/benchmark.js";
import {
  scalingCases,
  type ScalingPoint,
  SHARED_OUT_CASES,
  timePerImage,
} from "../experiments/benchmark/benchmark-scaling.js";
import { currentEnvironment } from "../experiments/runs/environment.js";
import { TIME_KINDS, timeShares, type TimeShares } from "../experiments/benchmark/time-shares.js";
import { closeBrowser } from "../figures/browser.js";
import { exportFigure } from "../figures/export.js";
import { timePerImageFigure } from "../figures/time-per-image.js";
import { timeSharesFigure } from "../figures/time-shares.js";
import { describeBackend } from "../nn/backend/kernel-level.js";
import { UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { usableProcessors } from "../util/machine-share.mjs";
import { wholeNumber } from "./options.js";
import { writeOut } from "./output.js";

const pointSchema = z.array(z.object({ training: z.number(), evaluation: z.number() }));

/** `cascade profile`: what the time of an image depends on, and where it goes, as figures. */
export function profileCommand(): Command {
  return new Command("profile")
    .description("measure what time depends on (timesteps, width, depth, batch, threads) and where it goes")
    .option("--rounds <n>", "how often each thing is timed", wholeNumber(1), 5)
    .option("--out <folder>", "where the numbers and figures go", join("data", "figures"))
    .option("--threads-only", "time the quarter-width cases with the threads at hand, as JSON")
    .action(async ({ rounds, out, threadsOnly }: { rounds: number; out: string; threadsOnly?: true }) => {
      if (threadsOnly === true) {
        writeOut(
          JSON.stringify(PRECISIONS.map((precision) => timePerImage({ ...QUARTER, precision }, rounds))),
        );
        return;
      }
      const points: ScalingPoint[] = [];
      for (const { variable, value, spec } of scalingCases()) {
        const point = { variable, value, precision: spec.precision, ...timePerImage(spec, rounds) };
        points.push(point);
        process.stderr.write(
          `${spec.name}: ${point.training.toFixed(3)} ms, ${point.evaluation.toFixed(3)} ms\n`,
        );
      }
      points.push(...threadPoints(rounds));
      const shares = SHARED_OUT_CASES.flatMap((spec) => timeShares(spec, rounds));
      const environment = { ...currentEnvironment(), backend: describeBackend() };
      const result = { environment, scaling: points, shares };
      await writeFileAtomic(join(out, "profile.json"), `${JSON.stringify(result, null, 2)}\n`);
      try {
        await exportFigure(timePerImageFigure(from(points)), { svg: join(out, "scaling.svg") });
        await exportFigure(timeSharesFigure(from(shareRows(shares))), { svg: join(out, "time-shares.svg") });
      } finally {
        await closeBrowser();
      }
      writeOut(`${join(out, "profile.json")}, scaling.svg, time-shares.svg`);
    });
}

const PRECISIONS = ["float32", "mixed"] as const;

/** TensorFlow takes its number of threads when it starts, so each number is measured by a process of its own. */
function threadPoints(rounds: number): ScalingPoint[] {
  return Array.from({ length: usableProcessors() }, (_, i) => i + 1).flatMap((count) => {
    const child = spawnSync(
      process.execPath,
      [...process.execArgv, process.argv[1] ?? "", "profile", "--threads-only", "--rounds", String(rounds)],
      { encoding: "utf8", env: { ...process.env, TF_NUM_INTRAOP_THREADS: String(count) } },
    );
    if (child.status !== 0)
      throw new UserError(`timing with ${count} threads failed: ${child.stderr.trim()}`);
    return pointSchema.parse(JSON.parse(child.stdout)).map((times, k) => ({
      variable: "threads" as const,
      value: count,
      precision: PRECISIONS[k] ?? "float32",
      ...times,
    }));
  });
}

function shareRows(shares: readonly TimeShares[]): { case: string; kind: string; milliseconds: number }[] {
  return shares.flatMap((share) =>
    TIME_KINDS.map((kind) => ({
      case: `${share.case}, ${share.what}`,
      kind,
      milliseconds: share.milliseconds[kind],
    })),
  );
}
