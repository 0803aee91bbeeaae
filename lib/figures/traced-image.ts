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
  /** What stopping rules watch, from 0 to 1, high where the image shall stop. */
  readonly signals: readonly { readonly name: string; readonly values: readonly number[] }[];
}

/** Some test images of one model, for a page that shows one at a time. */
export interface TracedImages {
  readonly model: string;
  readonly classNames: readonly string[];
  readonly examples: readonly TracedImage[];
}
