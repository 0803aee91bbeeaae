import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import { widthOf } from "../../../experiments/specs/network-spec.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { anytimeArms } from "../../evidence/anytime-models.js";
import { type Draft, finding } from "../../evidence/finding.js";
import { areaOverTime, USUAL_QUANTITIES } from "../../evidence/quantities.js";
import { isAhead } from "../../evidence/rules.js";
import { changeCells } from "../../evidence/tables.js";
import { presetTraining } from "../../preset-trainings.js";
import type { StudyResult } from "../../study.js";
import { anytimeSeries, numberRows } from "../../evidence/numbers.js";
import type { StudyContext } from "../../study-context.js";
import { combined, type SpecChange } from "../../../experiments/specs/spec-change.js";
import { CASCADED_TD } from "../../evidence/model-names.js";

/** Lambda 0 and 1 on a larger network that is trained for longer: does the order depend on that? */
export interface LongerTraining {
  readonly seeds: readonly number[];
  /** Changes to the preset of CascadedTD. */
  readonly change: SpecChange;
}

const LAMBDAS = [0, 1];
const armOf = (lambda: number): string => `λ = ${lambda}`;

export function longerTrainings({ seeds, change }: LongerTraining, data: ResolvedDatasetSource): RunSpec[] {
  return seeds.flatMap((seed) =>
    LAMBDAS.map((lambda) =>
      presetTraining("cascaded-td", seed, combined(change, { loss: { lambda: lambda } }), data),
    ),
  );
}

/** Such as "width 0.25, all images, 5 epochs". */
function sizeOf([spec]: readonly RunSpec[]): string {
  const { network, trainImages, train } = spec as RunSpec;
  return `width ${widthOf(network)}, ${trainImages ?? "all"} images, ${train.epochs} epochs`;
}

/** A finding for each usual quantity, the area being the end point, and the table of both lambdas. */
export async function analyseLongerTraining(
  training: LongerTraining,
  context: StudyContext,
): Promise<Pick<StudyResult, "tables" | "numbers"> & { readonly findings: readonly Draft[] }> {
  const specs = longerTrainings(training, context.data);
  const arms = await anytimeArms(specs, context, (_, { loss }) => armOf(loss.lambda));
  const about = `${CASCADED_TD}, larger and trained for longer (${sizeOf(specs)})`;
  return {
    findings: USUAL_QUANTITIES.map((quantity) =>
      finding(
        {
          statement: `${about}, ${quantity.name}: the paper's λ = 0 is ahead of λ = 1`,
          by: "paper",
          ...(quantity === areaOverTime && { carries: true }),
        },
        isAhead,
        arms.over(armOf(0), [armOf(1)], quantity),
      ),
    ),
    numbers: numberRows(arms, anytimeSeries, "longer training"),
    tables: [
      {
        name: "longer-training",
        title: `${about}: accuracy in %, mean ± standard error over n seeds; in brackets the paired difference to λ = 0`,
        rows: LAMBDAS.map((lambda) => ({
          lambda,
          ...changeCells(arms, armOf(lambda), armOf(0), USUAL_QUANTITIES),
          n: arms.lead(armOf(0), armOf(1), areaOverTime).length,
        })),
      },
    ],
  };
}
