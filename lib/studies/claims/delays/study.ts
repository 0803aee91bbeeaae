import { from } from "arquero";
import { limit } from "../../../datasets/split.js";
import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import { type RunSpec } from "../../../experiments/specs/spec.js";
import { openTrainedModel } from "../../../experiments/runs/trained-model.js";
import { runSummary } from "../../../experiments/runs/run-summary.js";
import { testImages } from "../../../experiments/runs/image-splits.js";
import { accuracyByDelayFigure } from "../../../figures/accuracy-by-delay.js";
import { accuracyInTheLongRunFigure } from "../../../figures/accuracy-in-the-long-run.js";
import { networkCost } from "../../../models/cost.js";
import { accuracyPerTimestep } from "../../../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../../../trace/area.js";
import { type AnytimeMeasures, anytimeMeasures } from "../../evidence/anytime-measures.js";
import { accuracyAt } from "../../evidence/changed-arms.js";
import { FULL_OVERRIDES } from "../../full.js";
import { differenceAndError, meanAndError } from "../../evidence/mean-and-error.js";
import { type ArmResult, keepsUp, leads, PairedArms } from "../../evidence/paired-arms.js";
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
import { trainedNetwork } from "../../../experiments/specs/model-views.js";

export interface DelaysSettings extends StudySettings {
  /** The a of smoothing, ascending from 0; the last one is also run for long. */
  readonly smoothings: readonly number[];
  /** Epsilon of the batch norm with which the longest smoothing is trained once more. */
  readonly smallEpsilon: number;
  readonly long: {
    readonly timesteps: number;
    /** Test images that trained networks are run over for long. */
    readonly images: number;
    /** Changes to the preset for the networks that are trained for long, and for the usual time beside them. */
    readonly overrides: readonly string[];
  };
}

/**
 * Smoothing makes every timestep distinct, so that a network that is trained for 70 steps costs about 70 passes an
 * image: in the reduced protocol it is a sixteenth as wide as the paper's, and sees few images.
 */
export const DELAYS_SETTINGS: Readonly<Record<ProtocolName, DelaysSettings>> = {
  quick: {
    seeds: [0],
    overrides: QUICK_OVERRIDES,
    smoothings: [0, 0.9],
    smallEpsilon: 1e-5,
    long: {
      timesteps: 20,
      images: 100,
      overrides: [...QUICK_OVERRIDES, "trainImages=100"],
    },
  },
  reduced: {
    seeds: [0, 1, 2],
    overrides: ["network.width=0.125", "trainImages=10000", "train.epochs=3"],
    smoothings: [0, 0.5, 0.9],
    smallEpsilon: 1e-5,
    long: {
      timesteps: 70,
      images: 1000,
      overrides: [
        "network.width=0.0625",
        "trainImages=2000",
        "testImages=1000",
        "train.epochs=3",
        "train.batchSize=32",
      ],
    },
  },
  full: {
    seeds: [0, 1, 2, 3, 4],
    overrides: FULL_OVERRIDES,
    smoothings: [0, 0.3, 0.6, 0.9],
    smallEpsilon: 1e-5,
    long: { timesteps: 70, images: 10000, overrides: FULL_OVERRIDES },
  },
};

/** Points of accuracy that still count as "the same". */
const SAME_POINTS = 1;
const RULE = "rule: mean paired difference over the seeds above its standard error";

type TrainedDelay = RunSpec["network"]["delay"];

const ONE_STEP: TrainedDelay = { kind: "oneStepDelay" };
const smoothing = (alpha: number): TrainedDelay => ({ kind: "exponentialSmoothing", alpha });

function delayName(delay: TrainedDelay): string {
  return delay.kind === "oneStepDelay" ? "one-step delay" : `a = ${delay.alpha}`;
}

/** One-step delay against smoothing, trained with the delay or given it afterwards, for 9 steps and for many. */
export const delaysStudy: Study<DelaysSettings> = {
  name: "delays",
  title: "One-step delay and exponential smoothing",
  claim:
    "A ResNet whose residual blocks have a propagation delay gives anytime predictions: with the one-step delay its " +
    "functional depth grows with time. Exponential smoothing z[t] = a z[t-1] + (1-a) u[t] is the other delay of the " +
    "paper, with a = 0 the ordinary network, and is run with a = 0.9 for 70 steps.",
  trainings: (settings, data) =>
    settings.seeds.flatMap((seed) => {
      const { byDelay, ...others } = trainingsOfSeed(settings, seed, data);
      return [...byDelay, others.smallEpsilon, others.ordinary, others.smallShort, others.smallLong];
    }),
  analyse: analyseDelays,
};

