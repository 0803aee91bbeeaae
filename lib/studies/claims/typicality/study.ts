import { from } from "arquero";
import { valuesPerImage } from "../../../util/image-size.js";
import { pngDataUri } from "../../../datasets/encode.js";
import { hasCScores, type ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { readRun } from "../../../experiments/runs/run-record.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { openTrainedModel } from "../../../experiments/runs/trained-model.js";
import { runSummary } from "../../../experiments/runs/run-summary.js";
import { type CaptionedImage, imageGrid } from "../../../figures/image-grid.js";
import { typicalityFigure } from "../../../figures/typicality.js";
import { sha256 } from "../../../util/files.js";
import { type Interval, mean } from "../../../util/statistics.js";
import { FULL_OVERRIDES } from "../../full.js";
import { meanAndError } from "../../evidence/mean-and-error.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_DATA, QUICK_OVERRIDES } from "../../quick.js";
import {
  type Finding,
  type ProtocolName,
  type Study,
  StudyContext,
  type StudyResult,
  type StudySettings,
} from "../../study.js";
import {
  BINS,
  type Correlation,
  type Extreme,
  type HeldOut,
  heldOutImages,
  MAIN_THRESHOLD,
  type Relation,
  RELATIONS,
  SHOWN,
  type ThresholdResult,
  THRESHOLDS,
  type TraceTypicality,
  traceTypicality,
} from "./typicality-of-trace.js";

export interface TypicalitySettings extends StudySettings {
  /** Resamples of each bootstrap interval. */
  readonly resamples: number;
  /** The images whose typicality is known by construction, and the changes to the preset trained on them. */
  readonly constructed: { readonly data: ResolvedDatasetSource; readonly overrides: readonly string[] };
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
    overrides: QUICK_OVERRIDES,
    resamples: 50,
    constructed: { data: QUICK_DATA, overrides: QUICK_OVERRIDES },
  },
  reduced: {
    seeds: [0, 1, 2],
    overrides: ["train.epochs=5"],
    resamples: 500,
    constructed: { data: CONSTRUCTED_DATA, overrides: ["train.epochs=3"] },
  },
  full: {
    seeds: [0, 1, 2, 3, 4],
    overrides: FULL_OVERRIDES,
    resamples: 1000,
    constructed: { data: CONSTRUCTED_DATA, overrides: ["network.width=1", "train.epochs=20"] },
  },
};

const PRESETS: readonly PresetName[] = ["cascaded-td", "serial-td-multihead", "cascaded-ce"];
const MODELS = ["CascadedTD", "SerialTD-MultiHead", "CascadedCE"] as const;
/** The one that the claim is about. */
const MAIN_MODEL = "CascadedTD";

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
  /** What the images are called in tables. */
  readonly images: "data set" | "constructed";
  readonly data: ResolvedDatasetSource;
  readonly specs: readonly RunSpec[];
}

function partsOf(settings: TypicalitySettings, data: ResolvedDatasetSource): Part[] {
  const { seeds, constructed } = settings;
  const own: Part = { images: "data set", data, specs: presetTrainings(PRESETS, settings, data) };
  const made: Part = {
    images: "constructed",
    data: constructed.data,
    specs: presetTrainings(["cascaded-td"], { seeds, overrides: constructed.overrides }, constructed.data),
  };
  return hasCScores(data) ? [own, made] : [made];
}

/** One model of one seed on its held-out images. */
interface RunTypicality extends TraceTypicality {
  readonly images: Part["images"];
  readonly model: string;
  readonly seed: number;
  readonly run: string;
  readonly classNames: readonly string[];
}

