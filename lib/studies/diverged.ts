import { divergedSummary, divergenceText } from "../experiments/runs/divergence.js";
import type { RunSpec } from "../experiments/specs/spec.js";
import { readRun } from "../experiments/runs/run-record.js";
import type { DivergedTraining, Study, StudyResult, StudySettings } from "./study.js";
import type { StudyContext } from "./study-context.js";

/** Those of a study's trainings that diverged; a UserError if one is not finished. */
function divergedTrainings(specs: readonly RunSpec[], context: StudyContext): DivergedTraining[] {
  return specs.flatMap((spec) => {
    const directory = context.run(spec);
    const summary = divergedSummary(directory);
    if (summary === null) return [];
    const { name, hash } = readRun(directory);
    return [{ name, hash, seed: spec.seed, text: divergenceText(summary.diverged) }];
  });
}

/** "2 of 24 trainings diverged: seeds 3, 7". */
export function divergedText(diverged: readonly Pick<DivergedTraining, "seed">[], trainings: number): string {
  const seeds = [...new Set(diverged.map(({ seed }) => seed))].sort((a, b) => a - b);
  return `${diverged.length} of ${trainings} trainings diverged: seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")}`;
}

/**
 * Analyses what a study's trainings gave. Every comparison is paired by seed, so a seed with a training that diverged
 * is left out of all of them; tables and captions say so. Where fewer than two seeds are left of several, and where
 * none is left, nothing is tested. A study that handles divergence gets all its seeds, and leaves out less.
 */
export async function analyseSurvivors<Settings extends StudySettings>(
  study: Study<Settings>,
  settings: Settings,
  context: StudyContext,
): Promise<StudyResult> {
  const specs = study.trainings(settings, context.data);
  const diverged = divergedTrainings(specs, context);
  if (diverged.length === 0) return study.analyse(settings, context);
  const text = divergedText(diverged, specs.length);
  if (study.handlesDivergence === true) return noted(await study.analyse(settings, context), diverged, text);
  const seeds = settings.seeds.filter((seed) => diverged.every((one) => one.seed !== seed));
  if (seeds.length < Math.min(2, settings.seeds.length)) {
    const left =
      seeds.length === 0 ? "no seed is left to compare" : `seed ${seeds.join()} alone decides nothing`;
    const notTested = `${text}; ${left}`;
    context.onProgress(`${study.title}: not tested here: ${notTested}`);
    return { findings: [], tables: [], figures: [], numbers: [], diverged, notTested };
  }
  context.onProgress(`${study.title}: ${text}, left out`);
  return noted(await study.analyse({ ...settings, seeds }, context), diverged, `${text}, left out`);
}

/** A result whose tables and captions say which trainings diverged. */
function noted(result: StudyResult, diverged: readonly DivergedTraining[], note: string): StudyResult {
  return {
    ...result,
    tables: result.tables.map((table) => ({ ...table, title: `${table.title} (${note})` })),
    figures: result.figures.map((figure) => ({
      ...figure,
      caption: `${figure.caption} ${note[0]?.toUpperCase() ?? ""}${note.slice(1)}.`,
    })),
    diverged,
  };
}
