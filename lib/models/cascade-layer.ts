import type { ConvolutionSpec } from "../nn/convolution.js";
import type { Delay } from "../nn/delay.js";
import type { Heads } from "../nn/head.js";
import type { Layer, NormSettings, Pass, Sequence } from "../nn/pass.js";
import type { Scheme } from "../nn/residual-block.js";
import type { StemKind } from "../nn/stem.js";
import type { TensorSpec } from "./tensor-spec.js";

/** What the spec of every cascaded network says. */
export interface CascadeSpec {
  readonly classes: number;
  readonly stem: StemKind;
  readonly scheme: Scheme;
  readonly heads: Heads;
  readonly norm: NormSettings;
  /** Timesteps T; by default the number of delayed layers + 1. */
  readonly timesteps?: number | undefined;
}

/** What every cascaded network has: a stem below its layers, a head above them. */
export interface CascadeFrame {
  readonly timesteps: number;
  readonly stem: ConvolutionSpec;
  /** How the stem's result is held back. */
  readonly stemDelay: Delay;
  /** Channels that the head reads. */
  readonly features: number;
}

/** One layer between stem and head. */
export interface CascadeLayer {
  readonly tensors: readonly TensorSpec[];
  readonly run: (pass: Pass, x: Sequence) => Layer;
  /** For an input of side `side`. */
  readonly cost: (side: number) => LayerCost;
}

/** Multiply-adds of one evaluation of a layer on one image. */
export interface LayerCost {
  /** Place among the delayed layers, counted from 1; undefined for a layer that delays nothing. */
  readonly position: number | undefined;
  /** Of what the layer delays. */
  readonly delayed: number;
  /** Of what passes at once. */
  readonly instant: number;
  /** Side of the result. */
  readonly side: number;
}
