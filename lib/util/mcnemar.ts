import { binomialCdf } from "./statistics.js";

/**
 * McNemar's exact test of two classifiers on the same images (two-sided p-value): of the images that one of them alone
 * has right, each is the first's or the second's with equal probability if both are equally good,
 *
 *     p = min(1, 2 P(X <= min(b, c))),   X ~ Binomial(b + c, 1/2)
 *
 * with b images that the first alone has right and c that the second alone has right (McNemar 1947); 1 where b = c = 0.
 */
export function mcnemarExact(firstAlone: number, secondAlone: number): number {
  return Math.min(1, 2 * binomialCdf(Math.min(firstAlone, secondAlone), firstAlone + secondAlone, 0.5));
}
