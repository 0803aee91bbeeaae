import { from } from "arquero";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { accuracyAgainstLambdaFigure } from "../../../figures/accuracy-against-lambda.js";
import { overTimeByLambdaFigure } from "../../../figures/over-time-by-lambda.js";
import { areaUnderSpeedAccuracy, commonRange, type SpeedRange } from "../../../trace/area.js";
import { mean } from "../../../util/statistics.js";
import { type AnytimeMeasures, anytimeMeasures } from "../../evidence/anytime-measures.js";
import { accuracyAt } from "../../evidence/changed-arms.js";
import { FULL_OVERRIDES } from "../../full.js";
import { analyseLongerTraining, type LongerTraining, longerTrainings } from "./longer-training.js";
import { differenceAndError, meanAndError } from "../../evidence/mean-and-error.js";
import { keepsUp, leads, PairedArms } from "../../evidence/paired-arms.js";
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

export interface LambdaSettings extends StudySettings {
  /** 0 and 1 among them: the findings compare them. */
  readonly lambdas: readonly number[];
  /** Besides the sweep; null where that is large itself. */
  readonly longer: LongerTraining | null;
}

const LAMBDAS = [0, 0.25, 0.5, 0.75, 0.9, 1];

/**
 * What is trained and measured at each protocol: seeds, the lambdas of the sweep, and the longer training in which
 * its ends are compared.
 */
export const LAMBDA_SETTINGS: Readonly<Record<ProtocolName, LambdaSettings>> = {
  quick: {
    seeds: [0],
    overrides: QUICK_OVERRIDES,
    lambdas: [0, 1],
    longer: { seeds: [0], overrides: [...QUICK_OVERRIDES, "train.epochs=2"] },
  },
  reduced: {
    seeds: [0, 1, 2],
    overrides: ["network.width=0.125", "trainImages=10000", "train.epochs=3"],
    lambdas: LAMBDAS,
    // As the six models are trained, so that half of these trainings are theirs.
    longer: { seeds: [0, 1, 2], overrides: ["train.epochs=5"] },
  },
  full: { seeds: [0, 1, 2, 3, 4], overrides: FULL_OVERRIDES, lambdas: LAMBDAS, longer: null },
};

/** The models swept, with the lambda of each in the paper's main figure and the opposite end. */
const MODELS: readonly {
  readonly model: string;
  readonly preset: PresetName;
  readonly paper: number;
  readonly opposite: number;
}[] = [
  { model: "CascadedTD", preset: "cascaded-td", paper: 0, opposite: 1 },
  { model: "CascadedTD-MultiHead", preset: "cascaded-td-multihead", paper: 0, opposite: 1 },
  { model: "SerialTD", preset: "serial-td", paper: 1, opposite: 0 },
  { model: "SerialTD-MultiHead", preset: "serial-td-multihead", paper: 1, opposite: 0 },
];

const EARLY = 3;
const RULE = "rule: mean paired difference over the seeds above its standard error";

/** TD(lambda) between the next step's belief and the label, for both schemes with one head and with many. */
export const lambdaStudy: Study<LambdaSettings> = {
  name: "lambda",
  title: "What lambda does to speed and accuracy",
  claim:
    "A temporal-difference loss gives a better speed-accuracy profile than cross-entropy at every step; the paper's " +
    "main figure has lambda = 0 (the next step's belief) for the cascaded models and lambda = 1 (the label) for the " +
    "serial ones.",
  trainings: (settings, data) => [
    ...sweepTrainings(settings, data),
    ...(settings.longer === null ? [] : longerTrainings(settings.longer, data)),
  ],
  analyse: analyseLambda,
};

function sweepTrainings(settings: LambdaSettings, data: ResolvedDatasetSource): RunSpec[] {
  const presets = MODELS.map(({ preset }) => preset);
  return settings.seeds.flatMap((seed) =>
    settings.lambdas.flatMap((lambda) => {
      const overrides = [...settings.overrides, `loss.lambda=${lambda}`];
      return presetTrainings(presets, { seeds: [seed], overrides }, data);
    }),
  );
}