interface SeedTrainings {
  /** One-step delay first, then smoothing with each a. */
  readonly byDelay: readonly RunSpec[];
  /** The longest smoothing with the small epsilon. */
  readonly smallEpsilon: RunSpec;
  readonly ordinary: RunSpec;
  /** Small networks with the longest smoothing. */
  readonly smallShort: RunSpec;
  readonly smallLong: RunSpec;
}

function trainingsOfSeed(
  { overrides, smoothings, smallEpsilon, long }: DelaysSettings,
  seed: number,
  data: ResolvedDatasetSource,
): SeedTrainings {
  const training = (preset: "cascaded-td" | "cascaded-ce", changes: readonly string[]): RunSpec =>
    presetTrainings([preset], { seeds: [seed], overrides: changes }, data)[0] as RunSpec;
  const delayed = (delay: TrainedDelay): string => `network.delay=${JSON.stringify(delay)}`;
  const longest = delayed(smoothing(longestOf(smoothings)));
  return {
    byDelay: [ONE_STEP, ...smoothings.map(smoothing)].map((delay) =>
      training("cascaded-td", [...overrides, delayed(delay)]),
    ),
    smallEpsilon: training("cascaded-td", [...overrides, longest, `network.epsilon=${smallEpsilon}`]),
    ordinary: training("cascaded-ce", overrides),
    smallShort: training("cascaded-td", [...long.overrides, longest]),
    smallLong: training("cascaded-td", [...long.overrides, longest, `network.timesteps=${long.timesteps}`]),
  };
}

const longestOf = (smoothings: readonly number[]): number => smoothings.at(-1) ?? NaN;

/** Accuracy over time, [T]. */
interface OverTime {
  readonly accuracy: readonly number[];
}

/** What came out, each with the delays or trainings as arms. */
interface Delays {
  readonly settings: DelaysSettings;
  /** Arms: the delays that CascadedTD was trained with. */
  readonly trained: PairedArms<AnytimeMeasures>;
  /** Arms: the delays that the ordinary network's weights were run with. */
  readonly ordinary: PairedArms<OverTime>;
  /** Arms: the trainings that were run for long. */
  readonly long: PairedArms<OverTime>;
  readonly cost: readonly TableRow[];
}

const TRAINED_SHORT = "TD, T = 9";
const ORDINARY = "ordinary weights";
const ORDINARY_AT_ONCE = "ordinary network";
const SMALL_SHORT = "small TD, T = 9";
const SMALL_LONG = "small TD, all T";

async function analyseDelays(settings: DelaysSettings, context: StudyContext): Promise<StudyResult> {
  const trained: ArmResult<AnytimeMeasures>[] = [];
  const ordinary: ArmResult<OverTime>[] = [];
  const long: ArmResult<OverTime>[] = [];
  const delays = [ONE_STEP, ...settings.smoothings.map(smoothing)];
  const longest = smoothing(longestOf(settings.smoothings));
  const { timesteps, images } = settings.long;
  for (const seed of settings.seeds) {
    const runs = trainingsOfSeed(settings, seed, context.data);
    for (const spec of runs.byDelay) {
      const arm = delayName(spec.network.delay);
      trained.push({ arm, seed, measured: await anytimeMeasures(spec, context) });
    }
    const withSmallEpsilon = await anytimeMeasures(runs.smallEpsilon, context);
    trained.push({ arm: smallEpsilonArm(settings), seed, measured: withSmallEpsilon });
    for (const delay of delays) {
      const measured = await runOverTime(runs.ordinary, { delay }, context);
      ordinary.push({ arm: delayName(delay), seed, measured });
    }
    const short = runs.byDelay.at(-1) ?? runs.ordinary;
    for (const [arm, spec, delay] of [
      [TRAINED_SHORT, short, longest],
      [ORDINARY, runs.ordinary, longest],
      [ORDINARY_AT_ONCE, runs.ordinary, smoothing(0)],
      [SMALL_SHORT, runs.smallShort, longest],
      [SMALL_LONG, runs.smallLong, longest],
    ] as const) {
      const measured = await runOverTime(spec, { delay, timesteps, images }, context);
      long.push({ arm, seed, measured });
    }
  }
  const study: Delays = {
    settings,
    trained: new PairedArms(trained),
    ordinary: new PairedArms(ordinary),
    long: new PairedArms(long),
    cost: costRows(settings, context),
  };
  return { findings: findingsOf(study), tables: tablesOf(study), figures: figuresOf(study) };
}