async function analyseTypicality(settings: TypicalitySettings, context: StudyContext): Promise<StudyResult> {
  const parts = partsOf(settings, context.data);
  const results: RunTypicality[] = [];
  const pictures: StudyResult["figures"][number][] = [];
  for (const part of parts) {
    const own =
      part.data === context.data ? context : new StudyContext(part.data, context.root, context.onProgress);
    for (const spec of part.specs) {
      const held = await heldOutImages(spec, own);
      const runs = await runTypicality(part, spec, held, settings, own);
      results.push(...runs);
      const shown = runs.find(({ model, seed }) => model === MAIN_MODEL && seed === settings.seeds[0]);
      if (shown !== undefined) pictures.push(await pictureFigure(shown, held));
    }
  }
  const study = new TypicalityResults(results, settings.seeds);
  return {
    findings: parts.flatMap(({ images }) => findingsOf(study, images)),
    tables: tablesOf(study),
    figures: [...parts.flatMap(({ images }) => curveFigures(study, images)), ...pictures],
  };
}

async function runTypicality(
  { images }: Part,
  spec: RunSpec,
  { set, cScores }: HeldOut,
  { resamples }: TypicalitySettings,
  context: StudyContext,
): Promise<RunTypicality[]> {
  const directory = context.run(spec);
  const run = readRun(directory).hash;
  const { models, classNames } = runSummary(directory);
  const wanted = models.filter(({ model }) => MODELS.some((name) => name === model));
  const { hash: data } = await context.dataset();
  // The scores are no part of the images' hash, and their file may change.
  const scores = sha256(new Uint8Array(cScores.buffer, cScores.byteOffset, cScores.byteLength));
  const results: RunTypicality[] = [];
  for (const { model } of wanted) {
    const asked = { thresholds: THRESHOLDS, relations: RELATIONS, bins: BINS, shown: SHOWN, resamples };
    const key = { analysis: "typicality", model, data, scores, ...asked };
    const result = await context.keptOf(spec, key, async () => {
      context.onProgress(`typicality: ${model}, seed ${spec.seed}, ${set.labels.length} held-out images`);
      const trained = await openTrainedModel(directory, { model });
      const trace = trained.trace(set);
      trained.dispose();
      return traceTypicality(trace, cScores, spec.seed, resamples);
    });
    results.push({ images, model, seed: spec.seed, run, classNames, ...result });
  }
  return results;
}

/** All runs, by images, model and seed. */
class TypicalityResults {
  constructor(
    readonly all: readonly RunTypicality[],
    readonly seeds: readonly number[],
  ) {}

  /** The runs of one model on one kind of images, by seed. */
  of(images: Part["images"], model: string): RunTypicality[] {
    return this.all.filter((one) => one.images === images && one.model === model);
  }

  correlations(images: Part["images"], model: string, threshold: number, relation: Relation): Correlation[] {
    return this.of(images, model).map((one) => resultAt(one, threshold).correlations[relation]);
  }

  /** Each kind of images with each model that was run on it. */
  groups(): { readonly images: Part["images"]; readonly model: string }[] {
    const kinds = [...new Set(this.all.map(({ images }) => images))];
    return kinds.flatMap((images) =>
      MODELS.filter((model) => this.of(images, model).length > 0).map((model) => ({ images, model })),
    );
  }
}

function resultAt({ thresholds }: RunTypicality, threshold: number): ThresholdResult {
  const found = thresholds.find((one) => one.threshold === threshold);
  if (found === undefined) throw new RangeError(`no result at threshold ${threshold}`);
  return found;
}

