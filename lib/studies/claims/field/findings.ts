import { type Draft, finding } from "../../evidence/finding.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { lastStep } from "../../evidence/quantities.js";
import { isAhead } from "../../evidence/rules.js";
import { areaWithin, AXES, type BudgetAxis, largestBudget, parallelAxis } from "./budgets.js";
import type { FieldModel } from "./measured.js";
import { ENSEMBLE, FAMILY } from "./trainings.js";
import { CASCADED_TD, SDN, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";

/** Networks of the kind that the paper compares with: Shallow-Deep Networks, on its own blocks and on their own. */
const SHALLOW_DEEP = [SERIAL_TD_MULTIHEAD, SDN, "SDN-ResNet"];
const SEPARATE = [FAMILY, ENSEMBLE];

/**
 * The claim is about hardware that updates all blocks at once, so its end points are over parallel time. What holds over other
 * budgets is asked beside it. `linkLatencies`: those of the study, in multiply-adds of a unit.
 */
export function findingsOf(arms: PairedArms<FieldModel>, linkLatencies: readonly number[]): Draft[] {
  const others = arms.arms.filter((arm) => arm !== CASCADED_TD);
  const designed = others.filter((arm) => !SHALLOW_DEEP.includes(arm) && !SEPARATE.includes(arm));
  const shallowDeep = others.filter((arm) => SHALLOW_DEEP.includes(arm));
  const separate = others.filter((arm) => SEPARATE.includes(arm));
  const ahead = (axis: BudgetAxis, rivals: readonly string[], whom: string, carries?: true): Draft =>
    finding(
      {
        statement: `${CASCADED_TD} is more accurate than ${whom}, on average over budgets of ${axis.name}`,
        by: carries ? "paper" : "project",
        ...(carries && { carries }),
      },
      isAhead,
      arms.over(CASCADED_TD, rivals, areaWithin(axis, largestBudget(arms, axis))),
    );
  // Energy is proportional to multiply-adds, so that its findings would be theirs once more.
  const [parallel, ...otherAxes] = AXES.filter(({ name }) => name !== "energy");
  return [
    ...(parallel === undefined
      ? []
      : [
          ahead(parallel, shallowDeep, "each Shallow-Deep Network", true),
          ahead(parallel, designed, "each other network with exits", true),
          ahead(parallel, separate, "ResNets that are trained apart"),
        ]),
    ...otherAxes.flatMap((axis) => [
      ahead(axis, shallowDeep, "each Shallow-Deep Network"),
      ahead(axis, designed, "each other network with exits"),
      ahead(axis, separate, "ResNets that are trained apart"),
    ]),
    ...linkLatencies.slice(1).map((latency, i) => {
      const axis = { ...parallelAxis(i + 1), name: `parallel time, links of ${latency / 1e6} million` };
      return ahead(axis, others, "every other competitor");
    }),
    finding(
      {
        statement: `${CASCADED_TD}'s last answer is more accurate than every other competitor's`,
        by: "project",
      },
      isAhead,
      arms.over(CASCADED_TD, others, lastStep),
    ),
  ];
}
