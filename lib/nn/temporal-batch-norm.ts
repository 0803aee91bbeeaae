import { kernels } from "./backend/chosen-kernels.js";
import type { Affine, GainAndBias, NormStatistics } from "./backend/kernels.js";
import { gatherSteps, gatherStepsGradient } from "./backend/rows.js";
import { type Tensor, type Tensor2D, tf } from "./tensorflow.js";
import {
  type EvaluationPass,
  type FoldedNorm,
  type Layer,
  named,
  type NamedTensors,
  noPullback,
  type NormSettings,
  parameter,
  type Pass,
  recordGradient,
  type Sequence,
  type TrainingPass,
} from "./pass.js";
import { firstTimesteps, isIdentity, refine, type Timeline, valueAt } from "./timeline.js";

/**
 * Batch norm with statistics for each timestep, and optionally scale and offset for each timestep too:
 *
 *     y[t] = scale[t] (x[t] - mean[t]) / sqrt(variance[t] + epsilon) + offset[t]
 *
 * followed by a ReLU where asked. In training mean and variance are the batch's at that timestep; in evaluation
 * they are the running ones of row t.
 */
export function temporalBatchNorm(pass: Pass, name: string, x: Sequence, relu: boolean): Layer {
  return pass.kind === "training" ? trainingNorm(pass, name, x, relu) : evaluationNorm(pass, name, x, relu);
}

function trainingNorm(pass: TrainingPass, name: string, x: Sequence, relu: boolean): Layer {
  const { epsilon, temporalAffine } = pass.norm;
  // With scale and offset for each timestep, equal inputs no longer give equal outputs.
  const expansion = refine(
    x.timeline,
    x.timeline.step.map((_, t) => (temporalAffine ? t : 0)),
  );
  const expanded = !isIdentity(expansion, x.timeline);
  const timeline = expansion.timeline;
  const values = expanded ? gatherSteps(x.values, x.timeline, expansion) : x.values;
  const scaleRows = affineRows(pass, `${name}.scale`, timeline);
  const offsetRows = affineRows(pass, `${name}.offset`, timeline);
  const steps = { rows: timeline.rows, epsilon, relu };
  const { y, ...statistics } = kernels.normalize(values, scaleRows, offsetRows, steps);
  const [, height, width] = values.shape;
  updateStatistics(pass, name, statistics, timeline, height * width);
  return {
    y: { values: y, timeline },
    pullback: (dy) => {
      const back = kernels.normalizeGradient(dy, values, scaleRows, offsetRows, statistics, steps);
      recordAffineGradient(pass, `${name}.scale`, back.dscale, timeline);
      recordAffineGradient(pass, `${name}.offset`, back.doffset, timeline);
      if (temporalAffine) tf.dispose([scaleRows, offsetRows]);
      tf.dispose([dy, y, statistics.mean, statistics.variance]);
      if (!expanded) return back.dx;
      const dx = gatherStepsGradient(back.dx, x.timeline, expansion);
      tf.dispose([back.dx, values]);
      return dx;
    },
  };
}

/** Scale or offset: the parameter [C] itself, which all steps share, or of [T, C] a row for each distinct step. */
function affineRows(pass: TrainingPass, name: string, timeline: Timeline): Affine {
  const values = parameter(pass, name) as Affine;
  return pass.norm.temporalAffine ? tf.gather(values, firstTimesteps(timeline)) : values;
}

/** The gradient by `affineRows`, which becomes that of the parameter. */
function recordAffineGradient(pass: TrainingPass, name: string, gradient: Affine, timeline: Timeline): void {
  if (!pass.norm.temporalAffine) {
    recordGradient(pass, name, gradient);
    return;
  }
  const shape = [timeline.step.length, valueAt(gradient.shape, 1)];
  const ofAllTimesteps = tf.tidy(() => {
    const indices = tf.tensor2d(firstTimesteps(timeline), [timeline.rows.length, 1], "int32");
    return tf.scatterND(indices, gradient, shape);
  });
  gradient.dispose();
  recordGradient(pass, name, ofAllTimesteps);
}

/**
 * Running statistics after the batch. Timesteps at which the block was not evaluated keep theirs. A one-row step stands for
 * the whole batch, so the values behind it are the batch's too.
 */
