import { type Draft, finding } from "../../evidence/finding.js";
import { areaOverTime, lastStep, meanAccuracyOver } from "../../evidence/quantities.js";
import { isAhead, isNotBehind, NEAR_POINTS } from "../../evidence/rules.js";
import { SDN, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";
import { type Compared, DENSENET_TD } from "./models.js";

export function denseFindings({ arms, early, last }: Compared): Draft[] {
  const others = arms.arms.filter((arm) => arm !== DENSENET_TD);
  return [
    finding(
      {
        statement: `${DENSENET_TD} is ahead of each other model at early timesteps, in mean accuracy over t = 1 to ${early.length} of ${last}`,
        by: "paper",
        carries: true,
      },
      isAhead,
      arms.over(DENSENET_TD, others, meanAccuracyOver(early)),
    ),
    finding(
      {
        statement: `At the last step ${DENSENET_TD} is about as accurate as each other model, not ${NEAR_POINTS} points behind`,
        by: "paper",
        carries: true,
      },
      isNotBehind(NEAR_POINTS),
      arms.over(DENSENET_TD, others, lastStep),
    ),
    finding(
      {
        statement: `${DENSENET_TD} has more area under accuracy over time than each other model`,
        by: "project",
      },
      isAhead,
      arms.over(DENSENET_TD, others, areaOverTime),
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
    arms.over(SDN, [SERIAL_TD_MULTIHEAD], lastStep),
  );
}
