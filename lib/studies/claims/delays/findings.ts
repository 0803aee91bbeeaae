import { counted, type Draft, finding } from "../../evidence/finding.js";
import {
  accuracyAt,
  areaOverTime,
  change,
  lastStep,
  type OverTime,
  type Quantity,
} from "../../evidence/quantities.js";
import { isAhead, isNotBehind, isSame, SAME_POINTS } from "../../evidence/rules.js";
import {
  type Delays,
  ONE_STEP_AS_TRAINED,
  ONE_STEP_SMOOTHED,
  ORDINARY,
  ORDINARY_AT_ONCE,
  SMALL_LONG,
  SMALL_SHORT,
  TRAINED_SHORT,
} from "./arms.js";
import { delayName, longestOf, ONE_STEP, smallEpsilonArm, smoothing } from "./trainings.js";

const oneStep = delayName(ONE_STEP);
const smoothed = (alpha: number): string => delayName(smoothing(alpha));
const growth: Quantity<OverTime> = change("last less first", accuracyAt(0), lastStep);

/** The end point is what the paper says of the one-step delay; smoothing it runs, and claims nothing of. */
export function findingsOf(study: Delays): Draft[] {
  return [
    depthGrows(study),
    sightAtOnce(study),
    ordinaryAtOnce(study),
    lastStepKeepsUp(study),
    ...normUndoesSmoothing(study),
    epsilonBreaksIt(study),
    ordinaryWeightsTakeTime(study),
    ...longRunFindings(study),
  ];
}

function depthGrows({ trained }: Delays): Draft {
  const gains = [1, 2, 3].map((t) => change(`t = ${t} less t = ${t - 1}`, accuracyAt(t - 1), accuracyAt(t)));
  return finding(
    {
      statement: "With the one-step delay accuracy grows at each of the steps 1, 2 and 3",
      by: "paper",
      carries: true,
    },
    isAhead,
    trained.own(oneStep, gains),
  );
}

/** Everything is seen from t = 0 on under smoothing, nothing under the one-step delay. */
function sightAtOnce({ settings, trained }: Delays): Draft {
  return finding(
    {
      statement: "At t = 0 the one-step delay has seen nothing, and each smoothing is ahead of it",
      by: "project",
    },
    isAhead,
    settings.smoothings.flatMap((alpha) => trained.over(smoothed(alpha), [oneStep], accuracyAt(0))),
  );
}

function ordinaryAtOnce({ trained }: Delays): Draft {
  const spreads = trained.bySeed(smoothed(0), {
    ...areaOverTime,
    of: ({ accuracy }) => 100 * (Math.max(...accuracy) - Math.min(...accuracy)),
  });
  return counted(
    {
      statement:
        "With a = 0 every timestep is the ordinary network (rule: equal accuracy at all timesteps, in every seed)",
      by: "project",
    },
    `largest difference ${Math.max(...spreads).toFixed(2)} points; n = ${spreads.length}`,
    spreads.every((spread) => spread === 0),
  );
}

function lastStepKeepsUp({ trained }: Delays): Draft {
  return finding(
    {
      statement: "At the last step the one-step delay is not behind the ordinary network, a = 0",
      by: "project",
    },
    isNotBehind(SAME_POINTS),
    trained.over(oneStep, [smoothed(0)], lastStep),
  );
}

/** With statistics of its own a timestep does not notice that all it sees is smaller by the factor 1 - a^(t+1). */
function normUndoesSmoothing({ settings, trained }: Delays): Draft[] {
  return settings.smoothings
    .filter((alpha) => alpha > 0)
    .map((alpha) =>
      finding(
        {
          statement: `Trained with a = ${alpha}, time-indexed batch norm undoes the smoothing: accuracy at t = 0 is that of the last step`,
          by: "project",
        },
        isSame(SAME_POINTS),
        trained.own(smoothed(alpha), [growth]),
      ),
    );
}

function epsilonBreaksIt({ settings, trained }: Delays): Draft {
  const usual = smoothed(longestOf(settings.smoothings));
  return finding(
    {
      statement: `With the batch norm's epsilon of the published code, which is the default, accuracy under ${usual} grows more over time than with ε = ${settings.smallEpsilon}`,
      by: "project",
    },
    isAhead,
    trained.over(usual, [smallEpsilonArm(settings)], growth),
  );
}

function ordinaryWeightsTakeTime({ settings, ordinary }: Delays): Draft {
  const arms = settings.smoothings.map(smoothed);
  return finding(
    {
      statement:
        "Weights of an ordinary network, run with smoothing, take the longer the larger a: each a has more area than the next",
      by: "project",
    },
    isAhead,
    arms.slice(1).flatMap((arm, i) => ordinary.over(arms[i] as string, [arm], areaOverTime)),
  );
}

function longRunFindings({ settings, trained, long }: Delays): Draft[] {
  const { timesteps } = settings.long;
  const usual = smoothed(longestOf(settings.smoothings));
  const trainedFor = Math.max(
    ...trained.bySeed(usual, { ...areaOverTime, of: ({ accuracy }) => accuracy.length }),
  );
  const drift = change("last less the last trained", accuracyAt(trainedFor - 1), lastStep);
  const by = "project";
  return [
    finding(
      {
        statement: `Weights of an ordinary network, run with ${usual}, arrive at its accuracy within ${timesteps} steps`,
        by,
      },
      isSame(SAME_POINTS),
      long.over(ORDINARY, [ORDINARY_AT_ONCE], lastStep),
    ),
    finding(
      {
        statement: `Trained for ${trainedFor} steps with ${usual}, the network keeps its accuracy up to step ${timesteps}, with the statistics of its last step`,
        by,
      },
      isNotBehind(SAME_POINTS),
      long.own(TRAINED_SHORT, [drift]),
    ),
    finding(
      {
        statement: `Trained with the one-step delay and run with ${usual}, as the published evaluation does, the network is as accurate at step ${timesteps} as with the one-step delay`,
        by,
      },
      isSame(SAME_POINTS),
      long.over(ONE_STEP_SMOOTHED, [ONE_STEP_AS_TRAINED], lastStep),
    ),
    finding(
      {
        statement: `A small network is more accurate at step ${timesteps} if it is trained for all steps than for ${trainedFor}`,
        by,
      },
      isAhead,
      long.over(SMALL_LONG, [SMALL_SHORT], lastStep),
    ),
  ];
}