/** "-0.512 [-0.530, -0.494]"; "none" where latency or correctness is the same for all images. */
function intervalText({ rho, low, high }: Correlation): string {
  return Number.isNaN(rho) ? "none" : `${rho.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

const RULE = "rule: 95 % interval over images on that side of 0 in every seed";

function findingsOf(study: TypicalityResults, images: Part["images"]): Finding[] {
  const where = images === "constructed" ? "images of constructed typicality" : "held-out images";
  const signed = (
    statement: string,
    threshold: number,
    relation: Relation,
    side: (interval: Interval) => boolean,
  ): Finding => {
    const bySeed = study.correlations(images, MAIN_MODEL, threshold, relation);
    return {
      statement: `${MAIN_MODEL}, ${where}: ${statement} (confidence ${threshold}; ${RULE})`,
      measured: `rho ${bySeed.map(intervalText).join(", ")}; seeds ${study.seeds.join(", ")}`,
      comesOut: bySeed.every(side),
    };
  };
  const below = ({ high }: Interval): boolean => high < 0;
  const above = ({ low }: Interval): boolean => low > 0;
  const others = images === "constructed" ? [] : THRESHOLDS.filter((one) => one !== MAIN_THRESHOLD);
  return [
    signed("latency falls with typicality", MAIN_THRESHOLD, "latency", below),
    ...others.map((threshold) => signed("latency falls with typicality", threshold, "latency", below)),
    signed(
      "it does so among rightly answered images alone",
      MAIN_THRESHOLD,
      "latency of right answers",
      below,
    ),
    signed(
      "it does so among the least typical fifth alone",
      MAIN_THRESHOLD,
      "latency of the least typical fifth",
      below,
    ),
    withinClasses(study, images, where),
    signed("correctness rises with typicality", MAIN_THRESHOLD, "correctness", above),
  ];
}

/** Holds if the mean over seeds of rho within a class is below 0 in every class. */
function withinClasses(study: TypicalityResults, images: Part["images"], where: string): Finding {
  const rhos = classRhos(study, images).map(({ bySeed }) => mean(bySeed));
  const fallen = rhos.filter((rho) => rho < 0).length;
  return {
    statement: `${MAIN_MODEL}, ${where}: latency falls with typicality within every class (confidence ${MAIN_THRESHOLD}; rule: mean rho over seeds below 0)`,
    measured: `below 0 in ${fallen} of ${rhos.length} classes, from ${Math.min(...rhos).toFixed(3)} to ${Math.max(...rhos).toFixed(3)}`,
    comesOut: fallen === rhos.length,
  };
}

/** rho of C-score and latency within each class, by seed. */
function classRhos(
  study: TypicalityResults,
  images: Part["images"],
): { readonly label: number; readonly bySeed: number[] }[] {
  const runs = study.of(images, MAIN_MODEL);
  const labels = [...new Set(runs.flatMap(({ classes }) => classes.map((row) => row["label"] ?? NaN)))];
  return labels.map((label) => ({ label, bySeed: classValues(runs, label, "rho") }));
}

function classValues(runs: readonly RunTypicality[], label: number, column: string): number[] {
  return runs.flatMap(({ classes }) =>
    classes.filter((row) => row["label"] === label).map((row) => row[column] ?? NaN),
  );
}

function tablesOf(study: TypicalityResults): StudyResult["tables"] {
  const n = study.seeds.length;
  return [
    {
      name: "correlation",
      title: `Spearman's rho of the C-score with latency or correctness at confidence ${MAIN_THRESHOLD}: mean ± standard error over n seeds, and of each seed with its 95 % bootstrap interval over images`,
      rows: study.groups().flatMap(({ images, model }) =>
        RELATIONS.map((relation) => {
          const bySeed = study.correlations(images, model, MAIN_THRESHOLD, relation);
          return {
            images,
            model,
            "C-score with": relation,
            rho: meanAndError(
              bySeed.map(({ rho }) => rho),
              3,
            ),
            n,
            ...Object.fromEntries(
              bySeed.map((correlation, i) => [`seed ${study.seeds[i] ?? ""}`, intervalText(correlation)]),
            ),
          };
        }),
      ),
    },
    {
      name: "thresholds",
      title: "Latency by threshold of confidence, mean ± standard error over n seeds",
      rows: study.groups().flatMap(({ images, model }) =>
        THRESHOLDS.map((threshold) => {
          const over = (value: (result: ThresholdResult) => number, digits = 1): string =>
            meanAndError(
              study.of(images, model).map((one) => value(resultAt(one, threshold))),
              digits,
            );
          return {
            images,
            model,
            threshold,
            "mean latency": over(({ meanLatency }) => meanLatency, 2),
            "stopped before the last step, %": over(({ stoppedEarly }) => 100 * stoppedEarly),
            "accuracy, %": over(({ accuracy }) => 100 * accuracy),
            "rho of latency": over(({ correlations }) => correlations.latency.rho, 3),
            "rho of latency, right answers": over(
              ({ correlations }) => correlations["latency of right answers"].rho,
              3,
            ),
            n,
          };
        }),
      ),
    },
    {
      name: "classes",
      title: `${MAIN_MODEL} by class at confidence ${MAIN_THRESHOLD}, mean ± standard error over n seeds`,
      rows: study
        .groups()
        .filter(({ model }) => model === MAIN_MODEL)
        .flatMap(({ images }) => {
          const runs = study.of(images, MAIN_MODEL);
          return classRhos(study, images).map(({ label, bySeed }) => ({
            images,
            class: runs[0]?.classNames[label] ?? label,
            "C-score": meanAndError(classValues(runs, label, "cScore"), 2),
            latency: meanAndError(classValues(runs, label, "selectionLatency"), 2),
            "accuracy, %": meanAndError(classValues(runs, label, "accuracy").map((share) => 100 * share)),
            rho: meanAndError(bySeed, 3),
            n,
          }));
        }),
    },
    {
      name: "runs",
      title: "Every model, seed and threshold",
      rows: study.all.flatMap(({ images, model, seed, run, examples, thresholds }) =>
        thresholds.map(({ threshold, meanLatency, stoppedEarly, accuracy, correlations }) => ({
          images,
          model,
          seed,
          run,
          examples,
          threshold,
          meanLatency,
          stoppedEarly,
          accuracy,
          rho: correlations.latency.rho,
          rhoLow: correlations.latency.low,
          rhoHigh: correlations.latency.high,
          rhoOfRightAnswers: correlations["latency of right answers"].rho,
          rhoOfLeastTypical: correlations["latency of the least typical fifth"].rho,
          rhoOfCorrectness: correlations.correctness.rho,
        })),
      ),
    },
  ];
}

