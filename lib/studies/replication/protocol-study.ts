import { hasCScores, type ResolvedDatasetSource } from "../../datasets/source.js";
import type { RunSpec } from "../../experiments/specs/spec.js";
import { analyseSurvivors } from "../diverged.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../study.js";
import type { StudyContext } from "../study-context.js";
import { combined, type SpecChange } from "../../experiments/specs/spec-change.js";

/** What a data set may have beyond images and labels. */
export type DataFeature = "C-scores";

/** What a study does where the data lack a feature, as the end of a sentence that begins with the study. */
export type Fallbacks = Readonly<Partial<Record<DataFeature, string>>>;

/** A study with its settings for every protocol. Which type its settings have is its own affair. */
export interface ProtocolStudy {
  readonly name: string;
  readonly title: string;
  readonly claim: string;
  readonly fallbacks: Fallbacks;
  /** Why this machine cannot do it, as the end of a sentence; undefined where it can. */
  cannotRun(): string | undefined;
  /** The study as a protocol has it, with the person's own changes. */
  configure(protocol: ProtocolName, changes?: SettingsChanges): ConfiguredStudy;
}

/** What a person may change of a protocol's settings. */
export interface SettingsChanges {
  /** In the place of the protocol's seeds. */
  readonly seeds?: readonly number[] | undefined;
  /** After the protocol's change. */
  readonly change?: SpecChange;
}

/** A study whose settings are chosen: what is left to give is the data. */
export interface ConfiguredStudy {
  readonly name: string;
  readonly title: string;
  readonly claim: string;
  readonly settings: StudySettings;
  trainings(data: ResolvedDatasetSource): RunSpec[];
  analyse(context: StudyContext): Promise<StudyResult>;
}

/** Pairs a study with its settings and says what it does where the data lack something. */
export function withSettings<Settings extends StudySettings>(
  study: Study<Settings>,
  byProtocol: Readonly<Record<ProtocolName, Settings>>,
  fallbacks: Fallbacks = {},
): ProtocolStudy {
  const { name, title, claim } = study;
  return {
    name,
    title,
    claim,
    fallbacks,
    cannotRun: () => study.cannotRun?.(),
    configure(protocol, { seeds, change = {} } = {}) {
      const chosen = byProtocol[protocol];
      const settings: Settings = {
        ...chosen,
        seeds: seeds ?? chosen.seeds,
        change: combined(chosen.change, change),
      };
      return {
        name,
        title,
        claim,
        settings,
        trainings: (data) => study.trainings(settings, data),
        analyse: (context) => analyseSurvivors(study, settings, context),
      };
    },
  };
}

/** What a study does for want of features that a source lacks: a sentence each. */
export function neededFallbacks(
  { title, fallbacks }: ProtocolStudy,
  source: ResolvedDatasetSource,
): string[] {
  const has: Readonly<Record<DataFeature, boolean>> = {
    "C-scores": hasCScores(source),
  };
  return Object.entries(fallbacks)
    .filter(([feature]) => !has[feature as DataFeature])
    .map(([feature, consequence]) => `${feature}: "${title}" ${consequence}`);
}
