import type { CascadedNetwork } from "./cascaded-network.js";
import { NativeProgram, runsNatively } from "./native-run.js";
import { type Program, programOf } from "./program.js";
import type { OpenedProgram, ProgramRun } from "../nn/opened-program.js";
import { TensorRun } from "./tensor-run.js";
import type { Logits } from "../nn/head.js";
import { hasOwnKernels } from "../nn/backend/kernel-level.js";
import { type EvaluationPass, named, type Sequence } from "../nn/pass.js";
import { type Timeline, valueAt } from "../nn/timeline.js";

/** Images up to which a program is opened for good and runs in one call a timestep: more fill the kernels one by one. */
const FEW = 16;

/**
 * The network's answers at all timesteps, every distinct step computed once. images: [rows, H, W, 3] on their timeline,
 * `batch` of them at each timestep -> logits [T, B, K].
 */
export function evaluateCascade(
  network: CascadedNetwork,
  pass: EvaluationPass,
  images: Sequence,
  batch: number,
): Logits {
  const { timesteps, spec } = network;
  const run = startRun(network, pass, images, batch);
  try {
    return { values: run.advance(timesteps - 1), timesteps, batch, classes: spec.classes };
  } finally {
    run.dispose();
  }
}

/** Begins to evaluate a network on images [rows, H, W, 3], `batch` of them at each timestep, on their timeline. */
export function startRun(
  network: CascadedNetwork,
  pass: EvaluationPass,
  { values, timeline }: Sequence,
  batch: number,
): ProgramRun {
  const side = valueAt(values.shape, 1);
  const programFor = (images: Timeline): Program =>
    programOf(network, side, images, (norm) => named(pass.norms, norm).equalRows);
  const few = batch <= FEW && timeline.rows.every((rows) => rows === batch);
  if (hasOwnKernels && pass.precision !== "float64Sums" && few) {
    const opened = openedProgram(pass, side, timeline, programFor);
    if (opened !== undefined) return opened.start(values, batch);
  }
  return new TensorRun(programFor(timeline), pass, values, batch);
}

/** Opened once for each size of image, and each way in which images change; undefined where kernels are missing. */
function openedProgram(
  pass: EvaluationPass,
  side: number,
  { step, rows }: Timeline,
  programFor: (images: Timeline) => Program,
): OpenedProgram | undefined {
  const key = `${side}/${step.join()}`;
  const known = pass.opened.get(key);
  if (known !== undefined) return known;
  // However few they are, images differ.
  const program = programFor({ step, rows: rows.map(() => 2) });
  if (!runsNatively(program)) return undefined;
  const opened = new NativeProgram(program, pass);
  pass.opened.set(key, opened);
  return opened;
}
