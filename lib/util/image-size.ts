/** Height and width in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Number of values in one image: `H * W * 3`. */
export function valuesPerImage(size: ImageSize): number {
  return size.height * size.width * 3;
}
