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
import { isAbove, isAhead, isSame, type Rule } from "../../evidence/rules.js";
import { areaUnderDeadlines, AXES, type SixModels } from "./models.js";

const TD = "CascadedTD";
const CE = "CascadedCE";
/** What the paper calls SDN in its main figure. */
const SDN = "SerialTD-MultiHead";

/** The same trained as Shallow-Deep Networks were published, with a weight for each exit. */
const WEIGHTED_SDN = "SDN";

/** "As accurate" at the last step: the paper's figure has 91.5 and 92 %. */
const SAME_POINTS = 1;
/** "A few points" at the last step. */
const NEAR_POINTS = 5;
const EARLY = [1, 2, 3, 4];
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
      TD,
      isAhead,
      CE,
      curve,
    ),
    claimed(
      `${TD} has more area under its speed-accuracy curve over timesteps than SDN`,
      TD,
      isAhead,
      SDN,
      curve,
    ),
    claimed(`${TD} is more accurate than SDN at the last step`, TD, isAhead, SDN, lastStep),
    claimed(`${TD} is as accurate as ${CE} at the last step`, TD, isSame(SAME_POINTS), CE, lastStep),
    claimed(
      "In the serial scheme, a head for each timestep is more accurate than one head at the last step",
      "SerialTD-MultiHead",
      isAhead,
      "SerialTD",
      lastStep,
    ),
    claimed(
      "In the parallel scheme, one head is more accurate than a head for each timestep at the last step",
      TD,
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
  const others = study.models.filter((model) => model !== TD);
  const asked = (statement: string, rule: Rule, quantity: Quantity<AnytimeModel>): Draft =>
    finding({ statement, by: "project" }, rule, study.arms.over(TD, others, quantity));
  const overAxis = (axis: SpeedAxis): Quantity<AnytimeModel> => areaUnderCurve(study.rangeOf(axis), axis);
  return [
    finding(
      {
        statement: `${TD} has more area under its speed-accuracy curve over timesteps than SDN with the exit weights of its own publication, and is more accurate at the last step`,
        by: "project",
      },
      isAhead,
      [overAxis("meanStoppingTime"), lastStep].flatMap((quantity) =>
        study.arms.over(TD, [WEIGHTED_SDN], quantity),
      ),
    ),
    ...EARLY.map((t) => asked(`${TD} is ahead of each other model at t = ${t}`, isAhead, accuracyAt(t))),
    asked(`${TD} has more area under its accuracy over time than each other model`, isAhead, areaOverTime),
    asked(
      `At the last step ${TD} is within ${NEAR_POINTS} points of each other model`,
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
        study.arms.own(TD, [
          change("confidence over deadline", areaUnderDeadlines(study.rangeOf(axis), axis), overAxis(axis)),
        ]),
      ),
    ),
    ...AXES.map(({ axis, unit }) =>
      asked(
        `${TD} has more area under its speed-accuracy curve over ${unit} than each other model`,
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
  return arms.contrast(`${TD} over ${CE} in the worst part`, PERCENT, (measured) => {
    const leads = Array.from({ length: PARTS }, (_, part) =>
      measured.lead(TD, CE, areaUnderCurve({ from: edge(part), to: edge(part + 1) })),
    );
    const [first = []] = leads;
    return first.map((_, i) => Math.min(...leads.map((bySeed) => bySeed[i] as number)));
  });
}