interface Cell extends AnytimeMeasures {
  readonly lambda: number;
  readonly seed: number;
}

type Quantity = (cell: Cell) => number;

/** All models with every lambda, and the range of mean stopping times over which they are compared. */
interface Sweep {
  readonly settings: LambdaSettings;
  readonly cells: readonly Cell[];
  readonly paired: PairedArms<Cell>;
  readonly range: SpeedRange;
}

async function analyseLambda(settings: LambdaSettings, context: StudyContext): Promise<StudyResult> {
  const cells: Cell[] = [];
  for (const spec of sweepTrainings(settings, context.data)) {
    const measures = await anytimeMeasures(spec, context);
    cells.push({ ...measures, lambda: spec.loss.lambda, seed: spec.seed });
  }
  const paired = new PairedArms(
    cells.map((cell) => ({ arm: armOf(cell.model, cell.lambda), seed: cell.seed, measured: cell })),
  );
  const sweep = { settings, cells, paired, range: commonRange(cells.map(({ curve }) => curve)) };
  const longer = settings.longer === null ? undefined : await analyseLongerTraining(settings.longer, context);
  return {
    findings: [...findingsOf(sweep), ...(longer?.findings ?? [])],
    tables: [...tablesOf(sweep), ...(longer?.tables ?? [])],
    figures: figuresOf(sweep),
  };
}

const armOf = (model: string, lambda: number): string => `${model}, λ = ${lambda}`;

const lastOf = (values: readonly number[]): number => values.at(-1) ?? NaN;
const last: Quantity = accuracyAt(-1);
const early: Quantity = accuracyAt(EARLY);
const area: Quantity = (cell) => 100 * cell.area;
const speedAccuracyArea =
  ({ range }: Sweep): Quantity =>
  ({ curve }) =>
    100 * areaUnderSpeedAccuracy(curve, range);

/** The quantities that lambda is judged by, in per cent. */
const judged = (sweep: Sweep): readonly { readonly name: string; readonly quantity: Quantity }[] => [
  { name: "last step", quantity: last },
  { name: `t = ${EARLY}`, quantity: early },
  { name: "area over time", quantity: area },
  { name: "area under speed-accuracy", quantity: speedAccuracyArea(sweep) },
];

function findingsOf(sweep: Sweep): Finding[] {
  return [
    ...MODELS.flatMap((entry) => [
      leadFinding(sweep, entry, "has more area under accuracy over time than", area),
      leadFinding(sweep, entry, `is more accurate at t = ${EARLY} than`, early),
      keepsUpAtLast(sweep, entry),
      unbeaten(sweep, entry),
    ]),
    schemesDiffer(sweep, "CascadedTD", "SerialTD"),
    schemesDiffer(sweep, "CascadedTD-MultiHead", "SerialTD-MultiHead"),
  ];
}

type Entry = (typeof MODELS)[number];

function leadFinding(
  { paired }: Sweep,
  { model, paper, opposite }: Entry,
  statement: string,
  quantity: Quantity,
): Finding {
  const lead = paired.lead(armOf(model, paper), armOf(model, opposite), quantity);
  return {
    statement: `${model}: the paper's λ = ${paper} ${statement} λ = ${opposite} (${RULE})`,
    measured: `${differenceAndError(lead)} points; n = ${lead.length}`,
    comesOut: leads(lead),
  };
}

function keepsUpAtLast({ paired }: Sweep, { model, paper, opposite }: Entry): Finding {
  const lead = paired.lead(armOf(model, paper), armOf(model, opposite), last);
  return {
    statement: `${model}: the paper's λ = ${paper} is not behind λ = ${opposite} at the last step (rule: not by more than the standard error of the paired difference)`,
    measured: `${differenceAndError(lead)} points; n = ${lead.length}`,
    comesOut: keepsUp(lead),
  };
}