function curveFigures(study: TypicalityResults, images: Part["images"]): StudyResult["figures"] {
  const rows = study.all
    .filter((one) => one.images === images)
    .flatMap(({ model, bins }) => bins.map((bin) => ({ model, ...bin })));
  const prefix = images === "constructed" ? "constructed-" : "";
  const which = images === "constructed" ? "images of constructed typicality" : "held-out images";
  const caption = (quantity: string): string =>
    `${quantity} against C-score on ${which} at confidence ${MAIN_THRESHOLD}: means of bins of ${1 / BINS}, bars of one standard error over seeds (of a single seed, over images).`;
  return [
    {
      name: `${prefix}latency`,
      caption: caption("Selection latency"),
      figure: typicalityFigure(from(rows)),
    },
    {
      name: `${prefix}correctness`,
      caption: caption("Accuracy at selection"),
      figure: typicalityFigure(from(rows), "accuracy"),
    },
  ];
}

/** The most and the least typical held-out images of each class, with the latency and answer that they got. */
async function pictureFigure(
  { images, seed, extremes }: RunTypicality,
  { set }: HeldOut,
): Promise<StudyResult["figures"][number]> {
  const pictureOf = async ({ place, cScore, latency, right }: Extreme): Promise<CaptionedImage> => {
    const values = valuesPerImage(set.size);
    const pixels = set.images.subarray(place * values, (place + 1) * values);
    return {
      source: await pngDataUri(pixels, set.size),
      caption: `t = ${latency}, ${right ? "right" : "wrong"}<br>C-score ${cScore.toFixed(2)}`,
    };
  };
  const labels = [...new Set(extremes.map(({ label }) => label))];
  const group = async (end: Extreme["end"]) => {
    const byClass = labels.map((label) => extremes.filter((one) => one.label === label && one.end === end));
    const rows = Array.from({ length: SHOWN }, (_, r) => byClass.flatMap((own) => own.slice(r, r + 1)));
    return { title: end, rows: await Promise.all(rows.map((row) => Promise.all(row.map(pictureOf)))) };
  };
  const columns = labels.map((label) => (set.classNames[label] ?? "").replaceAll("-", "<br>"));
  return {
    name: images === "constructed" ? "constructed-images" : "images",
    caption: `The most and the least typical held-out images of each class, with the timestep at which ${MAIN_MODEL} (seed ${seed}, confidence ${MAIN_THRESHOLD}) answers, and whether rightly.`,
    figure: imageGrid([await group("most typical"), await group("least typical")], { columns }),
  };
}
