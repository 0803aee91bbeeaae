import { isDeepStrictEqual } from "node:util";
import { trainingRun } from "../experiments/runs/training-run.js";
import { analyseSurvivors } from "./diverged.js";
import type { Study, StudyResult, StudySettings } from "./study.js";
import type { StudyContext } from "./study-context.js";

/**
 * Trains what a study needs and is not trained yet, then analyses it: for notebooks. Where the machine cannot do the
 * study nothing is trained, and the result says why.
 */
export async function runStudy<Settings extends StudySettings>(
  study: Study<Settings>,
  settings: Settings,
  context: StudyContext,
): Promise<StudyResult> {
  const notTested = study.cannotRun?.();
  if (notTested !== undefined) return { findings: [], tables: [], figures: [], numbers: [], notTested };
  for (const spec of study.trainings(settings, context.data)) {
    // A study may need trainings on other images too; those are loaded by their spec.
    const shared = isDeepStrictEqual(spec.data, context.data) ? { dataset: await context.dataset() } : {};
    await trainingRun(spec, { root: context.root, quiet: true, ...shared });
  }
  return analyseSurvivors(study, settings, context);
}
