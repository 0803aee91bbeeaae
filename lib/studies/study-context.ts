import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Dataset } from "../datasets/dataset.js";
import { loadDataset } from "../datasets/load.js";
import type { ResolvedDatasetSource } from "../datasets/source.js";
import { runDirectory } from "../experiments/runs/run-folder.js";
import { assertSameImages, classesSeen, runOutcome } from "../experiments/runs/run-images.js";
import { DONE } from "../experiments/runs/done-record.js";
import type { RunSpec } from "../experiments/specs/spec.js";
import { UserError } from "../util/errors.js";
import { type Analysis, cachedAnalysis } from "./evidence/cached-analysis.js";
import { type PaperFigure, paperFigureFor } from "./evidence/paper-figure.js";
import { RUNS } from "../experiments/runs/run-record.js";

/** A data set under the name that results have for it. */
export interface NamedDataset {
  readonly name: string;
  readonly dataset: Dataset;
}

/** Where a study finds its data and its finished runs. */
export class StudyContext {
  #dataset: Promise<Dataset> | undefined;
  #otherDatasets: Promise<readonly NamedDataset[]> | undefined;

  constructor(
    readonly data: ResolvedDatasetSource,
    /** Folder of all runs. */
    readonly root = RUNS,
    /** Told what is being worked on. */
    readonly onProgress: (message: string) => void = () => undefined,
    /** Data sets that nothing is trained on, whose photographs are to be told from the study's own. */
    readonly photographs: readonly { readonly name: string; readonly source: ResolvedDatasetSource }[] = [],
  ) {}

  /** The images, loaded on the first call. */
  dataset(): Promise<Dataset> {
    this.#dataset ??= loadDataset(this.data);
    return this.#dataset;
  }

  /** The data sets of `photographs`, loaded on the first call. */
  otherDatasets(): Promise<readonly NamedDataset[]> {
    this.#otherDatasets ??= Promise.all(
      this.photographs.map(async ({ name, source }) => ({ name, dataset: await loadDataset(source) })),
    );
    return this.#otherDatasets;
  }

  /** The images for an analysis of a finished run; a UserError where they are not those that it saw. */
  async datasetOf(spec: RunSpec): Promise<Dataset> {
    const dataset = await this.dataset();
    assertSameImages(this.run(spec), dataset.hash, this.data);
    return dataset;
  }

  /** The paper's figure, where finished runs (the first one is asked) learnt the classes that it is of; else empty. */
  paperFigure([first]: readonly RunSpec[]): PaperFigure {
    return paperFigureFor(first === undefined ? [] : classesSeen(this.run(first)));
  }

  /** Directory of the finished run of a spec; a UserError if it is not finished. */
  run(spec: RunSpec): string {
    const directory = runDirectory(this.root, spec);
    if (existsSync(join(directory, DONE))) return directory;
    throw new UserError(`${directory} is not finished; train it with "cascade run" or "cascade replicate"`);
  }

  /** `cached` for a result of a finished run: of its weights and images, should it be deleted and run anew. */
  cachedOf<Result>(
    spec: RunSpec,
    analysis: Analysis<Result>,
    key: Readonly<Record<string, unknown>>,
    compute: () => Promise<Result> | Result,
  ): Promise<Result> {
    return this.cached(analysis, { ...key, ...runOutcome(this.run(spec)) }, compute);
  }

  /** The result of `compute`, computed once for each `key` and version of the code (`cachedAnalysis`). */
  cached<Result>(
    analysis: Analysis<Result>,
    key: Readonly<Record<string, unknown>>,
    compute: () => Promise<Result> | Result,
  ): Promise<Result> {
    return cachedAnalysis(join(this.root, "analyses"), analysis, key, compute, this.onProgress);
  }
}