const smallEpsilonArm = ({ smoothings, smallEpsilon }: DelaysSettings): string =>
  `${delayName(smoothing(longestOf(smoothings)))}, ε = ${smallEpsilon}`;

interface RunAs {
  readonly delay: TrainedDelay;
  /** Those of the training if left out. */
  readonly timesteps?: number;
  /** Test images, as many of each class as possible; all if left out. */
  readonly images?: number;
}

/** Accuracy of a finished run's weights with another delay or for other timesteps. */
async function runOverTime(spec: RunSpec, as: RunAs, context: StudyContext): Promise<OverTime> {
  const directory = context.run(spec);
  const key = { analysis: "accuracy over time", ...as };
  return context.keptOf(spec, key, async () => {
    const { delay, timesteps, images } = as;
    context.onProgress(`running ${directory} with ${delayName(delay)}`);
    const all = testImages(spec, await context.datasetOf(spec));
    const model = await openTrainedModel(directory, { delay, timesteps });
    try {
      const set = images === undefined ? all : limit(all, Math.min(images, all.labels.length), spec.seed);
      return { accuracy: [...accuracyPerTimestep(model.trace(set))] };
    } finally {
      model.dispose();
    }
  });
}

/** Multiply-adds of one image up to the last step, the equal timesteps computed once. */
function costRows(settings: DelaysSettings, context: StudyContext): TableRow[] {
  const [spec] = trainingsOfSeed(settings, settings.seeds[0] ?? 0, context.data).byDelay;
  if (spec === undefined) return [];
  const { classNames, imageSize } = runSummary(context.run(spec));
  const millions = (delay: TrainedDelay, timesteps: number | null): string => {
    const changed = { ...spec, network: { ...spec.network, delay, timesteps } };
    const network = trainedNetwork(changed, classNames.length);
    return ((networkCost(network, imageSize).distinct.at(-1) ?? NaN) / 1e6).toFixed(1);
  };
  const { timesteps } = settings.long;
  return [ONE_STEP, ...settings.smoothings.map(smoothing)].map((delay) => ({
    delay: delayName(delay),
    "million multiply-adds, T as usual": millions(delay, null),
    [`T = ${timesteps}`]: millions(delay, timesteps),
  }));
}

const FIRST = 0;
const LAST = -1;
const gainOverTime = (one: OverTime): number => accuracyAt(LAST)(one) - accuracyAt(FIRST)(one);
const area = ({ accuracy }: OverTime): number => 100 * areaUnderAccuracy(accuracy);

function findingsOf(study: Delays): Finding[] {
  return [
    sightAtOnce(study),
    depthGrows(study),
    ordinaryAtOnce(study),
    lastStepKeepsUp(study),
    ...normUndoesSmoothing(study),
    epsilonBreaksIt(study),
    ordinaryWeightsTakeTime(study),
    ...longRunFindings(study),
  ];
}

/** Everything is seen from t = 0 on under smoothing, nothing under the one-step delay. */
function sightAtOnce({ settings, trained }: Delays): Finding {
  const arms = settings.smoothings.map((alpha) => delayName(smoothing(alpha)));
  const gaps = arms.map((arm) => trained.lead(arm, delayName(ONE_STEP), accuracyAt(FIRST)));
  const own = meanAndError(trained.bySeed(delayName(ONE_STEP), accuracyAt(FIRST)));
  return {
    statement: `At t = 0 the one-step delay has seen nothing, and each smoothing is ahead of it (${RULE})`,
    measured: `one-step delay ${own} %; lead in points of ${arms.map((arm, i) => `${arm} ${differenceAndError(gaps[i] ?? [])}`).join(", ")}; n = ${trained.seeds.length}`,
    comesOut: gaps.every(leads),
  };
}

function depthGrows({ trained }: Delays): Finding {
  const gains = [1, 2, 3].map((t) =>
    trained.bySeed(delayName(ONE_STEP), (one) => accuracyAt(t)(one) - accuracyAt(t - 1)(one)),
  );
  return {
    statement: `With the one-step delay accuracy grows at each of the steps 1, 2 and 3 (${RULE})`,
    measured: `${gains.map((gain) => differenceAndError(gain)).join(", ")} points; n = ${trained.seeds.length}`,
    comesOut: gains.every(leads),
  };
}

