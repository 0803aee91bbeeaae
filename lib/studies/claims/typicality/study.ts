import { numberRows, type NumberSeries } from "../../evidence/numbers.js";
import { hasCScores, type ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { decided } from "../../evidence/finding.js";
import { type ArmResult, PairedArms } from "../../evidence/paired-arms.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_DATA, QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE, SETTLED_SEEDS } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../../study.js";
import { StudyContext } from "../../study-context.js";
import { curveFigures, pictureFigure } from "./figures.js";
import { findingsOf } from "./findings.js";
import { type Images, type RunTypicality, runTypicality, type TypicalityArms } from "./runs.js";
import { tablesOf } from "./tables.js";
import { heldOutImages, RELATIONS, type ThresholdResult } from "./typicality-of-trace.js";
import { type SpecChange } from "../../../experiments/specs/spec-change.js";
import { CASCADED_TD } from "../../evidence/model-names.js";
import { REDUCED_CHANGE, REDUCED_SEEDS } from "../../reduced.js";

export interface TypicalitySettings extends StudySettings {
  /** Resamples of each bootstrap interval. */
  readonly resamples: number;
  /** The images whose typicality is known by construction, and the changes to the preset trained on them. */
  readonly constructed: { readonly data: ResolvedDatasetSource; readonly change: SpecChange };
}

const CONSTRUCTED_DATA: ResolvedDatasetSource = {
  kind: "procedural",
  classes: 10,
  size: 32,
  train: 10000,
  test: 2000,
  seed: 0,
};

/**
 * What is trained and measured at each protocol: seeds, resamples of the bootstrap, and the images of constructed
 * typicality.
 */
export const TYPICALITY_SETTINGS: Readonly<Record<ProtocolName, TypicalitySettings>> = {
  quick: {
    seeds: [0],
    change: QUICK_CHANGE,
    resamples: 50,
    constructed: { data: QUICK_DATA, change: QUICK_CHANGE },
  },
  reduced: {
    seeds: REDUCED_SEEDS,
    change: REDUCED_CHANGE,
    resamples: 500,
    constructed: { data: CONSTRUCTED_DATA, change: { train: { epochs: 3 } } },
  },
  settled: {
    seeds: SETTLED_SEEDS,
    change: SETTLED_CHANGE,
    resamples: 1000,
    constructed: { data: CONSTRUCTED_DATA, change: { train: { epochs: 5 } } },
  },
  full: {
    seeds: FULL_SEEDS,
    change: FULL_CHANGE,
    resamples: 1000,
    constructed: { data: CONSTRUCTED_DATA, change: { network: { width: 1 }, train: { epochs: 20 } } },
  },
};

const PRESETS: readonly PresetName[] = ["cascaded-td", "serial-td-multihead", "cascaded-ce"];

/** Typical images are classified sooner: latency against C-score, on images that no weight was trained on. */
export const typicalityStudy: Study<TypicalitySettings> = {
  name: "typicality",
  title: "Typical images are classified sooner",
  claim:
    "The cascade gives typical images a confident answer after fewer timesteps than atypical ones: selection latency " +
    "falls, and correctness rises, with the C-score.",
  trainings: (settings, data) => partsOf(settings, data).flatMap(({ specs }) => specs),
  analyse: analyseTypicality,
};

/** Trainings on one data set, whose validation images are looked at. */
interface Part {
  readonly images: Images;
  readonly data: ResolvedDatasetSource;
  readonly specs: readonly RunSpec[];
}

function partsOf(settings: TypicalitySettings, data: ResolvedDatasetSource): Part[] {
  const { seeds, constructed } = settings;
  const own: Part = { images: "data set", data, specs: presetTrainings(PRESETS, settings, data) };
  const made: Part = {
    images: "constructed",
    data: constructed.data,
    specs: presetTrainings(["cascaded-td"], { seeds, change: constructed.change }, constructed.data),
  };
  return hasCScores(data) ? [own, made] : [made];
}

function typicalitySeries({ thresholds }: RunTypicality): NumberSeries[] {
  const at = thresholds.map(({ threshold }) => threshold);
  const series = (quantity: string, of: (one: ThresholdResult) => number): NumberSeries => ({
    quantity,
    at,
    values: thresholds.map(of),
  });
  return [
    series("mean latency", ({ meanLatency }) => meanLatency),
    series("stopped early", ({ stoppedEarly }) => stoppedEarly),
    series("accuracy", ({ accuracy }) => accuracy),
    ...RELATIONS.map((relation) => series(`rho of ${relation}`, (one) => one.correlations[relation].rho)),
  ];
}

async function analyseTypicality(settings: TypicalitySettings, context: StudyContext): Promise<StudyResult> {
  const kinds: TypicalityArms[] = [];
  const pictures: StudyResult["figures"][number][] = [];
  for (const part of partsOf(settings, context.data)) {
    const own =
      part.data === context.data ? context : new StudyContext(part.data, context.root, context.onProgress);
    const results: ArmResult<RunTypicality>[] = [];
    for (const spec of part.specs) {
      const held = await heldOutImages(spec, own);
      const runs = await runTypicality(spec, held, settings.resamples, own);
      results.push(...runs.map((measured) => ({ arm: measured.model, seed: measured.seed, measured })));
      const shown = runs.find(({ model, seed }) => model === CASCADED_TD && seed === settings.seeds[0]);
      if (shown !== undefined) pictures.push(await pictureFigure(part.images, shown, held));
    }
    kinds.push({ images: part.images, arms: PairedArms.grouped(results) });
  }
  return {
    findings: decided(kinds.flatMap(findingsOf)),
    tables: tablesOf(kinds),
    figures: [...kinds.flatMap(curveFigures), ...pictures],
    numbers: kinds.flatMap(({ images, arms }) => numberRows(arms, typicalitySeries, images)),
  };
}
