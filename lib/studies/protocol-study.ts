import type { ResolvedDatasetSource } from "../datasets/source.js";
import type { RunSpec } from "../experiments/spec.js";
import type { ProtocolName, Study, StudyContext, StudyResult, StudySettings } from "./study.js";

/** What a study may need of a data set beyond images and labels. */
export type DataNeed = "C-scores";

/** A study with its settings for every protocol. Which type its settings have is its own affair. */
export interface ProtocolStudy {
  readonly name: string;
  readonly title: string;
  readonly claim: string;
  readonly needs: readonly DataNeed[];
  /** The study as a protocol has it, with the person's own changes. */
  settle(protocol: ProtocolName, changes?: SettingsChanges): SettledStudy;
}

/** What a person may change of a protocol's settings. */
export interface SettingsChanges {
  /** In the place of the protocol's seeds. */
  readonly seeds?: readonly number[] | undefined;
  /** After the protocol's overrides: "train.epochs=5". */
  readonly overrides?: readonly string[];
}

/** A study whose settings are chosen: what is left to give is the data. */
export interface SettledStudy {
  readonly name: string;
  readonly title: string;
  readonly claim: string;
  readonly settings: StudySettings;
  trainings(data: ResolvedDatasetSource): RunSpec[];
  analyse(context: StudyContext): Promise<StudyResult>;
}

/** Pairs a study with its settings; `needs` are the things without which it is left out. */
export function withSettings<Settings extends StudySettings>(
  study: Study<Settings>,
  byProtocol: Readonly<Record<ProtocolName, Settings>>,
  needs: readonly DataNeed[] = [],
): ProtocolStudy {
  const { name, title, claim } = study;
  return {
    name,
    title,
    claim,
    needs,
    settle(protocol, { seeds, overrides = [] } = {}) {
      const chosen = byProtocol[protocol];
      const settings: Settings = {
        ...chosen,
        seeds: seeds ?? chosen.seeds,
        overrides: [...chosen.overrides, ...overrides],
      };
      return {
        name,
        title,
        claim,
        settings,
        trainings: (data) => study.trainings(settings, data),
        analyse: (context) => study.analyse(settings, context),
      };
    },
  };
}

/** Which of `needs` a source lacks. */
export function lackedBy(source: ResolvedDatasetSource, needs: readonly DataNeed[]): DataNeed[] {
  const has: Readonly<Record<DataNeed, boolean>> = {
    "C-scores": source.kind === "procedural" || source.cScores !== undefined,
  };
  return needs.filter((need) => !has[need]);
}
