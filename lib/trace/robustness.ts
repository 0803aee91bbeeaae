/**
 * Share of the accuracy above chance that a disturbance takes away:
 *
 *     relativeDrop = (clean - noisy) / (clean - chance)
 *
 * 0 where nothing is lost, 1 where nothing is left. Chance is subtracted because a model at chance has nothing to lose
 * and would pass for robust. All are shares from 0 to 1; NaN where the clean accuracy is not above chance.
 */
export function relativeDrop(clean: number, noisy: number, chance: number): number {
  return clean > chance ? (clean - noisy) / (clean - chance) : NaN;
}
