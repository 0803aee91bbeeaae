import type { CascadedDenseNetSpec } from "../../lib/models/cascaded-densenet.js";
import type { CascadedResNetSpec } from "../../lib/models/cascaded-resnet.js";

/** A network's operations in float64, as nested loops: slow, and so easy to believe. */

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

export function zeros({ batch, height, width }: Maps, channels: number): Float64Array {
  return new Float64Array(batch * height * width * channels);
}

/** The channels of a, then those of b. */
export function concatenate(a: Maps, b: Maps): Maps {
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
export function averagePool(x: Maps): Maps {
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

export interface Run {
  readonly spec: CascadedResNetSpec | CascadedDenseNetSpec;
  readonly tensors: Tensors64;
  readonly statistics: ReadonlyMap<string, Tensor64>;
  readonly mode: "training" | "evaluation";
  margin: number;
}

function tensorOf(tensors: Tensors64, name: string): Tensor64 {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new RangeError(`the oracle was not given ${name}`);
  return tensor;
}

export function convolve(run: Run, name: string, x: Maps, stride: number): Maps {
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
export function normalize(run: Run, name: string, x: Maps, t: number): Maps {
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

export function relu(run: Run, x: Maps): Maps {
  const values = x.values.map((value) => {
    // An exact zero is a value that nothing reached; it is zero in every precision.
    if (value !== 0) run.margin = Math.min(run.margin, Math.abs(value));
    return Math.max(value, 0);
  });
  return { ...x, values };
}

/** 3x3, stride 2, padding 1. */
export function maxPool(run: Run, x: Maps): Maps {
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

export function add(a: Maps, b: Maps): Maps {
  return { ...a, values: a.values.map((value, i) => value + (b.values[i] as number)) };
}

/** Global average pool, then linear: -> [B, K]. */
export function classify(run: Run, x: Maps, name: string): number[] {
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
