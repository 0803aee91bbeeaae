import type { CascadedNetwork } from "./cascaded-network.js";
import { cascadeProgram } from "./cascade-program.js";
import type { MultiExitNetwork } from "./multi-exit-network.js";
import { multiExitProgram } from "./multi-exit-program.js";
import { NativeProgram } from "./native-run.js";
import type { Program } from "./program.js";
import type { EqualRowsOf } from "./program-draft.js";
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
export function evaluate(
  network: CascadedNetwork | MultiExitNetwork,
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
  network: CascadedNetwork | MultiExitNetwork,
  pass: EvaluationPass,
  { values, timeline }: Sequence,
  batch: number,
): ProgramRun {
  const side = valueAt(values.shape, 1);
  const programFor = (images: Timeline): Program =>
    programOf(network, side, images, (norm) => named(pass.norms, norm).equalRows);
  const few = batch <= FEW && timeline.rows.every((rows) => rows === batch);
  if (hasOwnKernels && pass.precision !== "float64Sums" && few)
    return openedProgram(pass, side, timeline, batch, programFor).start(values, batch);
  return new TensorRun(programFor(timeline), pass, values, batch);
}

/** The network on images of so many pixels a side, which change as `images` says. */
export function programOf(
  network: CascadedNetwork | MultiExitNetwork,
  side: number,
  images: Timeline,
  equalRows: EqualRowsOf,
): Program {
  return network.kind === "cascade"
    ? cascadeProgram(network, side, images, equalRows)
    : multiExitProgram(network, side, images, equalRows);
}

/** Opened once for each size of image, each way in which images change, and for one image or several. */
function openedProgram(
  pass: EvaluationPass,
  side: number,
  { step, rows }: Timeline,
  batch: number,
  programFor: (images: Timeline) => Program,
): OpenedProgram {
  const key = `${side}/${step.join()}/${batch > 1 ? "several" : "one"}`;
  const known = pass.opened.get(key);
  if (known !== undefined) return known;
  // However few they are, images differ.
  const opened = new NativeProgram(programFor({ step, rows: rows.map(() => 2) }), pass, batch);
  pass.opened.set(key, opened);
  return opened;
}
