import type { AnytimeModel } from "../../evidence/anytime-models.js";
import {
  accuracyAt,
  areaOverTime,
  lastStep,
  meanAccuracyOver,
  type Quantity,
} from "../../evidence/quantities.js";
import { measuredResults, quantityCells } from "../../evidence/tables.js";
import type { StudyResult, TableRow } from "../../study.js";
import type { Compared } from "./models.js";

const MEGA_MULTIPLY_ADDS: Quantity<AnytimeModel> = {
  name: "million multiply-adds",
  unit: { difference: " M", digits: 2 },
  of: ({ multiplyAdds }) => (multiplyAdds.at(-1) ?? NaN) / 1e6,
};

export function tablesOf(dense: Compared, residual: Compared): StudyResult["tables"] {
  return [
    { name: "densenet", title: titleOf("DenseNet", dense), rows: accuracyRows(dense) },
    {
      name: "exit-weights",
      title: titleOf("ResNet with and without the exit weights of a Shallow-Deep Network", residual),
      rows: accuracyRows(residual),
    },
    {
      name: "runs",
      title: "Every model of every seed",
      rows: [...runRows("DenseNet", dense), ...runRows("ResNet", residual)],
    },
  ];
}

function titleOf(network: string, { early, last }: Compared): string {
  return (
    `${network}: accuracy in %, mean ± standard error over n seeds; early: mean over t = 1 to ${early.length}; ` +
    `last: t = ${last}; area: mean over time, by trapezoids`
  );
}

function accuracyRows({ arms, early }: Compared): TableRow[] {
  const quantities = [
    ...early.map(accuracyAt),
    meanAccuracyOver(early),
    lastStep,
    areaOverTime,
    MEGA_MULTIPLY_ADDS,
  ];
  return arms.arms.map((model) => ({
    model,
    ...quantityCells(arms, model, quantities),
    n: arms.bySeed(model, lastStep).length,
  }));
}

function runRows(network: string, { arms }: Compared): TableRow[] {
  return measuredResults(arms).map(({ arm, measured }) => ({
    network,
    model: arm,
    seed: measured.seed,
    run: measured.run,
    examples: measured.examples,
    timesteps: measured.accuracy.length,
    last: lastStep.of(measured),
    area: areaOverTime.of(measured),
    trainingSeconds: measured.trainingSeconds,
    imagesPerSecond: measured.imagesPerSecond,
  }));
}
