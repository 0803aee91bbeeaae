import { z } from "zod";
import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import {
  correctnessGru,
  validationTrace,
  lastAnswerGru,
  traceProbabilities,
} from "../../../experiments/analyses/metacognition.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { specHash } from "../../../experiments/specs/spec-hash.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { testTrace } from "../../../experiments/runs/run-trace.js";
import { GRU_WEIGHT_NAMES } from "../../../models/trace-gru.js";
import type { Trace } from "../../../trace/trace.js";
import type { GruTrainingSettings, TrainedGru } from "../../../train/trace-gru-training.js";
import type { Analysis } from "../../evidence/cached-analysis.js";
import { presetTraining } from "../../preset-trainings.js";
import type { StudySettings } from "../../study.js";
import type { StudyContext } from "../../study-context.js";
import { combined, type SpecChange } from "../../../experiments/specs/spec-change.js";

/** Settings of the trace study. */
export interface TraceSettings extends StudySettings {
  readonly gru: Omit<GruTrainingSettings, "seed">;
  /** Places of the classes that the networks of the novelty part never see. */
  readonly heldOutClasses: readonly number[];
  /** Changes to the specs of the networks of the novelty part, after those of all networks. */
  readonly noveltyChange: SpecChange;
  /** Out-of-distribution images to learn from, and procedural ones to test on; fewer where there are fewer. */
  readonly outOfDistributionImages: number;
}

/** The models whose traces are looked at, and the trainings that they are views of. */
export const TRACE_MODELS = {
  CascadedTD: "cascaded-td",
  "SerialTD-MultiHead": "serial-td-multihead",
  CascadedCE: "cascaded-ce",
} as const satisfies Readonly<Record<string, PresetName>>;

export type TraceModel = keyof typeof TRACE_MODELS;

/** The models that are shown out-of-distribution images. */
export const NOVELTY_MODELS = {
  CascadedTD: "cascaded-td",
  "SerialTD-MultiHead": "serial-td-multihead",
} as const satisfies Readonly<Record<string, PresetName>>;

export type NoveltyModel = keyof typeof NOVELTY_MODELS;

/** Keys in their order, with their type. */
export function namesOf<Name extends string>(record: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(record) as Name[];
}

/** A network that knows all classes: one of the runs behind the speed-accuracy figure. */
export function allClassesSpec(
  model: TraceModel,
  seed: number,
  { change }: TraceSettings,
  data: ResolvedDatasetSource,
): RunSpec {
  return presetTraining(TRACE_MODELS[model], seed, change, data);
}

/** A network that was never shown some of the classes. */
export function noveltySpec(
  model: NoveltyModel,
  seed: number,
  { change, noveltyChange, heldOutClasses }: TraceSettings,
  data: ResolvedDatasetSource,
): RunSpec {
  return presetTraining(
    NOVELTY_MODELS[model],
    seed,
    combined(
      change,
      noveltyChange,
      { heldOutClasses: [...heldOutClasses] },
      // A limit that shortens the training on large data is more than small made-up data have.
      data.kind === "procedural" ? { trainImages: null } : {},
    ),
    data,
  );
}

/** The trace of the test images, with what two GRUs say of it. */
export interface ScoredTrace {
  readonly model: TraceModel;
  readonly seed: number;
  /** Hash of the network's run. */
  readonly run: string;
  readonly trace: Trace;
  /** [T, N] probability that the answer at t is right, as a GRU gives it. */
  readonly right: Float64Array;
  /** [T, N] how much more probable it is that the last answer will be right: what waiting would gain. */
  readonly gain: Float64Array;
}

const numbers = z.array(z.number());
const gruSchema = z.object({
  gru: z.object({
    inputs: z.number(),
    hidden: z.number(),
    shift: numbers,
    scale: numbers,
    weights: z.record(z.enum(GRU_WEIGHT_NAMES), numbers),
  }),
  epoch: z.number(),
  selectionLoss: numbers,
});

/** One that says whether the answer is right now, and one whether the last will be. */
const GRUS_OF_CORRECTNESS: Analysis<{ readonly now: TrainedGru; readonly atEnd: TrainedGru }> = {
  name: "GRUs of correctness",
  module: import.meta.url,
  schema: z.object({ now: gruSchema, atEnd: gruSchema }),
};

/** A finished run's test trace, and what GRUs say of it, which are trained once on images that the run held out, and cached. */
export async function scoredTrace(
  model: TraceModel,
  seed: number,
  settings: TraceSettings,
  context: StudyContext,
): Promise<ScoredTrace> {
  const spec = allClassesSpec(model, seed, settings, context.data);
  const directory = context.run(spec);
  const run = specHash(spec);
  const gruSettings = { ...settings.gru, seed };
  const { now, atEnd } = await context.cachedOf(
    spec,
    GRUS_OF_CORRECTNESS,
    { model, gru: gruSettings },
    async () => {
      context.onProgress(`${model}, seed ${seed}: a GRU learns to judge its answers`);
      const heldOut = await validationTrace(directory, spec, await context.dataset(), model);
      return { now: correctnessGru(heldOut, gruSettings), atEnd: lastAnswerGru(heldOut, gruSettings) };
    },
  );
  const trace = await testTrace(directory, model);
  const right = traceProbabilities(now.gru, trace);
  const rightAtEnd = traceProbabilities(atEnd.gru, trace);
  return {
    model,
    seed,
    run,
    trace,
    right,
    gain: rightAtEnd.map((later, row) => later - (right[row] as number)),
  };
}
