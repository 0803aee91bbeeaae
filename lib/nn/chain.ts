import { averagePool, averagePoolGradient, averagePoolSide } from "./average-pool.js";
import { convolution, convolutionCost, type ConvolutionSpec, outputSide } from "./convolution.js";
import { convolutionAndNorm } from "./convolution-and-norm.js";
import type { Layer, Pass, Pullback, Sequence } from "./pass.js";
import { globalAveragePool, globalAveragePoolGradient } from "./global-average-pool.js";
import { asMaps } from "./linear.js";
import { mixedPool } from "./mixed-pool.js";
import { temporalBatchNorm } from "./temporal-batch-norm.js";
import { tf } from "./tensorflow.js";

/** What is computed at once, one stage after the other: described as data, for whoever runs, counts or names it. */
export type Chain = readonly Stage[];

export type Stage =
  | { readonly kind: "convolution"; readonly convolution: ConvolutionSpec }
  /** Convolution, batch norm, and a ReLU where asked. */
  | {
      readonly kind: "convolutionNorm";
      readonly convolution: ConvolutionSpec;
      readonly norm: string;
      readonly relu: boolean;
    }
  /** Batch norm of the input, ReLU, convolution. */
  | { readonly kind: "normConvolution"; readonly norm: string; readonly convolution: ConvolutionSpec }
  /** Batch norm of so many channels, ReLU. */
  | { readonly kind: "norm"; readonly norm: string; readonly channels: number }
  /** 2x2, stride 2. */
  | { readonly kind: "averagePool" }
  /** Windows of this side, stride the same; α has a name. */
  | { readonly kind: "mixedPool"; readonly alpha: string; readonly window: number }
  /** Over the whole map, which keeps one position. */
  | { readonly kind: "globalAveragePool" };

/** The chain at every timestep of `x`; without stages, `x` itself. The pullback leaves `x`, which its maker frees. */
export function runChain(pass: Pass, chain: Chain, x: Sequence): Layer {
  const pullbacks: Pullback[] = [];
  let y = x;
  for (const stage of chain) {
    const layer = runStage(pass, stage, y);
    pullbacks.push(layer.pullback);
    y = layer.y;
  }
  return { y, pullback: (dy) => pullbacks.reduceRight((gradient, pullback) => pullback(gradient), dy) };
}

function runStage(pass: Pass, stage: Stage, x: Sequence): Layer {
  switch (stage.kind) {
    case "convolution":
      return convolution(pass, stage.convolution, x);
    case "convolutionNorm":
      return convolutionAndNorm(pass, stage.convolution, stage.norm, x, stage.relu);
    case "normConvolution": {
      const normalized = temporalBatchNorm(pass, stage.norm, x, true);
      const convolved = convolution(pass, stage.convolution, normalized.y);
      return { y: convolved.y, pullback: (dy) => normalized.pullback(convolved.pullback(dy)) };
    }
    case "norm":
      return temporalBatchNorm(pass, stage.norm, x, true);
    case "averagePool":
      return pooled(x);
    case "mixedPool":
      return mixedPool(pass, stage.alpha, stage.window, x);
    case "globalAveragePool":
      return globallyPooled(x);
  }
}

function pooled(x: Sequence): Layer {
  const values = averagePool(x.values);
  const { shape } = x.values;
  return {
    y: { values, timeline: x.timeline },
    pullback: (dy) => {
      const dx = averagePoolGradient(dy, shape);
      tf.dispose([dy, values]);
      return dx;
    },
  };
}

function globallyPooled(x: Sequence): Layer {
  const pooledRows = globalAveragePool(x.values);
  const [rows, channels] = pooledRows.shape;
  const values = asMaps(pooledRows);
  pooledRows.dispose();
  return {
    y: { values, timeline: x.timeline },
    pullback: (dy) => {
      const dx = tf.tidy(() => globalAveragePoolGradient(tf.reshape(dy, [rows, channels]), x.values));
      tf.dispose([dy, values]);
      return dx;
    },
  };
}

/** Names of the chain's batch norms, in order. */
export function chainNorms(chain: Chain): string[] {
  return chain.flatMap((stage) => ("norm" in stage ? [stage.norm] : []));
}

/** The chain's convolutions, in order. */
export function chainConvolutions(chain: Chain): ConvolutionSpec[] {
  return chain.flatMap((stage) => ("convolution" in stage ? [stage.convolution] : []));
}

/** Multiply-adds of one evaluation on one image of side `side`, and the side of the result. */
export function chainCost(chain: Chain, side: number): { cost: number; side: number } {
  return chain.reduce(
    (before, stage) => {
      switch (stage.kind) {
        case "averagePool":
          return { ...before, side: averagePoolSide(before.side) };
        case "mixedPool":
          return { ...before, side: before.side / stage.window };
        case "globalAveragePool":
          return { ...before, side: 1 };
        case "norm":
          return before;
      }
      const after = outputSide(stage.convolution, before.side);
      return { cost: before.cost + convolutionCost(stage.convolution, after), side: after };
    },
    { cost: 0, side },
  );
}