function ordinaryAtOnce({ trained }: Delays): Finding {
  const spreads = trained.bySeed(
    delayName(smoothing(0)),
    ({ accuracy }) => 100 * (Math.max(...accuracy) - Math.min(...accuracy)),
  );
  return {
    statement:
      "With a = 0 every timestep is the ordinary network (rule: equal accuracy at all timesteps, in every seed)",
    measured: `largest difference ${Math.max(...spreads).toFixed(2)} points; n = ${spreads.length}`,
    comesOut: spreads.every((spread) => spread === 0),
  };
}

function lastStepKeepsUp({ trained }: Delays): Finding {
  const lead = trained.lead(delayName(ONE_STEP), delayName(smoothing(0)), accuracyAt(LAST));
  return {
    statement:
      "At the last step the one-step delay is not behind the ordinary network, a = 0 (rule: not by more than the standard error of the paired difference)",
    measured: `${differenceAndError(lead)} points; n = ${lead.length}`,
    comesOut: keepsUp(lead),
  };
}

/** With statistics of its own a timestep does not notice that all it sees is smaller by the factor 1 - a^(t+1). */
function normUndoesSmoothing({ settings, trained }: Delays): Finding[] {
  return settings.smoothings
    .filter((alpha) => alpha > 0)
    .map((alpha) => {
      const gains = trained.bySeed(delayName(smoothing(alpha)), gainOverTime);
      return {
        statement: `Trained with a = ${alpha}, time-indexed batch norm undoes the smoothing: accuracy at t = 0 is that of the last step (rule: within ${SAME_POINTS} point in every seed)`,
        measured: `last less first ${differenceAndError(gains)} points; n = ${gains.length}`,
        comesOut: gains.every((gain) => Math.abs(gain) <= SAME_POINTS),
      };
    });
}

function epsilonBreaksIt({ settings, trained }: Delays): Finding {
  const arm = smallEpsilonArm(settings);
  const usual = delayName(smoothing(longestOf(settings.smoothings)));
  const lead = trained.lead(usual, arm, gainOverTime);
  return {
    statement: `With the batch norm's epsilon of the published code, which is the default, accuracy under ${usual} grows more over time than with ε = ${settings.smallEpsilon} (${RULE})`,
    measured: `last less first ${differenceAndError(trained.bySeed(usual, gainOverTime))} against ${differenceAndError(trained.bySeed(arm, gainOverTime))} points; n = ${lead.length}`,
    comesOut: leads(lead),
  };
}

function ordinaryWeightsTakeTime({ settings, ordinary }: Delays): Finding {
  const arms = settings.smoothings.map((alpha) => delayName(smoothing(alpha)));
  const losses = arms.slice(1).map((arm, i) => ordinary.lead(arms[i] ?? arm, arm, area));
  return {
    statement: `Weights of an ordinary network, run with smoothing, take the longer the larger a: less area with each a than with the one before (${RULE})`,
    measured: `area in % ${arms.map((arm) => `${arm} ${meanAndError(ordinary.bySeed(arm, area))}`).join(", ")}; n = ${ordinary.seeds.length}`,
    comesOut: losses.every(leads),
  };
}

function longRunFindings({ settings, trained, long }: Delays): Finding[] {
  const { timesteps } = settings.long;
  const usual = delayName(smoothing(longestOf(settings.smoothings)));
  const trainedFor = Math.max(...trained.bySeed(usual, ({ accuracy }) => accuracy.length));
  const gap = long.lead(ORDINARY, ORDINARY_AT_ONCE, accuracyAt(LAST));
  const drift = long.bySeed(TRAINED_SHORT, (one) => accuracyAt(LAST)(one) - accuracyAt(trainedFor - 1)(one));
  const gain = long.lead(SMALL_LONG, SMALL_SHORT, accuracyAt(LAST));
  return [
    {
      statement: `Weights of an ordinary network, run with ${usual}, arrive at its accuracy within ${timesteps} steps (rule: within ${SAME_POINTS} point in every seed)`,
      measured: `${differenceAndError(gap)} points; n = ${gap.length}`,
      comesOut: gap.every((difference) => Math.abs(difference) <= SAME_POINTS),
    },
    {
      statement: `Trained for ${trainedFor} steps with ${usual}, the network keeps its accuracy up to step ${timesteps}, with the statistics of its last step (rule: not below by more than the standard error)`,
      measured: `${differenceAndError(drift)} points; n = ${drift.length}`,
      comesOut: keepsUp(drift),
    },
    {
      statement: `A small network is more accurate at step ${timesteps} if it is trained for all steps than for ${trainedFor} (${RULE})`,
      measured: `${differenceAndError(gain)} points; n = ${gain.length}`,
      comesOut: leads(gain),
    },
  ];
}