/** Holds if no other lambda has more area than the paper's by more than the paired standard error. */
function unbeaten({ paired, settings }: Sweep, { model, paper }: Entry): Finding {
  const others = settings.lambdas
    .filter((lambda) => lambda !== paper)
    .map((lambda) => ({ lambda, lead: paired.lead(armOf(model, lambda), armOf(model, paper), area) }));
  const best = others.reduce((most, one) => (mean(one.lead) > mean(most.lead) ? one : most));
  const ahead = others.filter(({ lead }) => leads(lead)).map(({ lambda }) => lambda);
  const beaten = ahead.length === 0 ? "none is ahead by more than its error" : `ahead: ${ahead.join(", ")}`;
  return {
    statement: `${model}: no λ has more area than the paper's λ = ${paper} (${RULE})`,
    measured: `the best other, λ = ${best.lambda}: ${differenceAndError(best.lead)} points; ${beaten}; n = ${best.lead.length}`,
    comesOut: best.lead.length > 1 && ahead.length === 0,
  };
}

/** Holds if λ = 0 against λ = 1 gains the parallel scheme more area than the serial one. */
function schemesDiffer({ paired }: Sweep, cascaded: string, serial: string): Finding {
  const gain = (model: string): number[] => paired.lead(armOf(model, 0), armOf(model, 1), area);
  const serialGain = gain(serial);
  const difference = gain(cascaded).map((value, i) => value - (serialGain[i] as number));
  return {
    statement: `λ = 0 in place of λ = 1 does more for the area of ${cascaded} than for that of ${serial} (${RULE})`,
    measured: `${differenceAndError(gain(cascaded))} against ${differenceAndError(serialGain)} points, difference ${differenceAndError(difference)}; n = ${difference.length}`,
    comesOut: leads(difference),
  };
}

function tablesOf(sweep: Sweep): StudyResult["tables"] {
  const { settings, paired, cells, range } = sweep;
  const byModelAndLambda = (columns: (arm: string) => TableRow): TableRow[] =>
    MODELS.flatMap(({ model }) =>
      settings.lambdas.map((lambda) => ({
        model,
        lambda,
        ...columns(armOf(model, lambda)),
        n: paired.seeds.length,
      })),
    );
  const cell = (arm: string, quantity: Quantity, digits = 1): string =>
    meanAndError(paired.bySeed(arm, quantity), digits);
  return [
    {
      name: "accuracy",
      title: `Accuracy in %, mean ± standard error over n seeds; area over time by trapezoids, area under the speed-accuracy curve from ${range.from.toFixed(2)} to ${range.to.toFixed(2)} timesteps`,
      rows: byModelAndLambda((arm) =>
        Object.fromEntries(judged(sweep).map(({ name, quantity }) => [name, cell(arm, quantity)])),
      ),
    },
    {
      name: "best-lambda",
      title:
        "The lambda with the highest mean, and the lambda with the highest value in each seed: where seeds disagree, the winner is not decided",
      rows: MODELS.flatMap(({ model, paper }) =>
        judged(sweep).map(({ name, quantity }) => bestRow(sweep, model, paper, name, quantity)),
      ),
    },
    {
      name: "against-cross-entropy",
      title:
        "Paired difference to lambda = 1 (cross-entropy at every step) in points, mean ± standard error over n seeds",
      rows: MODELS.flatMap(({ model }) =>
        judged(sweep).map(({ name, quantity }) => ({
          model,
          quantity: name,
          ...Object.fromEntries(
            settings.lambdas
              .filter((lambda) => lambda !== 1)
              .map((lambda) => [
                `λ = ${lambda}`,
                differenceAndError(paired.lead(armOf(model, lambda), armOf(model, 1), quantity)),
              ]),
          ),
          n: paired.seeds.length,
        })),
      ),
    },
    {
      name: "beliefs",
      title:
        "How good the beliefs are: cross-entropy of the label in nats, mean confidence and expected calibration error in %, early and late; destructive: right at some earlier step and wrong at the last, in %",
      rows: byModelAndLambda((arm) => ({
        "cross-entropy, t = 1": cell(arm, ({ crossEntropy }) => crossEntropy[1] ?? NaN, 2),
        [`t = ${EARLY}`]: cell(arm, ({ crossEntropy }) => crossEntropy[EARLY] ?? NaN, 2),
        last: cell(arm, ({ crossEntropy }) => lastOf(crossEntropy), 2),
        "confidence, t = 1": cell(arm, ({ confidence }) => 100 * (confidence[1] ?? NaN)),
        "confidence, last": cell(arm, ({ confidence }) => 100 * lastOf(confidence)),
        "calibration error, t = 1": cell(arm, ({ calibrationError }) => 100 * (calibrationError[1] ?? NaN)),
        "calibration error, last": cell(arm, ({ calibrationError }) => 100 * lastOf(calibrationError)),
        destructive: cell(arm, ({ destructive }) => 100 * destructive),
      })),
    },
    { name: "runs", title: "Every run: accuracy at each timestep", rows: cells.map(runRow) },
  ];
}

