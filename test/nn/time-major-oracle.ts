import type { CascadedDenseNetSpec } from "../../lib/models/cascaded-densenet.js";
import type { CascadedResNetSpec } from "../../lib/models/cascaded-resnet.js";
import type { Delay } from "../../lib/nn/delay.js";

/**
 * The cascade as the paper writes it down: a loop over time, in which every block or
 * dense layer is evaluated at every timestep and
 * keeps its delay's state. Float64, nested loops, nothing shared with lib/ but the type of the settings. Slow, and
 * so easy to believe.
 */

/** A tensor by its name's place in the network: filters [k, k, C, C'], linear [C, K], time-indexed rows [T, C]. */
export interface Tensor64 {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export type Tensors64 = ReadonlyMap<string, Tensor64>;

/** One timestep's values, [B, H, W, C] row-major. */
export interface Maps {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Float64Array;
}

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

function zeros({ batch, height, width }: Maps, channels: number): Float64Array {
  return new Float64Array(batch * height * width * channels);
}

/** The channels of a, then those of b. */
function concatenate(a: Maps, b: Maps): Maps {
  const channels = a.channels + b.channels;
  const values = zeros(a, channels);
  for (let n = 0; n < values.length; n++) {
    const [position, c] = [Math.floor(n / channels), n % channels];
    values[n] = (
      c < a.channels ? a.values[position * a.channels + c] : b.values[position * b.channels + c - a.channels]
    ) as number;
  }
  return { ...a, channels, values };
}

/** 2x2, stride 2; a window that reaches over the edge averages what it holds. */
function averagePool(x: Maps): Maps {
  const height = Math.ceil(x.height / 2);
  const width = Math.ceil(x.width / 2);
  const y = new Float64Array(x.batch * height * width * x.channels);
  for (let n = 0; n < y.length; n++) {
    const c = n % x.channels;
    const j = Math.floor(n / x.channels) % width;
    const i = Math.floor(n / x.channels / width) % height;
    const b = Math.floor(n / x.channels / width / height);
    const held: number[] = [];
    for (let row = 2 * i; row < Math.min(2 * i + 2, x.height); row++)
      for (let column = 2 * j; column < Math.min(2 * j + 2, x.width); column++)
        held.push(x.values[((b * x.height + row) * x.width + column) * x.channels + c] as number);
    y[n] = held.reduce((sum, value) => sum + value, 0) / held.length;
  }
  return { batch: x.batch, height, width, channels: x.channels, values: y };
}

interface Run {
  readonly spec: CascadedResNetSpec | CascadedDenseNetSpec;
  readonly tensors: Tensors64;
  readonly statistics: ReadonlyMap<string, Tensor64>;
  readonly mode: "training" | "evaluation";
  margin: number;
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

function tensorOf(tensors: Tensors64, name: string): Tensor64 {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new RangeError(`the oracle was not given ${name}`);
  return tensor;
}

function convolve(run: Run, name: string, x: Maps, stride: number): Maps {
  const { shape, values: filter } = tensorOf(run.tensors, name);
  const [size = 0, , inputs = 0, outputs = 0] = shape;
  const padding = Math.floor(size / 2);
  const height = Math.floor((x.height + 2 * padding - size) / stride) + 1;
  const width = Math.floor((x.width + 2 * padding - size) / stride) + 1;
  const y = new Float64Array(x.batch * height * width * outputs);
  for (let b = 0; b < x.batch; b++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++) {
        const to = ((b * height + i) * width + j) * outputs;
        for (let p = 0; p < size; p++)
          for (let q = 0; q < size; q++) {
            const row = i * stride + p - padding;
            const column = j * stride + q - padding;
            if (row < 0 || row >= x.height || column < 0 || column >= x.width) continue;
            for (let c = 0; c < inputs; c++) {
              const value = x.values[((b * x.height + row) * x.width + column) * inputs + c] as number;
              const tap = ((p * size + q) * inputs + c) * outputs;
              for (let k = 0; k < outputs; k++)
                y[to + k] = (y[to + k] as number) + value * (filter[tap + k] as number);
            }
          }
      }
  return { batch: x.batch, height, width, channels: outputs, values: y };
}

/** scale[t] (x - mean[t]) / sqrt(variance[t] + epsilon) + offset[t]; in training with the batch's mean and variance. */
function normalize(run: Run, name: string, x: Maps, t: number): Maps {
  const { epsilon, momentum, temporalAffine } = run.spec.norm;
  const affineRow = temporalAffine ? t * x.channels : 0;
  const scale = tensorOf(run.tensors, `${name}.scale`).values;
  const offset = tensorOf(run.tensors, `${name}.offset`).values;
  const runningMean = tensorOf(run.statistics, `${name}.mean`).values;
  const runningVariance = tensorOf(run.statistics, `${name}.variance`).values;
  const y = new Float64Array(x.values.length);
  const n = x.batch * x.height * x.width;
  for (let c = 0; c < x.channels; c++) {
    const at = t * x.channels + c;
    let mean = runningMean[at] as number;
    let variance = runningVariance[at] as number;
    if (run.mode === "training") {
      let sum = 0;
      for (let i = c; i < x.values.length; i += x.channels) sum += x.values[i] as number;
      mean = sum / n;
      let squares = 0;
      for (let i = c; i < x.values.length; i += x.channels) squares += ((x.values[i] as number) - mean) ** 2;
      variance = squares / n;
      runningMean[at] = (1 - momentum) * (runningMean[at] as number) + momentum * mean;
      const unbiased = squares / Math.max(n - 1, 1);
      runningVariance[at] = (1 - momentum) * (runningVariance[at] as number) + momentum * unbiased;
    }
    const gain = (scale[affineRow + c] as number) / Math.sqrt(variance + epsilon);
    for (let i = c; i < x.values.length; i += x.channels)
      y[i] = gain * ((x.values[i] as number) - mean) + (offset[affineRow + c] as number);
  }
  return { ...x, values: y };
}

function relu(run: Run, x: Maps): Maps {
  const values = x.values.map((value) => {
    // An exact zero is a value that nothing reached; it is zero in every precision.
    if (value !== 0) run.margin = Math.min(run.margin, Math.abs(value));
    return Math.max(value, 0);
  });
  return { ...x, values };
}

/** 3x3, stride 2, padding 1. */
function maxPool(run: Run, x: Maps): Maps {
  const height = Math.floor((x.height - 1) / 2) + 1;
  const width = Math.floor((x.width - 1) / 2) + 1;
  const y = new Float64Array(x.batch * height * width * x.channels);
  for (let b = 0; b < x.batch; b++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let c = 0; c < x.channels; c++) {
          const window: number[] = [];
          for (let row = Math.max(2 * i - 1, 0); row <= Math.min(2 * i + 1, x.height - 1); row++)
            for (let column = Math.max(2 * j - 1, 0); column <= Math.min(2 * j + 1, x.width - 1); column++)
              window.push(x.values[((b * x.height + row) * x.width + column) * x.channels + c] as number);
          window.sort((p, q) => q - p);
          const [first = 0, second = 0] = window;
          if (first !== second) run.margin = Math.min(run.margin, first - second);
          y[((b * height + i) * width + j) * x.channels + c] = first;
        }
  return { batch: x.batch, height, width, channels: x.channels, values: y };
}

function add(a: Maps, b: Maps): Maps {
  return { ...a, values: a.values.map((value, i) => value + (b.values[i] as number)) };
}

/** Global average pool, then linear: -> [B, K]. */
function classify(run: Run, x: Maps, name: string): number[] {
  const { shape, values: weight } = tensorOf(run.tensors, `${name}.weight`);
  const bias = tensorOf(run.tensors, `${name}.bias`).values;
  const [, classes = 0] = shape;
  const positions = x.height * x.width;
  const logits: number[] = [];
  for (let b = 0; b < x.batch; b++)
    for (let k = 0; k < classes; k++) {
      let logit = bias[k] as number;
      for (let p = 0; p < positions; p++)
        for (let c = 0; c < x.channels; c++)
          logit +=
            ((x.values[(b * positions + p) * x.channels + c] as number) *
              (weight[c * classes + k] as number)) /
            positions;
      logits.push(logit);
    }
  return logits;
}
