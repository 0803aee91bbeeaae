import { groupRows } from "../../../util/group-rows.js";
import { differenceAndError, meanAndError, NUMBER } from "../../evidence/format.js";
import type { StudyResult, TableRow } from "../../study.js";
import {
  AREA,
  areaArms,
  AUROC,
  detectorArm,
  correctnessArms,
  noveltyArms,
  ruleArm,
  signalArm,
} from "./arms.js";
import type { CorrectnessRow } from "./correctness.js";
import type { AreaRow } from "./stopping.js";
import type { NoveltyRow } from "./novelty.js";
import type { TraceRows } from "./rows.js";

export function tablesOf(
  { correctness, areas, novelty }: TraceRows,
  photographs: readonly TableRow[] = [],
): StudyResult["tables"] {
  return [
    { name: "judging", title: "AUROC of right against wrong answers", rows: correctnessTable(correctness) },
    { name: "stopping", title: "Area under the speed-accuracy curve", rows: areaTable(areas) },
    {
      name: "novelty",
      title: "AUROC of out-of-distribution against in-distribution images",
      rows: noveltyTable(novelty),
    },
    ...(photographs.length === 0
      ? []
      : [
          {
            name: "photographs",
            title: "Photographs of other data sets, parted by class",
            rows: photographs,
          },
        ]),
  ];
}

function correctnessTable(rows: readonly CorrectnessRow[]): TableRow[] {
  const places = groupRows(rows, (row) => `${row.model}/${row.timestep}`);
  return [...places.values()].map((own) => {
    const { model, timestep } = own[0] as CorrectnessRow;
    const arms = correctnessArms(own);
    const gru = signalArm({ model, signal: "GRU" });
    const confidence = signalArm({ model, signal: "confidence" });
    return {
      model,
      timestep,
      GRU: meanAndError(arms.bySeed(gru, AUROC), NUMBER.digits),
      confidence: meanAndError(arms.bySeed(confidence, AUROC), NUMBER.digits),
      "lead of the GRU": differenceAndError(arms.lead(gru, confidence, AUROC), AUROC.unit.digits),
      n: arms.seeds.length,
      "95 % of the first seed, GRU": interval(own.find((row) => row.signal === "GRU")),
      "confidence's": interval(own.find((row) => row.signal === "confidence")),
    };
  });
}

function areaTable(rows: readonly AreaRow[]): TableRow[] {
  const arms = areaArms(rows);
  const places = groupRows(rows, ruleArm);
  return [...places].map(([arm, own]) => {
    const { model, rule } = own[0] as AreaRow;
    const lead = arms.lead(arm, ruleArm({ model, rule: "confidence" }), AREA);
    return {
      model,
      rule,
      "area, %": meanAndError(arms.bySeed(arm, AREA), AREA.unit.digits),
      "lead over confidence, points": differenceAndError(lead, AREA.unit.digits),
      n: lead.length,
    };
  });
}

function noveltyTable(rows: readonly NoveltyRow[]): TableRow[] {
  const places = groupRows(rows, (row) => `${row.outOfDistribution}/${detectorArm(row)}`);
  return [...places.values()].map((own) => {
    const { outOfDistribution, model, detector, reads, learntFrom } = own[0] as NoveltyRow;
    const aurocs = noveltyArms(own).bySeed(detectorArm({ model, detector, reads }), AUROC);
    return {
      "out of distribution": outOfDistribution,
      model,
      detector,
      reads,
      "learnt from": learntFrom,
      AUROC: meanAndError(aurocs, NUMBER.digits),
      n: aurocs.length,
      "95 % of each seed": own.map(interval).join("; "),
    };
  });
}

function interval(row: { readonly low: number; readonly high: number } | undefined): string {
  return row === undefined ? "" : `${row.low.toFixed(3)} to ${row.high.toFixed(3)}`;
}
