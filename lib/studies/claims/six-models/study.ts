import type { ColumnTable } from "arquero";
import { currentEnvironment } from "../../../experiments/runs/environment.js";
import { widthOf } from "../../../experiments/specs/network-spec.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { accuracyOverTimeFigure } from "../../../figures/accuracy-over-time.js";
import { calibrationOverTimeFigure } from "../../../figures/calibration-over-time.js";
import { speedAccuracyPanels } from "../../../figures/speed-accuracy-panels.js";
import { accuracyTable } from "../../../trace/accuracy-per-timestep.js";
import { areaUnderSpeedAccuracy, commonRange, type SpeedAxis, type SpeedRange } from "../../../trace/area.js";
import { calibrationTable } from "../../../trace/calibration.js";
import { speedAccuracyTable } from "../../../trace/speed-accuracy-curve.js";
import type { Trace } from "../../../trace/trace.js";
import { UserError } from "../../../util/errors.js";
import { mean } from "../../../util/statistics.js";
import { FULL_OVERRIDES } from "../../full.js";
import { differenceAndError, meanAndError } from "../../evidence/mean-and-error.js";
import { type MeasuredModel, measuredMilliseconds, measuredModels } from "../../evidence/measured-model.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_OVERRIDES } from "../../quick.js";
import type {
  Finding,
  ProtocolName,
  Study,
  StudyContext,
  StudyResult,
  StudySettings,
  TableRow,
} from "../../study.js";

export interface SixModelsSettings extends StudySettings {
  /** How often the time to each answer is measured; the median counts. */
  readonly timings: number;
}

/**
 * What is trained and measured at each protocol: seeds, changes to the presets, and how often the time to an
 * answer is measured.
 */
export const SIX_MODELS_SETTINGS: Readonly<Record<ProtocolName, SixModelsSettings>> = {
  quick: { seeds: [0], overrides: QUICK_OVERRIDES, timings: 2 },
  reduced: { seeds: [0, 1, 2], overrides: ["train.epochs=5"], timings: 100 },
  full: { seeds: [0, 1, 2, 3, 4], overrides: FULL_OVERRIDES, timings: 100 },
};

/** Five trainings give the six models. */
const TRAININGS: readonly PresetName[] = [
  "cascaded-td",
  "cascaded-td-multihead",
  "cascaded-ce",
  "serial-td",
  "serial-td-multihead",
];

/** Accuracy in % on CIFAR-10 at t = 3 and at the last step, read off the published figure to about a point. */
const PAPER: ReadonlyMap<string, { readonly at3: number; readonly last: number }> = new Map([
  ["CascadedTD", { at3: 79, last: 91.5 }],
  ["CascadedTD-MultiHead", { at3: 68, last: 90 }],
  ["CascadedCE", { at3: 10, last: 92 }],
  ["SerialTD", { at3: 58, last: 87 }],
  ["SerialTD-MultiHead", { at3: 59, last: 90 }],
  ["SerialCE", { at3: 10, last: 92 }],
]);

const EARLY = [1, 2, 3, 4];
/** What "a few points" at the last step is taken to mean. */
const NEAR_POINTS = 5;
/** A curve is strictly better if it is ahead in each of so many equal parts of the range compared. */
const PARTS = 20;

const AXES: readonly { readonly axis: SpeedAxis; readonly unit: string; readonly scale: number }[] = [
  { axis: "meanStoppingTime", unit: "timesteps", scale: 1 },
  { axis: "meanMultiplyAdds", unit: "million multiply-adds", scale: 1e6 },
  { axis: "meanMilliseconds", unit: "ms", scale: 1 },
];

/** Six models, one network: accuracy against timesteps, multiply-adds and measured time. */
export const sixModelsStudy: Study<SixModelsSettings> = {
  name: "six-models",
  title: "Speed and accuracy of the six models",
  claim:
    "A ResNet whose blocks update in parallel gives anytime predictions, and trained with the temporal-difference " +
    "loss it is strictly more accurate at equal speed than trained with cross-entropy, and better than serial " +
    "anytime networks such as SDN (SerialTD-MultiHead); at the last step all are within a few points.",
  trainings: (settings, data) => presetTrainings(TRAININGS, settings, data),
  analyse: analyseSixModels,
};

