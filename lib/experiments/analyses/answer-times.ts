import { quantile } from "../../util/statistics.js";
import { randomStream } from "../../util/random.js";
import type { TrainedModel } from "../runs/trained-model.js";

/** Calls before the first that counts: they load what every later call finds loaded. */
const WARM_UP = 3;

/**
 * Milliseconds on this machine from the pixels of one image to the answer of each timestep, [models][T]: the median
 * over repetitions of `stream`. The models take turns, so that what slows the machine for a while slows all alike.
 * Pixels are random: how long an answer takes depends on the network's shape alone.
 */
export function answerTimes(models: readonly TrainedModel[], repetitions: number): number[][] {
  const pixels = randomStream(0, "answer-times/pixels");
  const times = models.map(({ network }) => Array.from({ length: network.timesteps }, (): number[] => []));
  for (let repetition = -WARM_UP; repetition < repetitions; repetition++) {
    models.forEach((model, m) => {
      const image = Uint8Array.from({ length: model.imageSize ** 2 * 3 }, () => pixels.integer(256));
      const begun = performance.now();
      for (const { timestep } of model.stream(image)) {
        const elapsed = performance.now() - begun;
        if (repetition >= 0) times[m]?.[timestep]?.push(elapsed);
      }
    });
  }
  return times.map((model) => model.map((elapsed) => quantile(elapsed, 0.5)));
}
