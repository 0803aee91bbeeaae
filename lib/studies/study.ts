import type { ResolvedDatasetSource } from "../datasets/source.js";
import type { RunSpec } from "../experiments/specs/spec.js";
import type { PlotlyFigure } from "../figures/figure.js";
import type { NumberRow } from "./evidence/numbers.js";
import type { Finding } from "./evidence/finding.js";
import type { StudyContext } from "./study-context.js";
import { type SpecChange } from "../experiments/specs/spec-change.js";

/**
 * A claim of the paper, how it is tested and what came out. A study names the trainings that it needs and reads
 * their traces and weights afterwards; it never trains.
 */
export interface Study<Settings extends StudySettings = StudySettings> {
  /** File and folder name of its results, such as "noise". */
  readonly name: string;
  readonly title: string;
  /** What the paper says, in a sentence or two. */
  readonly claim: string;
  trainings(settings: Settings, data: ResolvedDatasetSource): RunSpec[];
  /** Its analysis gets the seeds with which a training diverged too: it leaves them out itself, or counts them. */
  readonly handlesDivergence?: true;
  /** Why this machine cannot do it, as the end of a sentence; undefined where it can. */
  cannotRun?(): string | undefined;
  /** A UserError if a training is not finished. */
  analyse(settings: Settings, context: StudyContext): Promise<StudyResult>;
}

/** What every study needs to be told. */
export interface StudySettings {
  readonly seeds: readonly number[];
  /** What its trainings have otherwise than the presets. */
  readonly change: SpecChange;
}

/** How far a replication goes: minutes, hours or days on two cores, or the paper's own size. */
export type ProtocolName = "quick" | "reduced" | "settled" | "full";

export type TableRow = Readonly<Record<string, string | number>>;

/** A training that a study asked for and that diverged. */
export interface DivergedTraining {
  readonly name: string;
  readonly hash: string;
  readonly seed: number;
  /** Where, and what became not finite. */
  readonly text: string;
}

/** What a study found: a finding for each part of its claim, tables and figures that show it, and the numbers they are of. */
export interface StudyResult {
  readonly findings: readonly Finding[];
  readonly tables: readonly {
    readonly name: string;
    readonly title: string;
    readonly rows: readonly TableRow[];
  }[];
  readonly figures: readonly {
    /** File name without extension. */
    readonly name: string;
    readonly caption: string;
    readonly figure: PlotlyFigure;
  }[];
  /** Every run's own numbers. */
  readonly numbers: readonly NumberRow[];
  /** Trainings that diverged; left out where there are none. */
  readonly diverged?: readonly DivergedTraining[];
  /** Why there are no findings: trainings that diverged left too little to compare, or the machine cannot do it. */
  readonly notTested?: string;
}
