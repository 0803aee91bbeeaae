import { join } from "node:path";
import type { ColumnTable } from "arquero";
import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { readRun } from "../../../experiments/runs/run-record.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { runSummary } from "../../../experiments/runs/run-summary.js";
import { accuracyOverTimeFigure } from "../../../figures/accuracy-over-time.js";
import { speedAccuracyFigure } from "../../../figures/speed-accuracy.js";
import { accuracyPerTimestep, accuracyTable } from "../../../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../../../trace/area.js";
import { speedAccuracyTable } from "../../../trace/speed-accuracy-curve.js";
import { readTrace } from "../../../trace/trace-file.js";
import type { Trace } from "../../../trace/trace.js";
import { mean, standardError } from "../../../util/statistics.js";
import { FULL_OVERRIDES, FULL_TRAINING_OVERRIDES } from "../../full.js";
import { differenceAndError, meanAndError } from "../../evidence/mean-and-error.js";
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

/** `overrides` change the DenseNet's presets. */
export interface DenseNetSettings extends StudySettings {
  /** Changes to the ResNet's presets, with which the exit weights are tried. */
  readonly resNetOverrides: readonly string[];
}

/**
 * What is trained and measured at each protocol: seeds, and changes to the presets of the DenseNet and of the
 * ResNet.
 */
export const DENSENET_SETTINGS: Readonly<Record<ProtocolName, DenseNetSettings>> = {
  quick: {
    seeds: [0],
    overrides: ["network.growth=2", "network.layers=[1,2,1]", "train.epochs=1", "train.batchSize=64"],
    resNetOverrides: QUICK_OVERRIDES,
  },
  reduced: {
    seeds: [0, 1, 2],
    overrides: ["network.growth=8", "network.layers=[2,3,3,2]", "trainImages=10000", "train.epochs=3"],
    resNetOverrides: ["trainImages=10000", "train.epochs=3"],
  },
  full: { seeds: [0, 1, 2, 3, 4], overrides: FULL_TRAINING_OVERRIDES, resNetOverrides: FULL_OVERRIDES },
};

/** Three trainings give four models. */
const DENSENETS: readonly PresetName[] = [
  "densenet-cascaded-td",
  "densenet-cascaded-ce",
  "densenet-serial-td-multihead",
];
const RESNETS: readonly PresetName[] = ["serial-td-multihead", "shallow-deep-network"];

const TD = "CascadedTD";
const OTHERS: readonly string[] = ["CascadedCE", "SerialCE", "SerialTD-MultiHead"];
const WITH_EXIT_WEIGHTS = "SDN exit weights";

/** Share of the timesteps after t = 0 that counts as early. */
const EARLY_SHARE = 1 / 3;
/** A lead in points that is no more than rounding. */
const ROUNDING = 1e-9;
/** What "about the same" at the last step is taken to mean. */
const NEAR_POINTS = 5;

/** The cascade with a DenseNet, and the exit weights of a Shallow-Deep Network. */
export const densenetStudy: Study<DenseNetSettings> = {
  name: "densenet",
  title: "A DenseNet cascade, and the exit weights of a Shallow-Deep Network",
  claim:
    "Parallel updates and the temporal-difference loss are not bound to residual networks: a DenseNet whose dense " +
    "layers are delayed is most accurate at early timesteps when trained with TD, and about as accurate as the " +
    "other models at the last step.",
  trainings: (settings, data) => [...denseNets(settings, data), ...resNets(settings, data)],
  analyse,
};

function denseNets(settings: DenseNetSettings, data: ResolvedDatasetSource): RunSpec[] {
  return presetTrainings(DENSENETS, settings, data);
}

function resNets({ seeds, resNetOverrides }: DenseNetSettings, data: ResolvedDatasetSource): RunSpec[] {
  return presetTrainings(RESNETS, { seeds, overrides: resNetOverrides }, data);
}

/** One model of one seed. */
interface Measured {
  readonly model: string;
  readonly seed: number;
  readonly run: string;
  readonly trace: Trace;
  /** [T] in %. */
  readonly accuracy: readonly number[];
  readonly trainingSeconds: number;
  readonly imagesPerSecond: number;
}

