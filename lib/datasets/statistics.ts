/** Mean and standard deviation of each channel, in units of pixel value / 255. */
export interface ChannelStatistics {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * mean_c = E[x_c], std_c = sqrt(E[x_c^2] - mean_c^2), over all pixels of all images; exact, by counting values.
 *
 * `images` `[N, H, W, 3]`, 0 to 255.
 */
export function channelStatistics(images: Uint8Array): ChannelStatistics {
  const counts = [new Float64Array(256), new Float64Array(256), new Float64Array(256)] as const;
  const [red, green, blue] = counts;
  for (let i = 0; i < images.length; i += 3) {
    (red[images[i] as number] as number)++;
    (green[images[i + 1] as number] as number)++;
    (blue[images[i + 2] as number] as number)++;
  }
  const moments = counts.map((histogram) => momentsOf(histogram, images.length / 3));
  const [r, g, b] = moments as [Moments, Moments, Moments];
  return { mean: [r.mean, g.mean, b.mean], std: [r.std, g.std, b.std] };
}

interface Moments {
  readonly mean: number;
  readonly std: number;
}

function momentsOf(histogram: Float64Array, pixels: number): Moments {
  const mean = histogram.reduce((sum, count, value) => sum + count * value, 0) / pixels;
  const variance = histogram.reduce((sum, count, value) => sum + count * (value - mean) ** 2, 0) / pixels;
  return { mean: mean / 255, std: Math.sqrt(variance) / 255 };
}