async function analyseSixModels(settings: SixModelsSettings, context: StudyContext): Promise<StudyResult> {
  const specs = presetTrainings(TRAININGS, settings, context.data);
  // The time depends on the network's shape, not on its weights: those of one seed will do.
  const milliseconds = await measuredMilliseconds(
    specs.slice(0, TRAININGS.length),
    settings.timings,
    context,
  );
  const measured: MeasuredModel[] = [];
  for (const spec of specs) measured.push(...(await measuredModels(spec, milliseconds, context)));
  const study = new SixModels(measured);
  return { findings: findingsOf(study), tables: tablesOf(study), figures: figuresOf(study) };
}

/** A number of one model of one seed. */
type Quantity = (measured: MeasuredModel) => number;

/** The measured models, by name in the paper's order and by seed. */
class SixModels {
  readonly names: readonly string[];
  readonly seeds: readonly number[];
  /** Last timestep. */
  readonly last: number;
  readonly ranges: ReadonlyMap<SpeedAxis, SpeedRange>;

  constructor(readonly all: readonly MeasuredModel[]) {
    this.names = [...PAPER.keys()].filter((name) => all.some(({ model }) => model === name));
    this.seeds = [...new Set(all.map(({ seed }) => seed))];
    this.last = Math.min(...all.map(({ trace }) => trace.timesteps)) - 1;
    const curves = all.map(({ curve }) => curve);
    this.ranges = new Map(AXES.map(({ axis }) => [axis, commonRange(curves, axis)] as const));
  }

  range(axis: SpeedAxis): SpeedRange {
    const range = this.ranges.get(axis);
    if (range === undefined) throw new RangeError(`no common range of ${axis}`);
    return range;
  }