async function analyse(settings: DenseNetSettings, context: StudyContext): Promise<StudyResult> {
  const dense = new Comparison(await measure(denseNets(settings, context.data), context));
  const residual = new Comparison(await measure(resNets(settings, context.data), context));
  return {
    findings: [...denseFindings(dense), exitWeightFinding(residual)],
    tables: [
      { name: "densenet", title: titleOf("DenseNet", dense), rows: accuracyRows(dense) },
      {
        name: "exit-weights",
        title: titleOf("ResNet with and without the exit weights of a Shallow-Deep Network", residual),
        rows: accuracyRows(residual),
      },
      {
        name: "runs",
        title: "Every model of every seed",
        rows: [
          ...dense.all.map((one) => ({ network: "DenseNet", ...runRow(one) })),
          ...residual.all.map((one) => ({ network: "ResNet", ...runRow(one) })),
        ],
      },
    ],
    figures: figuresOf(dense, residual),
  };
}

async function measure(specs: readonly RunSpec[], context: StudyContext): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const spec of specs) {
    const directory = context.run(spec);
    const { models, trainingSeconds, imagesPerSecond } = runSummary(directory);
    for (const { model, trace: file } of models) {
      const stored = await readTrace(join(directory, file));
      const name = spec.loss.exitWeights === undefined ? model : WITH_EXIT_WEIGHTS;
      const trace = { ...stored, model: name };
      const accuracy = [...accuracyPerTimestep(trace)].map((share) => 100 * share);
      const run = readRun(directory).hash;
      measured.push({ model: name, seed: spec.seed, run, trace, accuracy, trainingSeconds, imagesPerSecond });
    }
  }
  return measured;
}

/** A number of one model of one seed. */
type Quantity = (one: Measured) => number;

/** Models that were trained with the same seeds, compared seed by seed. */
class Comparison {
  readonly models: readonly string[];
  readonly seeds: readonly number[];
  readonly last: number;
  /** The timesteps that count as early; at t = 0 nothing has been seen. */
  readonly early: readonly number[];

  constructor(readonly all: readonly Measured[]) {
    this.models = [...new Set(all.map(({ model }) => model))];
    this.seeds = [...new Set(all.map(({ seed }) => seed))];
    this.last = Math.min(...all.map(({ trace }) => trace.timesteps)) - 1;
    this.early = Array.from({ length: Math.ceil(EARLY_SHARE * this.last) }, (_, i) => i + 1);
  }

  /** [seeds] */
  bySeed(model: string, quantity: Quantity): number[] {
    return this.all.filter((one) => one.model === model).map(quantity);
  }

  /** By how much one model is above another, [seeds]. */
  lead(model: string, other: string, quantity: Quantity): number[] {
    const theirs = this.bySeed(other, quantity);
    return this.bySeed(model, quantity).map((value, i) => value - (theirs[i] ?? NaN));
  }
}

const accuracyAt =
  (t: number): Quantity =>
  ({ accuracy }) =>
    accuracy[t] ?? NaN;

const meanAccuracyOf =
  (timesteps: readonly number[]): Quantity =>
  ({ accuracy }) =>
    mean(timesteps.map((t) => accuracy[t] ?? NaN));

const multiplyAdds: Quantity = ({ trace }) => trace.cost?.multiplyAdds.at(-1) ?? NaN;

const areaOverTime: Quantity = ({ accuracy }) => areaUnderAccuracy(accuracy);

function denseFindings(study: Comparison): Finding[] {
  const { early, last } = study;
  const span = `t = 1 to ${early.length} of ${last}`;
  return [
    ...OTHERS.map((other) =>
      leadFinding(study, other, `is ahead of ${other} at early timesteps`, meanAccuracyOf(early), span),
    ),
    ...OTHERS.map((other) =>
      leadFinding(study, other, `has more area than ${other} under accuracy over time`, areaOverTime),
    ),
    nearAtLast(study),
  ];
}

function leadFinding(
  study: Comparison,
  other: string,
  what: string,
  quantity: Quantity,
  span?: string,
): Finding {
  const leads = study.lead(TD, other, quantity);
  const over = span === undefined ? "" : `mean accuracy over ${span}, `;
  return {
    statement: `DenseNet: ${TD} ${what} (rule: ${over}in every seed)`,
    measured: `lead of ${inPoints(leads)}`,
    comesOut: leads.every((lead) => lead > ROUNDING),
  };
}

