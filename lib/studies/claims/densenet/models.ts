import type { AnytimeModel } from "../../evidence/anytime-models.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { lastTimestep } from "../../evidence/tables.js";

export const DENSENET_TD = "DenseNet-CascadedTD";

/** Share of the timesteps after t = 0 that counts as early. */
const EARLY_SHARE = 1 / 3;

/** Models of one architecture as arms. */
export interface Compared {
  readonly arms: PairedArms<AnytimeModel>;
  /** The timesteps that count as early; at t = 0 nothing has been seen. */
  readonly early: readonly number[];
  readonly last: number;
}

export function compared(arms: PairedArms<AnytimeModel>): Compared {
  const last = lastTimestep(arms);
  return { arms, last, early: Array.from({ length: Math.ceil(EARLY_SHARE * last) }, (_, i) => i + 1) };
}