  /** A quantity of one model, [seeds]. */
  bySeed(model: string, quantity: Quantity): number[] {
    return this.seeds.map((seed) => quantity(this.#one(model, seed)));
  }

  /** By how much one model is above another, [seeds]. */
  lead(model: string, other: string, quantity: Quantity): number[] {
    return this.seeds.map((seed) => quantity(this.#one(model, seed)) - quantity(this.#one(other, seed)));
  }

  #one(model: string, seed: number): MeasuredModel {
    const found = this.all.find((one) => one.model === model && one.seed === seed);
    if (found === undefined) throw new UserError(`there is no ${model} of seed ${seed}`);
    return found;
  }
}

const TD = "CascadedTD";

const accuracyAt =
  (t: number): Quantity =>
  ({ accuracy }) =>
    100 * (accuracy[t] ?? NaN);

const areaOver =
  (study: SixModels, axis: SpeedAxis): Quantity =>
  ({ curve }) =>
    100 * areaUnderSpeedAccuracy(curve, study.range(axis), axis);

const areaOverTime: Quantity = ({ area }) => 100 * area;

function findingsOf(study: SixModels): Finding[] {
  return [
    ...EARLY.map((t) =>
      leadFinding(study, `CascadedTD is ahead of each other model at t = ${t}`, accuracyAt(t)),
    ),
    leadFinding(
      study,
      "CascadedTD has more area under its accuracy over time than each other model",
      areaOverTime,
    ),
    nearAtLast(study),
    leadFinding(
      study,
      "In the parallel scheme, TD has more area under the speed-accuracy curve than CE",
      areaOver(study, "meanStoppingTime"),
      ["CascadedCE"],
    ),
    strictlyBetter(study, "CascadedCE"),
    ...AXES.map(({ axis, unit }) =>
      leadFinding(
        study,
        `CascadedTD has more area under its speed-accuracy curve over ${unit} than each other model`,
        areaOver(study, axis),
      ),
    ),
  ];
}

/** Holds if CascadedTD is above each of the others in every seed. */
function leadFinding(
  study: SixModels,
  statement: string,
  quantity: Quantity,
  others = study.names.filter((name) => name !== TD),
): Finding {
  const leads = others.map((other) => ({ other, bySeed: study.lead(TD, other, quantity) }));
  const best = [...study.names].sort(
    (a, b) => mean(study.bySeed(b, quantity)) - mean(study.bySeed(a, quantity)),
  )[0];
  const texts = leads.map(({ other, bySeed }) => {
    const ahead = bySeed.filter((lead) => lead > 0).length;
    const split =
      ahead === bySeed.length || ahead === 0 ? "" : ` (ahead in ${ahead} of ${bySeed.length} seeds)`;
    return `${other} ${differenceAndError(bySeed)}${split}`;
  });
  return {
    statement: `${statement} (rule: in every seed)`,
    measured: `lead in points over ${texts.join(", ")}; n = ${study.seeds.length}${best === TD ? "" : `; highest: ${best ?? ""}`}`,
    comesOut: leads.every(({ bySeed }) => bySeed.every((lead) => lead > 0)),
  };
}

function nearAtLast(study: SixModels): Finding {
  const lasts = study.names.map((name) => study.bySeed(name, accuracyAt(study.last)));
  const spreads = study.seeds.map((_, i) => {
    const values = lasts.map((bySeed) => bySeed[i] ?? NaN);
    return Math.max(...values) - Math.min(...values);
  });
  return {
    statement: `All models are within ${NEAR_POINTS} points at the last step (rule: in every seed)`,
    measured: `from the worst to the best ${meanAndError(spreads)} points; n = ${study.seeds.length}`,
    comesOut: spreads.every((spread) => spread <= NEAR_POINTS),
  };
}

/** Holds if CascadedTD's curve is above the other's in each part of the range compared, in every seed. */
function strictlyBetter(study: SixModels, other: string): Finding {
  const { from, to } = study.range("meanStoppingTime");
  const ahead = study.seeds.map(
    (_, i) =>
      Array.from({ length: PARTS }, (_part, p) => {
        const part = {
          from: from + ((to - from) * p) / PARTS,
          to: from + ((to - from) * (p + 1)) / PARTS,
        };
        return study.lead(TD, other, ({ curve }) => areaUnderSpeedAccuracy(curve, part))[i] ?? NaN;
      }).filter((lead) => lead > 0).length,
  );
  return {
    statement:
      "In the parallel scheme, TD is strictly better than CE at every speed " +
      `(rule: in each of ${PARTS} equal parts of the compared range of mean stopping times, in every seed)`,
    measured: `ahead in ${ahead.join(", ")} of ${PARTS} parts; seeds ${study.seeds.join(", ")}`,
    comesOut: ahead.every((parts) => parts === PARTS),
  };
}

function tablesOf(study: SixModels): StudyResult["tables"] {
  const rowsByModel = (columns: (model: string) => TableRow): TableRow[] =>
    study.names.map((model) => ({ model, ...columns(model), n: study.seeds.length }));
  const compared = AXES.map(({ axis, unit, scale }) => {
    const { from, to } = study.range(axis);
    return `${(from / scale).toFixed(2)} to ${(to / scale).toFixed(2)} ${unit}`;
  });
  return [
    {
      name: "accuracy",
      title:
        "Accuracy in % at each timestep after the first, mean ± standard error over n seeds; area: mean over time, by trapezoids; paper: CIFAR-10, full width, 100 and more epochs",
      rows: rowsByModel((model) => ({
        ...Object.fromEntries(
          Array.from({ length: study.last }, (_, i) => i + 1).map((t) => [
            `t = ${t}`,
            meanAndError(study.bySeed(model, accuracyAt(t))),
          ]),
        ),
        area: meanAndError(study.bySeed(model, areaOverTime)),
        "paper, t = 3": PAPER.get(model)?.at3 ?? "",
        "paper, last": PAPER.get(model)?.last ?? "",
      })),
    },
    {
      name: "speed-accuracy-area",
      title: `Mean accuracy in % under the speed-accuracy curve, from where all models have answered to where the slowest ends (a curve that ends sooner is held): ${compared.join("; ")}`,
      rows: rowsByModel((model) =>
        Object.fromEntries(
          AXES.map(({ axis, unit }) => [
            `over ${unit}`,
            meanAndError(study.bySeed(model, areaOver(study, axis))),
          ]),
        ),
      ),
    },
    {
      name: "calibration-and-overthinking",
      title:
        "Expected calibration error (10 bins) and overthinking, in %: destructive, right earlier but wrong at the last step; wasteful, right earlier already; oracle, right at some step",
      rows: rowsByModel((model) => {
        const percent = (share: Quantity): string =>
          meanAndError(study.bySeed(model, (one) => 100 * share(one)));
        return {
          "calibration, t = 3": percent(({ calibrationError }) => calibrationError[3] ?? NaN),
          "calibration, last": percent(({ calibrationError }) => calibrationError[study.last] ?? NaN),
          "calibration, mean over t": percent(({ calibrationError }) => mean(calibrationError)),
          destructive: percent((one) => one.overthinking.destructive),
          wasteful: percent((one) => one.overthinking.wasteful),
          oracle: percent((one) => one.overthinking.oracleAccuracy),
        };
      }),
    },
    {
      name: "cost",
      title: `Cost an image up to the answer: million multiply-adds, and milliseconds on ${machine()} (one image at a time, from its pixels on; median)`,
      rows: study.names.map((model) => {
        const { cost } = study.all.find((one) => one.model === model)?.trace ?? {};
        const at = (t: number): TableRow => ({
          [`multiply-adds, t = ${t}`]: ((cost?.multiplyAdds[t] ?? NaN) / 1e6).toFixed(2),
          [`ms, t = ${t}`]: (cost?.milliseconds?.[t] ?? NaN).toFixed(2),
        });
        return { model, ...at(1), ...at(3), ...at(study.last) };
      }),
    },
    { name: "runs", title: "Every model of every seed", rows: study.all.map(runRow) },
    {
      name: "timesteps",
      title: "Every timestep of every model and seed",
      rows: study.all.flatMap(timestepRows),
    },
  ];
}

function machine(): string {
  const { cpu, cores } = currentEnvironment();
  return `${cores} cores of ${cpu}`;
}

function runRow({ spec, trace, ...one }: MeasuredModel): TableRow {
  return {
    model: one.model,
    seed: one.seed,
    run: one.run,
    epochs: spec.train.epochs,
    width: widthOf(spec.network),
    examples: trace.examples,
    accuracy: one.accuracy.at(-1) ?? NaN,
    area: one.area,
    calibrationError: one.calibrationError.at(-1) ?? NaN,
    ...one.overthinking,
    multiplyAdds: trace.cost?.multiplyAdds.at(-1) ?? NaN,
    trainingSeconds: one.trainingSeconds,
    imagesPerSecond: one.imagesPerSecond,
  };
}

function timestepRows({ model, seed, accuracy, calibrationError, trace }: MeasuredModel): TableRow[] {
  return accuracy.map((share, timestep) => ({
    model,
    seed,
    timestep,
    accuracy: share,
    calibrationError: calibrationError[timestep] ?? NaN,
    multiplyAdds: trace.cost?.multiplyAdds[timestep] ?? NaN,
    milliseconds: trace.cost?.milliseconds?.[timestep] ?? NaN,
  }));
}

function figuresOf({ all }: SixModels): StudyResult["figures"] {
  const tableOf = (analysis: (trace: Trace) => ColumnTable): ColumnTable =>
    all.map(({ trace }) => analysis(trace)).reduce((rows, more) => rows.concat(more));
  return [
    {
      name: "speed-accuracy",
      caption:
        "Speed and accuracy of the six models when each image stops once the network is confident enough, " +
        "mean and standard error over seeds, against (a) timesteps, (b) multiply-adds and (c) measured time; " +
        "thin dashes: accuracy at the last step.",
      figure: speedAccuracyPanels(
        tableOf(speedAccuracyTable),
        AXES.map(({ axis }) => axis),
      ),
    },
    {
      name: "accuracy-over-time",
      caption:
        "Accuracy when the answer is asked for at a given timestep, mean and standard error over seeds.",
      figure: accuracyOverTimeFigure(tableOf(accuracyTable)),
    },
    {
      name: "calibration-over-time",
      caption: "Expected calibration error at each timestep, mean and standard error over seeds.",
      figure: calibrationOverTimeFigure(tableOf(calibrationTable)),
    },
  ];
}
