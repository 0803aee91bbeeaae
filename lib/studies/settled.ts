import type { SpecChange } from "../experiments/specs/spec-change.js";

/** Between the reduced protocol and the paper's own size: three times as long, and seeds enough for leads of two points. */
export const SETTLED_CHANGE: SpecChange = { train: { epochs: 15 } };
/** For studies of many arms. */
export const SETTLED_NARROW_CHANGE: SpecChange = { network: { width: 0.125 }, train: { epochs: 15 } };
export const SETTLED_SEEDS: readonly number[] = [0, 1, 2, 3, 4];
