import type { CascadedDenseNetSpec } from "../../lib/models/cascaded-densenet.js";
import type { CascadedResNetSpec } from "../../lib/models/cascaded-resnet.js";
import type { Delay } from "../../lib/nn/delay.js";
import {
  type Tensors64,
  type Maps,
  zeros,
  concatenate,
  averagePool,
  type Run,
  convolve,
  normalize,
  relu,
  maxPool,
  add,
  classify,
} from "./float64-operations.js";

/**
 * The cascade as the paper writes it down: a loop over time, in which every block or dense layer is evaluated at every
 * timestep and keeps its delay's state. Float64, nested loops, nothing shared with lib/ but the type of the settings.
 */

export interface OracleRun {
  /** [T, B, K] */
  readonly logits: Float64Array;
  /** Running statistics after the batch; in evaluation those given. */
  readonly statistics: Tensors64;
  /** How near any ReLU or max-pool came to its kink: below it float32 may take the other side. */
  readonly margin: number;
}

const BLOCKS = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] };

/** Runs the network over the frames, one image batch for each timestep. */
export function runTimeMajor(
  spec: CascadedResNetSpec | CascadedDenseNetSpec,
  tensors: Tensors64,
  frames: readonly Maps[],
  mode: "training" | "evaluation",
): OracleRun {
  const statistics = new Map(
    [...tensors]
      .filter(([name]) => /\.(mean|variance)$/.test(name))
      .map(([name, { shape, values }]) => [name, { shape, values: values.slice() }]),
  );
  const run: Run = { spec, tensors, statistics, mode, margin: Infinity };
  const stemState = delayLine("growth" in spec ? { kind: "none" } : spec.scheme.delay);
  const body = "growth" in spec ? denseBody(run, spec) : residualBody(run, spec);
  const logits = frames.map((frame, t) => {
    const stemmed = convolve(run, "stem.conv.weight", frame, spec.stem === "imagenet" ? 2 : 1);
    const x = body(stemState(maxPool(run, relu(run, normalize(run, "stem.norm", stemmed, t)))), t);
    return classify(run, x, spec.heads === "single" ? "head" : `head.${t}`);
  });
  return { logits: Float64Array.from(logits.flat()), statistics, margin: run.margin };
}

/** What stands between stem and head, one timestep after the other. */
type Body = (x: Maps, t: number) => Maps;

function residualBody(run: Run, spec: CascadedResNetSpec): Body {
  const { tensors } = run;
  const blocks = BLOCKS[spec.depth].flatMap((count, stage) =>
    Array.from({ length: count }, (_, index) => ({
      name: `stages.${stage}.${index}`,
      stride: stage > 0 && index === 0 ? 2 : 1,
    })),
  );
  const published = isDelayedLayerByLayer(run);
  const delays = blocks.map(() => delayLine(published ? spec.scheme.delay : { kind: "none" }));
  return (stemmed, t) => {
    let x = stemmed;
    for (const [index, { name, stride }] of blocks.entries()) {
      const counts = spec.scheme.kind === "parallel" || t >= index + 1;
      const shortcut = tensors.has(`${name}.shortcut.weight`)
        ? convolve(run, `${name}.shortcut.weight`, x, stride)
        : x;
      let sum = shortcut;
      if (isEvaluated(run, index + 1, t)) {
        const delayed = delays[index]?.(residual(run, spec.depth, name, stride, x, t));
        if (counts && delayed !== undefined) sum = add(delayed, shortcut);
      }
      x = relu(run, sum);
    }
    return x;
  };
}

function denseBody(run: Run, spec: CascadedDenseNetSpec): Body {
  const published = isDelayedLayerByLayer(run);
  const delays = spec.layers.map((count) =>
    Array.from({ length: count }, () => delayLine(published ? spec.scheme.delay : { kind: "none" })),
  );
  /** conv(relu(norm(x))) */
  const part = (norm: string, convolution: string, x: Maps, t: number): Maps =>
    convolve(run, `${convolution}.weight`, relu(run, normalize(run, norm, x, t)), 1);
  return (stemmed, t) => {
    let x = stemmed;
    let position = 0;
    for (const [stage, lines] of delays.entries()) {
      if (stage > 0) {
        const name = `transitions.${stage - 1}`;
        x = averagePool(part(`${name}.norm`, `${name}.conv`, x, t));
      }
      for (const [index, line] of lines.entries()) {
        const name = `stages.${stage}.${index}`;
        position++;
        const counts = spec.scheme.kind === "parallel" || t >= position;
        const zero = { ...x, channels: spec.growth, values: zeros(x, spec.growth) };
        let features: Maps = zero;
        if (isEvaluated(run, position, t)) {
          const reduced = part(`${name}.norm1`, `${name}.conv1`, x, t);
          const delayed = line(part(`${name}.norm2`, `${name}.conv2`, reduced, t));
          if (counts) features = delayed;
        }
        x = concatenate(x, features);
      }
    }
    return relu(run, normalize(run, "final.norm", x, t));
  };
}

/** Whether every layer has a delay of its own, rather than a turn at which it counts at once. */
function isDelayedLayerByLayer({ spec }: Run): boolean {
  return spec.scheme.kind === "parallel" || spec.scheme.asPublished === true;
}

/**
 * Whether the layer at `position` is evaluated at t. Serially it is once its result can still count: from its turn on,
 * and before it where a delay keeps what comes in; everywhere where unread statistics are kept up.
 */
function isEvaluated({ spec: { scheme } }: Run, position: number, t: number): boolean {
  if (scheme.kind === "parallel" || scheme.keepsUnreadStatistics === true || t >= position) return true;
  if (scheme.asPublished !== true || scheme.delay.kind === "none") return false;
  return scheme.delay.kind === "exponentialSmoothing" || t === position - 1;
}

function residual(run: Run, depth: number, name: string, stride: number, x: Maps, t: number): Maps {
  const strides = depth === 50 ? [1, stride, 1] : [stride, 1];
  return strides.reduce((y, step, k) => {
    const convolved = convolve(run, `${name}.conv${k + 1}.weight`, y, step);
    const normalized = normalize(run, `${name}.norm${k + 1}`, convolved, t);
    return k < strides.length - 1 ? relu(run, normalized) : normalized;
  }, x);
}

/** One place's delay with its state: z[t] = u[t-1], or z[t] = a z[t-1] + (1 - a) u[t], both from zero. */
function delayLine(delay: Delay): (u: Maps) => Maps {
  if (delay.kind === "none") return (u) => u;
  let state: Float64Array | undefined;
  return (u) => {
    const before = state ?? new Float64Array(u.values.length);
    if (delay.kind === "oneStepDelay") {
      state = u.values;
      return { ...u, values: before };
    }
    state = u.values.map((value, i) => delay.alpha * (before[i] as number) + (1 - delay.alpha) * value);
    return { ...u, values: state };
  };
}
