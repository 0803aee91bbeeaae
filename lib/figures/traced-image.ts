/** One image with what a network believed of it over time. */
export interface TracedImage {
  /** Its place in the original data set. */
  readonly id: number;
  /** Index of its class. */
  readonly label: number;
  /** PNG as a data URI. */
  readonly image: string;
  /** [T][K] probabilities. */
  readonly probs: readonly (readonly number[])[];
}
