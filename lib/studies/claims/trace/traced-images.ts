import type { ImageSet } from "../../../datasets/dataset.js";
import { valuesPerImage } from "../../../util/image-size.js";
import { pngDataUri } from "../../../datasets/encode.js";
import { divergedSummary } from "../../../experiments/runs/divergence.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { testImages } from "../../../experiments/runs/image-splits.js";
import type { TracedImages } from "../../../experiments/runs/traced-images.js";
import type { SingleTrace, TraceKind } from "../../../figures/single-traces.js";
import type { TracedImage } from "../../../figures/traced-image.js";
import { correctness, probabilities } from "../../../trace/probabilities.js";
import { subtrace } from "../../../trace/subtrace.js";
import { timesReaching } from "../../../trace/stopping-time.js";
import type { Trace } from "../../../trace/trace.js";
import { UserError } from "../../../util/errors.js";
import { randomStream } from "../../../util/random.js";
import type { StudyContext } from "../../study-context.js";
import { ruleCurve, RULES, ruleSignal } from "./stopping.js";
import {
  type TraceModel,
  allClassesSpec,
  type ScoredTrace,
  scoredTrace,
  type TraceSettings,
} from "./runs.js";

/** The test images and their trace, of the first seed that did not diverge, with what the GRUs say as signals to stop by. */
export async function tracedImages(
  settings: TraceSettings,
  context: StudyContext,
  { model = "CascadedTD" }: { readonly model?: TraceModel } = {},
): Promise<TracedImages> {
  const { scored, images } = await drawnImages(model, settings, context);
  const { trace, right, gain } = scored;
  return {
    trace,
    images,
    signals: [
      { name: "probability of being right (GRU)", values: right },
      { name: "1 - gain of waiting (GRU)", values: gain.map((value) => 1 - value) },
    ],
  };
}

/** Pixels of a figure's image for each of the original, so that it stays sharp in print. */
const ENLARGED = 6;

/** Images of each kind in the figure. */
const PER_KIND = 2;

/**
 * Traces for a figure, chosen by rule: of the test images in an order drawn by the first seed, the first two of
 * each kind. All rules are set to the same mean stopping time, a quarter of the way, as near as their levels come.
 * The confidence rule decides the kind: stopped before that mean and right, at twice the mean or later and right,
 * or wrong. Kinds of which there are fewer stay short.
 */
export async function singleTraces(
  settings: TraceSettings,
  context: StudyContext,
): Promise<{ readonly classNames: readonly string[]; readonly traces: readonly SingleTrace[] }> {
  const { scored, images, order } = await drawnImages("CascadedTD", settings, context);
  const { trace } = scored;
  const pace = (trace.timesteps - 1) / 4;
  const stops = RULES.map((rule) => ({ rule, times: timesAtPace(rule, scored, pace) }));
  const correct = correctness(trace);
  const kindOf = (n: number): TraceKind | undefined => {
    const t = stops[0]?.times[n] as number;
    if (correct[t * trace.examples + n] === 0) return "wrong";
    if (t < pace) return "early and right";
    return t >= 2 * pace ? "late and right" : undefined;
  };
  const chosen = (["early and right", "late and right", "wrong"] as const).flatMap((kind) =>
    [...order.filter((n) => kindOf(n) === kind).subarray(0, PER_KIND)].map((n) => ({ kind, n })),
  );
  const traces = await Promise.all(
    chosen.map(async ({ kind, n }) => ({
      ...(await tracedImage(trace, images, n)),
      kind,
      stops: stops.map(({ rule, times }) => ({ rule, timestep: times[n] as number })),
    })),
  );
  return { classNames: images.classNames, traces };
}

/** Stopping times [N] of a rule at the level whose mean stopping time is nearest to `pace`. */
function timesAtPace(rule: (typeof RULES)[number], scored: ScoredTrace, pace: number): Int32Array {
  const distance = (point: { readonly meanStoppingTime: number }): number =>
    Math.abs(point.meanStoppingTime - pace);
  const nearest = ruleCurve(rule, scored).reduce((best, point) =>
    distance(point) < distance(best) ? point : best,
  );
  return timesReaching(ruleSignal(rule, scored), scored.trace.examples, nearest.threshold);
}

async function drawnImages(model: TraceModel, settings: TraceSettings, context: StudyContext) {
  const specOf = (seed: number): RunSpec => allClassesSpec(model, seed, settings, context.data);
  const seed = settings.seeds.find((one) => divergedSummary(context.run(specOf(one))) === null);
  if (seed === undefined)
    throw new UserError(`every training of ${model} diverged: there is no trace to show`);
  const scored = await scoredTrace(model, seed, settings, context);
  const spec = specOf(seed);
  const images = testImages(spec, await context.datasetOf(spec));
  return { scored, images, order: randomStream(seed, "trace/examples").permutation(images.labels.length) };
}

async function tracedImage(trace: Trace, images: ImageSet, n: number): Promise<TracedImage> {
  const { timesteps, classes } = trace;
  const values = valuesPerImage(images.size);
  const pixels = images.images.subarray(n * values, (n + 1) * values);
  const flat = probabilities(subtrace(trace, [n]));
  return {
    id: trace.ids[n] as number,
    label: trace.labels[n] as number,
    image: await pngDataUri(pixels, images.size, ENLARGED),
    probs: Array.from({ length: timesteps }, (_, t) => [...flat.subarray(t * classes, (t + 1) * classes)]),
  };
}