function bestRow(
  { paired, settings }: Sweep,
  model: string,
  paper: number,
  name: string,
  quantity: Quantity,
): TableRow {
  const values = settings.lambdas.map((lambda) => ({
    lambda,
    bySeed: paired.bySeed(armOf(model, lambda), quantity),
  }));
  const highest = (of: (bySeed: readonly number[]) => number): number =>
    values.reduce((most, one) => (of(one.bySeed) > of(most.bySeed) ? one : most)).lambda;
  return {
    model,
    quantity: name,
    "highest mean": highest(mean),
    "highest by seed": paired.seeds.map((_, i) => highest((bySeed) => bySeed[i] as number)).join(", "),
    "paper's figure": paper,
  };
}

function runRow({ model, lambda, seed, run, accuracy, area: ownArea }: Cell): TableRow {
  return {
    model,
    lambda,
    seed,
    run,
    area: ownArea,
    ...Object.fromEntries(accuracy.map((share, t) => [`t = ${t}`, share])),
  };
}

function figuresOf({ cells }: Sweep): StudyResult["figures"] {
  const against = cells.map(({ model, lambda, accuracy, area: ownArea }) => ({
    model,
    lambda,
    last: lastOf(accuracy),
    early: accuracy[EARLY] ?? NaN,
    area: ownArea,
  }));
  const overTime = (model: string, values: (cell: Cell) => readonly number[]) =>
    from(
      cells
        .filter((cell) => cell.model === model)
        .flatMap((cell) => values(cell).map((share, timestep) => ({ lambda: cell.lambda, timestep, share }))),
    );
  return [
    {
      name: "accuracy-against-lambda",
      caption:
        "Accuracy against lambda, mean and standard error over seeds: at the last step, at t = 3 and on the mean over time.",
      figure: accuracyAgainstLambdaFigure(from(against)),
    },
    ...MODELS.map(({ model }) => ({
      name: `accuracy-over-time-${model}`,
      caption: `Accuracy of ${model} at each timestep by lambda, mean and standard error over seeds.`,
      figure: overTimeByLambdaFigure(
        overTime(model, ({ accuracy }) => accuracy),
        { title: "Accuracy" },
      ),
    })),
    ...["CascadedTD", "SerialTD"].map((model) => ({
      name: `calibration-over-time-${model}`,
      caption: `Expected calibration error of ${model} at each timestep by lambda, mean and standard error over seeds.`,
      figure: overTimeByLambdaFigure(
        overTime(model, ({ calibrationError }) => calibrationError),
        { title: "Expected calibration error" },
      ),
    })),
  ];
}