function nearAtLast(study: Comparison): Finding {
  const own = study.bySeed(TD, accuracyAt(study.last));
  const behind = own.map(
    (accuracy, i) =>
      Math.max(...OTHERS.map((other) => study.bySeed(other, accuracyAt(study.last))[i] ?? NaN)) - accuracy,
  );
  return {
    statement: `DenseNet: at the last step ${TD} is at most ${NEAR_POINTS} points behind the best other model (rule: in every seed)`,
    measured: `${TD} reaches ${meanAndError(own)} %; behind the best by ${inPoints(behind)}`,
    comesOut: behind.every((points) => points <= NEAR_POINTS + ROUNDING),
  };
}

/** What the weights are for: the last exit is not to suffer from the others. */
function exitWeightFinding(study: Comparison): Finding {
  const gains = study.lead(WITH_EXIT_WEIGHTS, "SerialTD-MultiHead", accuracyAt(study.last));
  const early = study.lead(WITH_EXIT_WEIGHTS, "SerialTD-MultiHead", meanAccuracyOf(study.early));
  return {
    statement:
      "ResNet: the exit weights of a Shallow-Deep Network make the last step of SerialTD-MultiHead more accurate " +
      "(rule: mean gain over seeds above its standard error)",
    measured: `gain of ${inPoints(gains)}; over t = 1 to ${study.early.length}: ${inPoints(early)}`,
    comesOut: mean(gains) > standardError(gains),
  };
}

/** Mean with standard error, then each seed's value. */
function inPoints(values: readonly number[]): string {
  const bySeed = values.map((value) => differenceAndError([value])).join(", ");
  return `${differenceAndError(values)} points (by seed ${bySeed}; n = ${values.length})`;
}

function titleOf(network: string, { early, last }: Comparison): string {
  return (
    `${network}: accuracy in %, mean ± standard error over n seeds; early: mean over t = 1 to ${early.length}; ` +
    `last: t = ${last}; area: mean over time, by trapezoids`
  );
}

function accuracyRows(study: Comparison): TableRow[] {
  const { early, last } = study;
  return study.models.map((model) => {
    const text = (quantity: Quantity): string => meanAndError(study.bySeed(model, quantity));
    return {
      model,
      ...Object.fromEntries(early.map((t) => [`t = ${t}`, text(accuracyAt(t))])),
      early: text(meanAccuracyOf(early)),
      last: text(accuracyAt(last)),
      area: text(areaOverTime),
      "million multiply-adds": (mean(study.bySeed(model, multiplyAdds)) / 1e6).toFixed(2),
      n: study.seeds.length,
    };
  });
}

function runRow({ trace, accuracy, ...one }: Measured): TableRow {
  return {
    model: one.model,
    seed: one.seed,
    run: one.run,
    examples: trace.examples,
    timesteps: trace.timesteps,
    last: accuracy.at(-1) ?? NaN,
    area: areaUnderAccuracy(accuracy),
    trainingSeconds: one.trainingSeconds,
    imagesPerSecond: one.imagesPerSecond,
  };
}

function figuresOf(dense: Comparison, residual: Comparison): StudyResult["figures"] {
  const shown = "mean and standard error over seeds";
  return [
    {
      name: "densenet-accuracy-over-time",
      caption: `DenseNet: accuracy when the answer is asked for at a given timestep, ${shown}.`,
      figure: accuracyOverTimeFigure(tableOf(dense, accuracyTable)),
    },
    {
      name: "densenet-speed-accuracy",
      caption: `DenseNet: accuracy against mean stopping time when each image stops once the network is confident enough, ${shown}; thin dashes: accuracy at the last step.`,
      figure: speedAccuracyFigure(tableOf(dense, speedAccuracyTable)),
    },
    {
      name: "densenet-cost-accuracy",
      caption: `DenseNet: the same against multiply-adds, in which a cascaded timestep costs more than a serial one, ${shown}.`,
      figure: speedAccuracyFigure(tableOf(dense, speedAccuracyTable), "meanMultiplyAdds"),
    },
    {
      name: "exit-weights-accuracy-over-time",
      caption: `ResNet: SerialTD-MultiHead with and without the exit weights of a Shallow-Deep Network, ${shown}.`,
      figure: accuracyOverTimeFigure(tableOf(residual, accuracyTable)),
    },
  ];
}

function tableOf({ all }: Comparison, analysis: (trace: Trace) => ColumnTable): ColumnTable {
  return all.map(({ trace }) => analysis(trace)).reduce((rows, more) => rows.concat(more));
}
