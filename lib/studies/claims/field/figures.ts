import { from } from "arquero";
import { accuracyOverBudgetFigure } from "../../../figures/accuracy-over-budget.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { measuredResults } from "../../evidence/tables.js";
import type { StudyResult } from "../../study.js";
import { AXES, type BudgetAxis, PICOJOULES } from "./budgets.js";
import type { FieldModel } from "./measured.js";

/** How the figure of a budget is told. */
const TOLD: Readonly<Record<string, string>> = {
  "parallel time":
    "time on hardware with a unit a block and links that take none: the axis of the claim, on which a cascade's blocks all work at once",
  "multiply-adds": "all multiply-adds up to the answer, as one unit carries them out",
  "measured time": "measured time of one image on this machine, from its pixels on",
  energy: `energy, ${PICOJOULES} pJ a multiply-add`,
};

/** One figure a budget. */
export function figuresOf(arms: PairedArms<FieldModel>): StudyResult["figures"] {
  return AXES.map((axis) => ({
    name: `accuracy-over-${axis.name.replaceAll(/[ -]/g, "-")}`,
    caption: `Accuracy of the last answer that is there, against ${TOLD[axis.name] ?? axis.name}; mean and standard error over seeds.`,
    figure: accuracyOverBudgetFigure(answers(arms, axis), axis.title),
  }));
}

function answers(arms: PairedArms<FieldModel>, axis: BudgetAxis) {
  return from(
    measuredResults(arms).flatMap(({ arm, measured }) => {
      const costs = axis.costsOf(measured);
      return measured.accuracy.map((accuracy, timestep) => ({
        model: arm,
        timestep,
        accuracy,
        budget: costs[timestep] ?? NaN,
      }));
    }),
  );
}
