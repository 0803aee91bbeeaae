import type { StudyContext } from "../../study-context.js";
import { type CorrectnessRow, correctnessRows } from "./correctness.js";
import { type NoveltyRow, noveltyRows } from "./novelty.js";
import { namesOf, NOVELTY_MODELS, scoredTrace, TRACE_MODELS, type TraceSettings } from "./runs.js";
import { type AreaRow, type StoppingRow, stoppingRows } from "./stopping.js";

/** All that the study measures, of every model and seed. */
export interface TraceRows {
  readonly correctness: readonly CorrectnessRow[];
  /** Areas under the stopping rules' curves. */
  readonly areas: readonly AreaRow[];
  /** Points of these curves. */
  readonly stopping: readonly StoppingRow[];
  readonly novelty: readonly NoveltyRow[];
}

/** Measures every model and seed; what takes long is cached. */
export async function traceRows(settings: TraceSettings, context: StudyContext): Promise<TraceRows> {
  const correctness: CorrectnessRow[] = [];
  const areas: AreaRow[] = [];
  const stopping: StoppingRow[] = [];
  const novelty: NoveltyRow[] = [];
  for (const seed of settings.seeds) {
    for (const model of namesOf(TRACE_MODELS)) {
      const scored = await scoredTrace(model, seed, settings, context);
      const rows = stoppingRows(scored);
      correctness.push(...correctnessRows(scored));
      areas.push(...rows.areas);
      stopping.push(...rows.points);
    }
    for (const model of namesOf(NOVELTY_MODELS))
      novelty.push(...(await noveltyRows(model, seed, settings, context)));
  }
  return { correctness, areas, stopping, novelty };
}
