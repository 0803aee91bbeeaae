import { type Draft, finding } from "../../evidence/finding.js";
import { accuracyAt, areaOverTime, lastStep } from "../../evidence/quantities.js";
import { isAhead, isNotBehind, SAME_POINTS } from "../../evidence/rules.js";
import { armOf, EARLY_STEP, MODELS, type Sweep } from "./sweep.js";

/** End points are the areas of the paper's lambda beside the other end's. */
export function findingsOf(sweep: Sweep): Draft[] {
  return [
    ...MODELS.flatMap((entry) => entryFindings(sweep, entry)),
    schemesDiffer(sweep, "CascadedTD", "SerialTD"),
    schemesDiffer(sweep, "CascadedTD-MultiHead", "SerialTD-MultiHead"),
  ];
}

function entryFindings(
  { arms, lambdas }: Sweep,
  { model, paper, opposite }: (typeof MODELS)[number],
): Draft[] {
  const own = armOf(model, paper);
  const others = lambdas.filter((lambda) => lambda !== paper).map((lambda) => armOf(model, lambda));
  const far = [armOf(model, opposite)];
  const about = `${model}: the paper's λ = ${paper}`;
  return [
    finding(
      {
        statement: `${about} has more area under accuracy over time than λ = ${opposite}`,
        by: "paper",
        carries: true,
      },
      isAhead,
      arms.over(own, far, areaOverTime),
    ),
    finding(
      { statement: `${about} is more accurate at t = ${EARLY_STEP} than λ = ${opposite}`, by: "project" },
      isAhead,
      arms.over(own, far, accuracyAt(EARLY_STEP)),
    ),
    finding(
      { statement: `${about} is not behind λ = ${opposite} at the last step`, by: "project" },
      isNotBehind(SAME_POINTS),
      arms.over(own, far, lastStep),
    ),
    finding(
      { statement: `${about} is not behind any other λ in area`, by: "project" },
      isNotBehind(SAME_POINTS),
      arms.over(own, others, areaOverTime),
    ),
  ];
}

/** λ = 0 in place of λ = 1 gains the parallel scheme more area than the serial one. */
function schemesDiffer({ arms }: Sweep, cascaded: string, serial: string): Draft {
  const contrast = arms.contrast(
    `gain of ${cascaded} over that of ${serial}`,
    areaOverTime.unit,
    (measured) => {
      const gain = (model: string): number[] => measured.lead(armOf(model, 0), armOf(model, 1), areaOverTime);
      const serialGain = gain(serial);
      return gain(cascaded).map((value, i) => value - (serialGain[i] as number));
    },
  );
  return finding(
    {
      statement: `λ = 0 in place of λ = 1 does more for the area of ${cascaded} than for that of ${serial}`,
      by: "project",
    },
    isAhead,
    [contrast],
  );
}
