import type { Tensor4D } from "./tensorflow.js";

/** A program under way on some images: it knows what it has computed, and does only what is asked for and not there yet. */
export interface ProgramRun {
  /** Computes what the answers up to timestep t need -> logits [t - before, B, K] of those that were not given before. */
  advance(t: number): Float32Array;
  /** Frees what is kept for later timesteps. */
  dispose(): void;
}

/** A program made ready for many images. */
export interface OpenedProgram {
  /** Begins on images [D B, H, W, 3], B of each distinct step. */
  start(images: Tensor4D, batch: number): ProgramRun;
  dispose(): void;
}