function updateStatistics(
  pass: TrainingPass,
  name: string,
  batch: NormStatistics,
  timeline: Timeline,
  positions: number,
): void {
  const running = runningStatistics(pass, name);
  const update = { step: timeline.step, momentum: pass.norm.momentum, values: pass.batch * positions };
  const { mean, variance } = kernels.updateStatistics(running, batch, update);
  pass.newStatistics.set(`${name}.mean`, tf.keep(mean));
  pass.newStatistics.set(`${name}.variance`, tf.keep(variance));
}

function runningStatistics({ statistics }: { statistics: NamedTensors }, name: string): NormStatistics {
  return {
    mean: named(statistics, `${name}.mean`) as Tensor2D,
    variance: named(statistics, `${name}.variance`) as Tensor2D,
  };
}

/** The running statistics of a norm that a batch does not pass through: as they were. */
export function keepStatistics(pass: Pass, norm: string): void {
  if (pass.kind !== "training") return;
  for (const name of [`${norm}.mean`, `${norm}.variance`])
    pass.newStatistics.set(name, tf.keep(tf.clone(named(pass.statistics, name))));
}

function evaluationNorm(pass: EvaluationPass, name: string, x: Sequence, relu: boolean): Layer {
  const split = refine(x.timeline, named(pass.norms, name).equalRows);
  const values = tf.tidy(() => {
    const from = isIdentity(split, x.timeline) ? x.values : gatherSteps(x.values, x.timeline, split);
    return kernels.scaleAndShift(from, foldedRows(pass, name, split.timeline, relu));
  });
  return { y: { values, timeline: split.timeline }, pullback: noPullback };
}

/** The folded norm's rows on distinct steps none of which it splits. */
export function foldedRows(
  pass: EvaluationPass,
  name: string,
  timeline: Timeline,
  relu: boolean,
): GainAndBias {
  const { gain, bias } = named(pass.norms, name);
  const steps = firstTimesteps(timeline);
  return { gain: tf.gather(gain, steps), bias: tf.gather(bias, steps), rows: timeline.rows, relu };
}

/** Whether timesteps of equal values stay equal through the folded norm. */
export function keepsSteps(pass: EvaluationPass, norm: string, timeline: Timeline): boolean {
  return isIdentity(refine(timeline, named(pass.norms, norm).equalRows), timeline);
}

/**
 * Folds running statistics, scale and offset of one norm into gain and bias rows [T, C],
 *
 *     gain[t] = scale[t] / sqrt(variance[t] + epsilon),  bias[t] = offset[t] - gain[t] mean[t]
 *
 * and finds which rows are equal: merging timesteps whose rows differ would give wrong logits, so only rows equal to the
 * last bit share a class.
 */
export function foldNorm(
  parameters: ReadonlyMap<string, Tensor>,
  statistics: ReadonlyMap<string, Tensor>,
  name: string,
  settings: NormSettings,
): FoldedNorm {
  return tf.tidy(() => {
    const mean = named(statistics, `${name}.mean`) as Tensor2D;
    const variance = named(statistics, `${name}.variance`) as Tensor2D;
    const scale = named(parameters, `${name}.scale`) as Tensor2D;
    const offset = named(parameters, `${name}.offset`) as Tensor2D;
    const gain: Tensor2D = tf.div(scale, tf.sqrt(tf.add(variance, settings.epsilon)));
    const bias: Tensor2D = tf.sub(offset, tf.mul(gain, mean));
    const timed = settings.temporalAffine ? [mean, variance, scale, offset] : [mean, variance];
    return { gain: tf.keep(gain), bias: tf.keep(bias), equalRows: equalRowsOf(tf.concat(timed, 1)) };
  });
}

/** [T] for each row of a [T, C] tensor the number of the first row that equals it. */
function equalRowsOf(table: Tensor2D): number[] {
  const [rows, columns] = table.shape;
  const values = table.dataSync();
  const equal = (a: number, b: number): boolean => {
    for (let c = 0; c < columns; c++) if (values[a * columns + c] !== values[b * columns + c]) return false;
    return true;
  };
  const classes: number[] = [];
  for (let t = 0; t < rows; t++) {
    const earlier = classes.findIndex((_, s) => equal(s, t));
    classes.push(earlier < 0 ? t : earlier);
  }
  return classes;
}
