import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import { widthOf } from "../../../experiments/specs/network-spec.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { type AnytimeMeasures, anytimeMeasures } from "../../evidence/anytime-measures.js";
import { changeCells, JUDGED } from "../../evidence/changed-arms.js";
import { differenceAndError } from "../../evidence/mean-and-error.js";
import { leads, PairedArms } from "../../evidence/paired-arms.js";
import { presetTraining } from "../../preset-trainings.js";
import type { Finding, StudyContext, StudyResult } from "../../study.js";

/** Lambda 0 and 1 on a larger network that is trained for longer: does the order depend on that? */
export interface LongerTraining {
  readonly seeds: readonly number[];
  /** Changes to the preset of CascadedTD. */
  readonly overrides: readonly string[];
}

const MODEL = "CascadedTD";
const LAMBDAS = [0, 1];
const armOf = (lambda: number): string => `λ = ${lambda}`;

export function longerTrainings(
  { seeds, overrides }: LongerTraining,
  data: ResolvedDatasetSource,
): RunSpec[] {
  return seeds.flatMap((seed) =>
    LAMBDAS.map((lambda) =>
      presetTraining("cascaded-td", seed, [...overrides, `loss.lambda=${lambda}`], data),
    ),
  );
}

/** Such as "width 0.25, all images, 5 epochs". */
function sizeOf([spec]: readonly RunSpec[]): string {
  const { network, trainImages, train } = spec as RunSpec;
  return `width ${widthOf(network)}, ${trainImages ?? "all"} images, ${train.epochs} epochs`;
}

/** One finding for each judged number, and the table of both lambdas. */
export async function analyseLongerTraining(
  training: LongerTraining,
  context: StudyContext,
): Promise<Pick<StudyResult, "findings" | "tables">> {
  const results = [];
  for (const spec of longerTrainings(training, context.data)) {
    const measured = await anytimeMeasures(spec, context);
    results.push({ arm: armOf(spec.loss.lambda), seed: spec.seed, measured });
  }
  const paired = new PairedArms<AnytimeMeasures>(results);
  const size = sizeOf(longerTrainings(training, context.data));
  return {
    findings: JUDGED.map(({ name, quantity }): Finding => {
      const lead = paired.lead(armOf(0), armOf(1), quantity);
      return {
        statement: `${MODEL}, larger and trained for longer (${size}), ${name}: the paper's λ = 0 is ahead of λ = 1 (rule: mean paired difference over the seeds above its standard error)`,
        measured: `${differenceAndError(lead)} points; n = ${lead.length}`,
        comesOut: leads(lead),
      };
    }),
    tables: [
      {
        name: "longer-training",
        title: `${MODEL}, larger and trained for longer (${size}): accuracy in %, mean ± standard error over n seeds; in brackets the paired difference to λ = 0`,
        rows: LAMBDAS.map((lambda) => ({
          lambda,
          ...changeCells(paired, armOf(lambda), armOf(0)),
          n: paired.seeds.length,
        })),
      },
    ],
  };
}
