import type { Draws } from "./mutations.js";

/** Something that reads what others may have written. */
export interface Reader {
  readonly name: string;
  /** Whole inputs, which must be read. */
  readonly samples: readonly Uint8Array[];
  readonly mutate: (sample: Uint8Array, draws: Draws) => Uint8Array;
  readonly read: (input: Uint8Array) => unknown;
  /** Whether a sum tells of every change, so that another answer than the sample's is a false one. */
  readonly isSummed?: boolean;
}
