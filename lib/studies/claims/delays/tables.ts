import { runSummary } from "../../../experiments/runs/run-summary.js";
import { trainedNetwork } from "../../../experiments/specs/model-views.js";
import { changedSpec } from "../../../experiments/specs/spec-change.js";
import { networkCost } from "../../../models/cost.js";
import type { AnytimeModel } from "../../evidence/anytime-models.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import {
  accuracyAt,
  areaOverTime,
  lastStep,
  type OverTime,
  type Quantity,
  share,
} from "../../evidence/quantities.js";
import { measuredResults, quantityCells } from "../../evidence/tables.js";
import type { StudyResult, TableRow } from "../../study.js";
import type { StudyContext } from "../../study-context.js";
import type { Delays } from "./arms.js";
import { delayName, delaysOf, type DelaysSettings, type TrainedDelay, trainingsOfSeed } from "./trainings.js";

const SHOWN = [0, 1, 2, 3, 4, 8];
const CONFIDENCES: readonly Quantity<AnytimeModel>[] = [
  share("confidence, t = 0", ({ confidence }) => confidence[0] ?? NaN),
  share("confidence, last", ({ confidence }) => confidence.at(-1) ?? NaN),
];
const accuracies = (shown: readonly number[]): Quantity<OverTime>[] => [
  ...shown.map(accuracyAt),
  lastStep,
  areaOverTime,
];

export function tablesOf(study: Delays, context: StudyContext): StudyResult["tables"] {
  const { settings, trained, ordinary, long } = study;
  const shownLong = SHOWN.concat([20, 40]).filter((t) => t < settings.long.timesteps);
  return [
    {
      name: "trained",
      title:
        "CascadedTD trained with each delay: accuracy in %, mean ± standard error over n seeds; confidence in %",
      rows: trained.arms.map((arm) => ({
        delay: arm,
        ...quantityCells(trained, arm, [...accuracies(SHOWN), ...CONFIDENCES]),
        n: trained.seeds.length,
      })),
    },
    {
      name: "ordinary-weights",
      title: "The weights of an ordinary network, run with each delay afterwards: accuracy in %",
      rows: ordinary.arms.map((arm) => ({
        delay: arm,
        ...quantityCells(ordinary, arm, accuracies(SHOWN)),
        n: ordinary.seeds.length,
      })),
    },
    {
      name: "long",
      title: `The longest smoothing, run for ${settings.long.timesteps} steps after a training for T steps, over at most ${settings.long.images} test images: accuracy in %`,
      rows: long.arms.map((arm) => ({
        training: arm,
        ...quantityCells(long, arm, accuracies(shownLong)),
        n: long.seeds.length,
      })),
    },
    {
      name: "cost",
      title:
        "What an image costs up to the last step; equal timesteps are computed once, and smoothing has none",
      rows: costRows(settings, context),
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
function timestepRows(part: string, arms: PairedArms<OverTime>): TableRow[] {
  return measuredResults(arms).map(({ arm, seed, measured }) => ({
    part,
    arm,
    seed,
    accuracy: measured.accuracy.map((one) => one.toFixed(4)).join(" "),
  }));
}

/** Multiply-adds of one image up to the last step, the equal timesteps computed once. */
function costRows(settings: DelaysSettings, context: StudyContext): TableRow[] {
  const [spec] = trainingsOfSeed(settings, settings.seeds[0] ?? 0, context.data).byDelay;
  if (spec === undefined) return [];
  const { classNames, imageSize } = runSummary(context.run(spec));
  const millions = (delay: TrainedDelay, timesteps: number | null): string => {
    const changed = changedSpec(spec, { network: { delay, timesteps } });
    const network = trainedNetwork(changed, classNames.length, imageSize);
    return ((networkCost(network, imageSize).distinct.at(-1) ?? NaN) / 1e6).toFixed(1);
  };
  const { timesteps } = settings.long;
  return delaysOf(settings).map((delay) => ({
    delay: delayName(delay),
    "million multiply-adds, T as usual": millions(delay, null),
    [`T = ${timesteps}`]: millions(delay, timesteps),
  }));
}
