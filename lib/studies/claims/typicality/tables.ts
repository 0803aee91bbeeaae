import { meanAndError, NUMBER, PERCENT, type Unit } from "../../evidence/format.js";
import { type Quantity, share } from "../../evidence/quantities.js";
import { measuredResults, quantityCells } from "../../evidence/tables.js";
import type { StudyResult, TableRow } from "../../study.js";
import {
  classLabels,
  MODELS,
  ofClass,
  resultAt,
  rhoOf,
  type RunTypicality,
  type TypicalityArms,
} from "./runs.js";
import {
  type Correlation,
  MAIN_THRESHOLD,
  type Relation,
  RELATIONS,
  type ThresholdResult,
  THRESHOLDS,
} from "./typicality-of-trace.js";
import { CASCADED_TD } from "../../evidence/model-names.js";

const TIMESTEPS: Unit = { difference: "", digits: 2 };

export function tablesOf(kinds: readonly TypicalityArms[]): StudyResult["tables"] {
  const byModel = (rows: (kind: TypicalityArms, model: string) => TableRow[]): TableRow[] =>
    kinds.flatMap((kind) =>
      MODELS.filter((model) => kind.arms.arms.includes(model)).flatMap((model) =>
        rows(kind, model).map((row) => ({
          images: kind.images,
          model,
          ...row,
        })),
      ),
    );
  return [
    {
      name: "correlation",
      title: `Spearman's rho of the C-score with latency or correctness at confidence ${MAIN_THRESHOLD}: mean ± standard error over n seeds, and of each seed with its 95 % bootstrap interval over images`,
      rows: byModel((kind, model) => RELATIONS.map((relation) => correlationRow(kind, model, relation))),
    },
    {
      name: "thresholds",
      title: "Latency by threshold of confidence, mean ± standard error over n seeds",
      rows: byModel((kind, model) => THRESHOLDS.map((threshold) => thresholdRow(kind, model, threshold))),
    },
    {
      name: "classes",
      title: `${CASCADED_TD} by class at confidence ${MAIN_THRESHOLD}, mean ± standard error over n seeds`,
      rows: kinds.flatMap((kind) => classLabels(kind).map((label) => classRow(kind, label))),
    },
    {
      name: "runs",
      title: "Every model, seed and threshold",
      rows: kinds.flatMap(({ images, arms }) =>
        measuredResults(arms).flatMap(({ measured }) => runRows(images, measured)),
      ),
    },
  ];
}

function correlationRow({ arms }: TypicalityArms, model: string, relation: Relation): TableRow {
  const rhos = arms.bySeed(model, rhoOf(relation, MAIN_THRESHOLD));
  const own = measuredResults(arms).filter(({ arm }) => arm === model);
  return {
    "C-score with": relation,
    rho: meanAndError(rhos, NUMBER.digits),
    n: rhos.length,
    ...Object.fromEntries(
      own.map(({ seed, measured }) => [
        `seed ${seed}`,
        intervalText(resultAt(measured, MAIN_THRESHOLD).correlations[relation]),
      ]),
    ),
  };
}

/**
 * "-0.512 [-0.530, -0.494]"; "none" where latency or correctness is the same for all images, and in the place of an interval
 * where that is so for some draws of them.
 */
function intervalText({ rho, low, high }: Correlation): string {
  if (Number.isNaN(rho)) return "none";
  const interval = Number.isNaN(low + high) ? "none" : `${low.toFixed(3)}, ${high.toFixed(3)}`;
  return `${rho.toFixed(3)} [${interval}]`;
}

function thresholdRow({ arms }: TypicalityArms, model: string, threshold: number): TableRow {
  const at =
    (value: (result: ThresholdResult) => number) =>
    (run: RunTypicality): number =>
      value(resultAt(run, threshold));
  const quantities: readonly Quantity<RunTypicality>[] = [
    { name: "mean latency", unit: TIMESTEPS, of: at(({ meanLatency }) => meanLatency) },
    share(
      "stopped before the last step, %",
      at(({ stoppedEarly }) => stoppedEarly),
    ),
    share(
      "accuracy, %",
      at(({ accuracy }) => accuracy),
    ),
    rhoOf("latency", threshold),
    rhoOf("latency of right answers", threshold),
  ];
  return { threshold, ...quantityCells(arms, model, quantities), n: arms.seeds.length };
}

function classRow({ images, arms }: TypicalityArms, label: number): TableRow {
  const [first] = measuredResults(arms);
  return {
    images,
    class: first?.measured.classNames[label] ?? label,
    ...quantityCells(arms, CASCADED_TD, [
      { ...ofClass(label, "cScore", TIMESTEPS), name: "C-score" },
      { ...ofClass(label, "selectionLatency", TIMESTEPS), name: "latency" },
      { ...ofClass(label, "accuracy", PERCENT, 100), name: "accuracy, %" },
      ofClass(label, "rho"),
    ]),
    n: arms.seeds.length,
  };
}

function runRows(images: string, { model, seed, run, examples, thresholds }: RunTypicality): TableRow[] {
  return thresholds.map(({ threshold, meanLatency, stoppedEarly, accuracy, correlations }) => ({
    images,
    model,
    seed,
    run,
    examples,
    threshold,
    meanLatency,
    stoppedEarly,
    accuracy,
    rho: correlations.latency.rho,
    rhoLow: correlations.latency.low,
    rhoHigh: correlations.latency.high,
    rhoOfRightAnswers: correlations["latency of right answers"].rho,
    rhoOfLeastTypical: correlations["latency of the least typical fifth"].rho,
    rhoOfCorrectness: correlations.correctness.rho,
  }));
}
