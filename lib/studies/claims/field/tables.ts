import { accuracyWithin } from "../../../trace/budget.js";
import { NUMBER } from "../../evidence/format.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { lastStep, type Quantity, share } from "../../evidence/quantities.js";
import { measuredResults, quantityCells } from "../../evidence/tables.js";
import type { StudyResult, TableRow } from "../../study.js";
import { areaWithin, AXES, type BudgetAxis, largestBudget, parallelAxis, PICOJOULES } from "./budgets.js";
import type { FieldModel } from "./measured.js";

const QUARTERS = [0.25, 0.5, 1];

export function tablesOf(
  arms: PairedArms<FieldModel>,
  linkLatencies: readonly number[],
): StudyResult["tables"] {
  const rows = (quantities: readonly Quantity<FieldModel>[]): TableRow[] =>
    arms.arms.map((arm) => ({
      competitor: arm,
      ...withoutNone(quantityCells(arms, arm, quantities)),
      n: arms.bySeed(arm, lastStep).length,
    }));
  return [
    {
      name: "area",
      title: `Mean accuracy in % over all budgets from none to the slowest competitor's last answer, an answer standing until the next is there and a guess before the first: ${AXES.map((axis) => `${axis.name} up to ${largestBudget(arms, axis).toPrecision(3)} ${axis.unit}`).join("; ")}. Energy: ${PICOJOULES} pJ a multiply-add`,
      rows: rows([...AXES.map((axis) => areaWithin(axis, largestBudget(arms, axis))), lastStep]),
    },
    {
      name: "accuracy-within-budgets",
      title: "Accuracy in % of the last answer within a quarter, half and all of the largest budget",
      rows: rows(AXES.slice(0, 3).flatMap((axis) => withinQuarters(arms, axis))),
    },
    {
      name: "measures",
      title:
        "Of the last answer: calibration error, negative log-likelihood in nats, Brier score, AUROC of confidence for being right; over time: oracle and destructive overthinking, in %; none for a family, of which one network is chosen beforehand",
      rows: rows(MEASURES),
    },
    {
      name: "stopping",
      title:
        "Where images stop once confident, by the boldest threshold that spoils at most 1 % of the answers to validation images: accuracy in %, and mean million multiply-adds; of all multiply-adds in %; none for a family, of which one network is chosen beforehand",
      rows: rows(STOPPING),
    },
    {
      name: "parallel-hardware",
      title: `Mean accuracy in % over budgets of time on hardware with a unit a block, by what a link between blocks takes, in million multiply-adds of a unit`,
      rows: rows(
        linkLatencies.map((latency, i) => {
          const axis = parallelAxis(i);
          return { ...areaWithin(axis, largestBudget(arms, axis)), name: `link ${latency / 1e6}` };
        }),
      ),
    },
    { name: "answers", title: "Every answer of every competitor and seed", rows: answerRows(arms) },
  ];
}

/** What does not apply to a competitor is none. */
function withoutNone(cells: TableRow): TableRow {
  return Object.fromEntries(
    Object.entries(cells).map(([name, cell]) => [name, String(cell).startsWith("NaN") ? "none" : cell]),
  );
}

function withinQuarters(arms: PairedArms<FieldModel>, axis: BudgetAxis): Quantity<FieldModel>[] {
  const end = largestBudget(arms, axis);
  return QUARTERS.map((part) =>
    share(`${(part * end).toPrecision(2)} ${axis.unit}`, (measured) =>
      accuracyWithin(
        { costs: axis.costsOf(measured), accuracy: measured.accuracy },
        part * end,
        1 / measured.classes,
      ),
    ),
  );
}

const measure =
  (name: string) =>
  ({ measures }: FieldModel): number =>
    measures[name] ?? NaN;
const number = (name: string, field: string): Quantity<FieldModel> => ({
  name,
  unit: NUMBER,
  of: measure(field),
});

const MEASURES: readonly Quantity<FieldModel>[] = [
  lastStep,
  share("oracle", measure("oracle")),
  share("overthinking", measure("overthinking")),
  number("calibration error", "calibrationError"),
  number("log-likelihood", "negativeLogLikelihood"),
  number("Brier", "brierScore"),
  number("AUROC", "failureAuroc"),
];

const STOPPING: readonly Quantity<FieldModel>[] = [
  share("accuracy", measure("stoppedAccuracy")),
  { name: "multiply-adds", unit: NUMBER, of: (one) => measure("stoppedMultiplyAdds")(one) / 1e6 },
  share("of all", (one) => measure("stoppedMultiplyAdds")(one) / measure("multiplyAdds")(one)),
];

function answerRows(arms: PairedArms<FieldModel>): TableRow[] {
  return measuredResults(arms).flatMap(({ arm, seed, measured }) =>
    measured.accuracy.map((accuracy, timestep) => ({
      competitor: arm,
      seed,
      timestep,
      accuracy,
      multiplyAdds: measured.multiplyAdds[timestep] ?? NaN,
      milliseconds: measured.milliseconds[timestep] ?? NaN,
      parallelTime: measured.parallelTimes[0]?.[timestep] ?? NaN,
    })),
  );
}
