import { type Draft, finding } from "../../evidence/finding.js";
import { areaOverTime, lastStep, meanAccuracyOver } from "../../evidence/quantities.js";
import { isAhead, isNotBehind } from "../../evidence/rules.js";
import { type Compared, TD, WITH_EXIT_WEIGHTS, WITHOUT_EXIT_WEIGHTS } from "./models.js";

/** What "about as accurate" at the last step is taken to mean. */
const NEAR_POINTS = 5;

export function denseFindings({ arms, early, last }: Compared): Draft[] {
  const others = arms.arms.filter((arm) => arm !== TD);
  return [
    finding(
      {
        statement: `${TD} is ahead of each other model at early timesteps, in mean accuracy over t = 1 to ${early.length} of ${last}`,
        by: "paper",
        carries: true,
      },
      isAhead,
      arms.over(TD, others, meanAccuracyOver(early)),
    ),
    finding(
      {
        statement: `At the last step ${TD} is about as accurate as each other model, not ${NEAR_POINTS} points behind`,
        by: "paper",
        carries: true,
      },
      isNotBehind(NEAR_POINTS),
      arms.over(TD, others, lastStep),
    ),
    finding(
      {
        statement: `${TD} has more area under accuracy over time than each other model`,
        by: "project",
      },
      isAhead,
      arms.over(TD, others, areaOverTime),
    ),
  ];
}

/** What the weights are for: the last exit is not to suffer from the others. */
export function exitWeightFinding({ arms }: Compared): Draft {
  return finding(
    {
      statement:
        "ResNet: the exit weights of a Shallow-Deep Network make the last step of SerialTD-MultiHead more accurate",
      by: "project",
    },
    isAhead,
    arms.over(WITH_EXIT_WEIGHTS, [WITHOUT_EXIT_WEIGHTS], lastStep),
  );
}