const SHOWN = [0, 1, 2, 3, 4, 8];

function tablesOf(study: Delays): StudyResult["tables"] {
  const { settings, trained, ordinary, long, cost } = study;
  const accuracyRow = (arms: PairedArms<OverTime>, arm: string, shown: readonly number[]): TableRow => ({
    ...Object.fromEntries(shown.map((t) => [`t = ${t}`, meanAndError(arms.bySeed(arm, accuracyAt(t)))])),
    last: meanAndError(arms.bySeed(arm, accuracyAt(LAST))),
    area: meanAndError(arms.bySeed(arm, area)),
  });
  const shownLong = SHOWN.concat([20, 40]).filter((t) => t < settings.long.timesteps);
  return [
    {
      name: "trained",
      title:
        "CascadedTD trained with each delay: accuracy in %, mean ± standard error over n seeds; confidence in %",
      rows: trained.arms.map((arm) => ({
        delay: arm,
        ...accuracyRow(trained, arm, SHOWN),
        "confidence, t = 0": meanAndError(
          trained.bySeed(arm, ({ confidence }) => 100 * (confidence[0] ?? NaN)),
        ),
        "confidence, last": meanAndError(
          trained.bySeed(arm, ({ confidence }) => 100 * (confidence.at(-1) ?? NaN)),
        ),
        n: trained.seeds.length,
      })),
    },
    {
      name: "ordinary-weights",
      title: "The weights of an ordinary network, run with each delay afterwards: accuracy in %",
      rows: ordinary.arms.map((arm) => ({
        delay: arm,
        ...accuracyRow(ordinary, arm, SHOWN),
        n: ordinary.seeds.length,
      })),
    },
    {
      name: "long",
      title: `The longest smoothing, run for ${settings.long.timesteps} steps after a training for T steps, over at most ${settings.long.images} test images: accuracy in %`,
      rows: long.arms.map((arm) => ({
        training: arm,
        ...accuracyRow(long, arm, shownLong),
        n: long.seeds.length,
      })),
    },
    {
      name: "cost",
      title:
        "What an image costs up to the last step; equal timesteps are computed once, and smoothing has none",
      rows: cost,
    },
    {
      name: "timesteps",
      title: "Every timestep of every delay and seed",
      rows: [
        ...timestepRows("trained", trained),
        ...timestepRows("ordinary weights", ordinary),
        ...timestepRows("long", long),
      ],
    },
  ];
}

/** One row an arm and seed; the shares of all timesteps in one text, so that 70 of them stay one column. */
function timestepRows(part: string, { results }: PairedArms<OverTime>): TableRow[] {
  return results.map(({ arm, seed, measured }) => ({
    part,
    arm,
    seed,
    accuracy: measured.accuracy.map((share) => share.toFixed(4)).join(" "),
  }));
}

function figuresOf({ settings, trained, ordinary, long }: Delays): StudyResult["figures"] {
  const longest = longestOf(settings.smoothings);
  const smoothingOf = new Map([
    ...settings.smoothings.map((alpha) => [delayName(smoothing(alpha)), alpha] as const),
    [smallEpsilonArm(settings), longest] as const,
  ]);
  const byDelay = (arms: PairedArms<OverTime>) =>
    from(
      arms.results.flatMap(({ arm, measured }) =>
        measured.accuracy.map((accuracy, timestep) => ({
          delay: arm,
          smoothing: smoothingOf.get(arm) ?? NaN,
          timestep,
          accuracy,
        })),
      ),
    );
  const inTheLongRun = long.results.flatMap(({ arm, measured }) =>
    measured.accuracy.map((accuracy, timestep) => ({ training: arm, timestep, accuracy })),
  );
  return [
    {
      name: "accuracy-by-delay-trained",
      caption:
        "Accuracy of CascadedTD trained with the one-step delay and with smoothing, mean and standard error over seeds.",
      figure: accuracyByDelayFigure(byDelay(trained)),
    },
    {
      name: "accuracy-by-delay-ordinary-weights",
      caption:
        "Accuracy of an ordinary network's weights run with each delay, mean and standard error over seeds.",
      figure: accuracyByDelayFigure(byDelay(ordinary)),
    },
    {
      name: "accuracy-in-the-long-run",
      caption: `Accuracy with a = ${longest} over ${settings.long.timesteps} steps: trained with it for T steps, or an ordinary network's weights, beside the ordinary network itself; mean and standard error over seeds.`,
      figure: accuracyInTheLongRunFigure(from(inTheLongRun), ORDINARY_AT_ONCE),
    },
  ];
}
