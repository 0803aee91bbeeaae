import type { SpeedAxis } from "../../../trace/area.js";
import type { AnytimeModel } from "../../evidence/anytime-models.js";
import { type Contrast, type Draft, finding } from "../../evidence/finding.js";
import { PERCENT } from "../../evidence/format.js";
import {
  accuracyAt,
  areaOverTime,
  areaUnderCurve,
  change,
  lastStep,
  type Quantity,
} from "../../evidence/quantities.js";
import { isAbove, isAhead, isSame, NEAR_POINTS, type Rule, SAME_POINTS } from "../../evidence/rules.js";
import { areaUnderDeadlines, AXES, type SixModels } from "./models.js";
import { CASCADED_CE, CASCADED_TD, SDN, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";

const EARLY_STEPS = [1, 2, 3, 4];
/** A curve is strictly better if it is ahead in each of so many equal parts of the range compared. */
const PARTS = 20;

export function findingsOf(study: SixModels): Draft[] {
  return [...paperFindings(study), ...projectFindings(study)];
}

/** What the authors claim, and their figure shows. Those with an end point carry the verdict. */
function paperFindings(study: SixModels): Draft[] {
  const curve = areaUnderCurve(study.rangeOf("meanStoppingTime"));
  const claimed = (
    statement: string,
    arm: string,
    rule: Rule,
    other: string,
    quantity: Quantity<AnytimeModel>,
  ) => finding({ statement, by: "paper", carries: true }, rule, study.arms.over(arm, [other], quantity));
  return [
    claimed(
      "In the parallel scheme, TD has more area under its speed-accuracy curve over timesteps than CE",
      CASCADED_TD,
      isAhead,
      CASCADED_CE,
      curve,
    ),
    claimed(
      `${CASCADED_TD} has more area under its speed-accuracy curve over timesteps than SDN`,
      CASCADED_TD,
      isAhead,
      SERIAL_TD_MULTIHEAD,
      curve,
    ),
    claimed(
      `${CASCADED_TD} is more accurate than SDN at the last step`,
      CASCADED_TD,
      isAhead,
      SERIAL_TD_MULTIHEAD,
      lastStep,
    ),
    claimed(
      `${CASCADED_TD} is as accurate as ${CASCADED_CE} at the last step`,
      CASCADED_TD,
      isSame(SAME_POINTS),
      CASCADED_CE,
      lastStep,
    ),
    claimed(
      "In the serial scheme, a head for each timestep is more accurate than one head at the last step",
      SERIAL_TD_MULTIHEAD,
      isAhead,
      "SerialTD",
      lastStep,
    ),
    claimed(
      "In the parallel scheme, one head is more accurate than a head for each timestep at the last step",
      CASCADED_TD,
      isAhead,
      "CascadedTD-MultiHead",
      lastStep,
    ),
    // The paper's word, which its own figure does not bear out where both models have come to an end.
    finding(
      {
        statement: `In the parallel scheme, TD is strictly better than CE: ahead in each of ${PARTS} equal parts of the range of mean stopping times`,
        by: "paper",
      },
      isAhead,
      [smallestLead(study)],
    ),
  ];
}

/** What is asked beyond it. */
function projectFindings(study: SixModels): Draft[] {
  const others = study.models.filter((model) => model !== CASCADED_TD);
  const asked = (statement: string, rule: Rule, quantity: Quantity<AnytimeModel>): Draft =>
    finding({ statement, by: "project" }, rule, study.arms.over(CASCADED_TD, others, quantity));
  const overAxis = (axis: SpeedAxis): Quantity<AnytimeModel> => areaUnderCurve(study.rangeOf(axis), axis);
  return [
    finding(
      {
        statement: `${CASCADED_TD} has more area under its speed-accuracy curve over timesteps than SDN with the exit weights of its own publication, and is more accurate at the last step`,
        by: "project",
      },
      isAhead,
      [overAxis("meanStoppingTime"), lastStep].flatMap((quantity) =>
        study.arms.over(CASCADED_TD, [SDN], quantity),
      ),
    ),
    ...EARLY_STEPS.map((t) =>
      asked(`${CASCADED_TD} is ahead of each other model at t = ${t}`, isAhead, accuracyAt(t)),
    ),
    asked(
      `${CASCADED_TD} has more area under its accuracy over time than each other model`,
      isAhead,
      areaOverTime,
    ),
    asked(
      `At the last step ${CASCADED_TD} is within ${NEAR_POINTS} points of each other model`,
      isSame(NEAR_POINTS),
      lastStep,
    ),
    ...AXES.map(({ axis, unit }) =>
      finding(
        {
          statement: `Stopping when confident is better than a deadline for all images, over ${unit}: more area under the speed-accuracy curve`,
          by: "project",
        },
        isAbove(0),
        study.arms.own(CASCADED_TD, [
          change("confidence over deadline", areaUnderDeadlines(study.rangeOf(axis), axis), overAxis(axis)),
        ]),
      ),
    ),
    ...AXES.map(({ axis, unit }) =>
      asked(
        `${CASCADED_TD} has more area under its speed-accuracy curve over ${unit} than each other model`,
        isAhead,
        overAxis(axis),
      ),
    ),
  ];
}

/** Of each seed the smallest of the leads over parts of the range. */
function smallestLead({ arms, rangeOf }: SixModels): Contrast {
  const { from, to } = rangeOf("meanStoppingTime");
  const edge = (part: number): number => from + ((to - from) * part) / PARTS;
  return arms.contrast(`${CASCADED_TD} over ${CASCADED_CE} in the worst part`, PERCENT, (measured) => {
    const leads = Array.from({ length: PARTS }, (_, part) =>
      measured.lead(CASCADED_TD, CASCADED_CE, areaUnderCurve({ from: edge(part), to: edge(part + 1) })),
    );
    const [first = []] = leads;
    return first.map((_, i) => Math.min(...leads.map((bySeed) => bySeed[i] as number)));
  });
}
