import { join } from "node:path";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import type { Dataset } from "../datasets/dataset.js";
import { loadDataset } from "../datasets/load.js";
import type { ResolvedDatasetSource } from "../datasets/source.js";
import { runDirectory } from "../experiments/runs/run-folder.js";
import { assertSameImages, runOutcome } from "../experiments/runs/run-images.js";
import { DONE } from "../experiments/runs/run-record.js";
import type { RunSpec } from "../experiments/specs/spec.js";
import type { PlotlyFigure } from "../figures/figure.js";
import { UserError } from "../util/errors.js";
import { contentHash } from "../util/content-hash.js";
import { fileError, writeFileAtomic } from "../util/files.js";

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
  /** Trainings that diverged are among what it counts, so its analysis gets the seeds that have one. */
  readonly countsDivergence?: true;
  /** Why this machine cannot do it, as the end of a sentence; undefined where it can. */
  cannotRun?(): string | undefined;
  /** A UserError if a training is not finished. */
  analyse(settings: Settings, context: StudyContext): Promise<StudyResult>;
}

/** What every study needs to be told. */
export interface StudySettings {
  readonly seeds: readonly number[];
  /** Changes to the presets' specs, as `applyOverrides` takes them: "train.epochs=5". */
  readonly overrides: readonly string[];
}

/** How far a replication goes: minutes, hours on two cores, or the paper's own size. */
export type ProtocolName = "quick" | "reduced" | "full";

/** One checkable part of a claim. `measured` says it in numbers. */
export interface Finding {
  readonly statement: string;
  readonly measured: string;
  readonly comesOut: boolean;
}

export type TableRow = Readonly<Record<string, string | number>>;

/** A training that a study asked for and that diverged. */
export interface DivergedTraining {
  readonly name: string;
  readonly hash: string;
  readonly seed: number;
  /** Where, and what became not finite. */
  readonly text: string;
}

/** What a study found: a finding for each part of its claim, with the tables and figures that show it. */
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
  /** Trainings that diverged; left out where there are none. */
  readonly diverged?: readonly DivergedTraining[];
  /** Why there are no findings: trainings that diverged left too little to compare, or the machine cannot do it. */
  readonly notTested?: string;
}

export type Verdict = "comes out" | "comes out in part" | "does not come out" | "not tested here";

/** What the findings say of the claim as a whole: that all of them hold, some, or none. */
export function verdictOf({ findings }: Pick<StudyResult, "findings">): Verdict {
  if (findings.length === 0) return "not tested here";
  const held = findings.filter(({ comesOut }) => comesOut).length;
  if (held === 0) return "does not come out";
  return held === findings.length ? "comes out" : "comes out in part";
}

/** Where a study finds its data and its finished runs. */
export class StudyContext {
  #dataset: Promise<Dataset> | undefined;

  constructor(
    readonly data: ResolvedDatasetSource,
    /** Folder of all runs. */
    readonly root = join("data", "runs"),
    /** Told what is being worked on. */
    readonly onProgress: (message: string) => void = () => undefined,
  ) {}

  /** The images, loaded on the first call. */
  dataset(): Promise<Dataset> {
    this.#dataset ??= loadDataset(this.data);
    return this.#dataset;
  }

  /** The images for an analysis of a finished run; a UserError where they are not those that it saw. */
  async datasetOf(spec: RunSpec): Promise<Dataset> {
    const dataset = await this.dataset();
    assertSameImages(this.run(spec), dataset.hash, this.data);
    return dataset;
  }

  /** Directory of the finished run of a spec; a UserError if it is not finished. */
  run(spec: RunSpec): string {
    const directory = runDirectory(this.root, spec);
    if (existsSync(join(directory, DONE))) return directory;
    throw new UserError(`${directory} is not finished; train it with "cascade run" or "cascade replicate"`);
  }

  /** `kept` for a result of a finished run: of its weights and images, should it be deleted and run anew. */
  keptOf<Result>(
    spec: RunSpec,
    key: Readonly<Record<string, unknown>>,
    compute: () => Promise<Result> | Result,
  ): Promise<Result> {
    return this.kept({ ...key, ...runOutcome(this.run(spec)) }, compute);
  }

  /**
   * The result of `compute`, kept under the hash of `key` so that it is computed once. The key holds all that the
   * result depends on, such as the hashes of the runs, and a name for the computation; the result is plain data.
   */
  async kept<Result>(
    key: Readonly<Record<string, unknown>>,
    compute: () => Promise<Result> | Result,
  ): Promise<Result> {
    const folder = join(this.root, "analyses");
    const path = join(folder, `${contentHash(key)}.json`);
    if (existsSync(path)) {
      try {
        return JSON.parse(await readFile(path, "utf8"), withNaN) as Result;
      } catch {
        this.onProgress(`${path} is damaged and computed again`);
      }
    }
    const result = await compute();
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw fileError(error, "write", folder);
    });
    await writeFileAtomic(path, JSON.stringify(result, withoutNaN));
    return result;
  }
}

/** NaN, which JSON cannot hold, is kept under its name: what is read back equals what was computed. */
const withoutNaN = (_key: string, value: unknown): unknown => (Number.isNaN(value) ? "NaN" : value);
const withNaN = (_key: string, value: unknown): unknown => (value === "NaN" ? NaN : value);
