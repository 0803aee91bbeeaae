import { NOISE_NAMES } from "../../../noise/noises.js";
import { mean, standardError } from "../../../util/statistics.js";
import { differenceAndError, meanAndError } from "../../evidence/format.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { change, type Quantity, share } from "../../evidence/quantities.js";
import type { StudyResult, TableRow } from "../../study.js";
import { CONDITIONS, type NoisyModel, SCHEDULES } from "./evaluation.js";
import { type Augmentation, type Evaluated, OPPONENTS, TRAINED } from "./findings.js";
import {
  accuracyUnder,
  cleanAccuracy,
  type Condition,
  noisyAccuracy,
  relativeDropOf,
  shareLeft,
  type When,
  WHEN,
} from "./quantities.js";
import { CASCADED_TD } from "../../evidence/model-names.js";

const MODELS = [CASCADED_TD, ...OPPONENTS];
const COMPARED = [noisyAccuracy, shareLeft];

export function tablesOf(evaluated: Evaluated): StudyResult["tables"] {
  const byTraining = (
    rows: (training: Augmentation, arms: PairedArms<NoisyModel>) => TableRow[],
  ): TableRow[] => [...evaluated].flatMap(([training, arms]) => rows(training, arms));
  return [
    ...[...evaluated].map(([training, arms]) => ({
      name: `noise-accuracy-${training}`,
      title:
        `Accuracy in % at the last step, and in brackets over time (area), ${TRAINED[training]}: ` +
        "mean over seeds ± standard error",
      rows: CONDITIONS.map((condition) => accuracyRow(arms, condition)),
    })),
    {
      name: "comparisons",
      title: `What ${CASCADED_TD} is ahead of each other model, in points of accuracy, and of the share of clean accuracy above chance that is left: paired by seed, mean ± standard error`,
      rows: byTraining(comparisonRows),
    },
    {
      name: "schedules",
      title:
        "Accuracy at the last step under transient less that under persistent noise, in points: mean over seeds ± standard error",
      rows: byTraining(scheduleRows),
    },
    {
      name: "all-conditions",
      title: "All numbers, as shares: means over n seeds with standard errors (se)",
      rows: byTraining(allRows),
    },
  ];
}

function accuracyRow(arms: PairedArms<NoisyModel>, condition: Condition): TableRow {
  const text = (model: string, when: When): string =>
    meanAndError(arms.bySeed(model, noisyAccuracy([condition], when)));
  return {
    noise: condition.noise,
    schedule: condition.schedule,
    ...Object.fromEntries(
      MODELS.map((model) => [model, `${text(model, "last step")} (${text(model, "over time")})`]),
    ),
    n: arms.seeds.length,
  };
}

function comparisonRows(training: Augmentation, arms: PairedArms<NoisyModel>): TableRow[] {
  return OPPONENTS.flatMap((opponent) =>
    COMPARED.flatMap((quantityOf) =>
      WHEN.flatMap((when) =>
        SCHEDULES.map((schedule) => ({
          training,
          opponent,
          schedule,
          quantity: quantityOf([], when).name,
          when,
          ...byNoise((noise) => arms.lead(CASCADED_TD, opponent, quantityOf([{ noise, schedule }], when))),
        })),
      ),
    ),
  );
}

const byNoise = (differences: (noise: string) => readonly number[]): TableRow =>
  Object.fromEntries(NOISE_NAMES.map((noise) => [noise, differenceAndError(differences(noise))]));

/** What a fresh draw at every timestep gives over one held draw: a row each model. */
function scheduleRows(training: Augmentation, arms: PairedArms<NoisyModel>): TableRow[] {
  const [persistent, transient] = SCHEDULES;
  const under = (noise: string, schedule: string) => noisyAccuracy([{ noise, schedule }], "last step");
  return MODELS.map((model) => ({
    training,
    model,
    ...byNoise((noise) => arms.bySeed(model, change("", under(noise, persistent), under(noise, transient)))),
  }));
}

function allRows(training: Augmentation, arms: PairedArms<NoisyModel>): TableRow[] {
  return CONDITIONS.flatMap((condition) =>
    MODELS.flatMap((model) =>
      WHEN.map((when) => ({
        training,
        noise: condition.noise,
        schedule: condition.schedule,
        model,
        when,
        ...numbersOf(arms, model, condition, when),
        n: arms.bySeed(model, noisyAccuracy([condition], when)).length,
      })),
    ),
  );
}

/** Shares, with their standard errors. */
function numbersOf(arms: PairedArms<NoisyModel>, model: string, condition: Condition, when: When): TableRow {
  const quantities: readonly Quantity<NoisyModel>[] = [
    share("accuracy", (one) => accuracyUnder(one, condition, when)),
    share("difference", (one) => accuracyUnder(one, condition, when) - cleanAccuracy(one, when)),
    share("ratio", (one) => accuracyUnder(one, condition, when) / cleanAccuracy(one, when)),
    share("relativeDrop", (one) => relativeDropOf(one, condition, when)),
  ];
  return Object.fromEntries(
    quantities.flatMap((quantity) => {
      const values = arms.bySeed(model, quantity).map((percent) => percent / 100);
      return [
        [quantity.name, mean(values)],
        [`${quantity.name} se`, standardError(values)],
      ];
    }),
  );
}
