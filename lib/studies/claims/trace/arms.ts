import { NUMBER, PERCENT } from "../../evidence/format.js";
import { PairedArms } from "../../evidence/paired-arms.js";
import type { Quantity } from "../../evidence/quantities.js";
import { mean } from "../../../util/statistics.js";
import { groupRows } from "../../../util/group-rows.js";
import type { CorrectnessRow } from "./correctness.js";
import type { AreaRow } from "./stopping.js";
import type { NoveltyRow } from "./novelty.js";

/** Numbers by arm and seed: rows of one arm and seed are averaged. */
function numberArms<Row extends { readonly seed: number }>(
  rows: readonly Row[],
  armOf: (row: Row) => string,
  numberOf: (row: Row) => number,
): PairedArms<number> {
  const groups = groupRows(rows, (row) => JSON.stringify([armOf(row), row.seed]));
  return new PairedArms(
    [...groups.values()].map((own) => {
      const [first] = own as [Row];
      return { arm: armOf(first), seed: first.seed, measured: mean(own.map(numberOf)) };
    }),
  );
}

export const signalArm = ({ model, signal }: Pick<CorrectnessRow, "model" | "signal">): string =>
  `${model}, ${signal}`;
export const ruleArm = ({ model, rule }: Pick<AreaRow, "model" | "rule">): string => `${model}, ${rule}`;
export type Which = Pick<NoveltyRow, "model" | "detector" | "reads">;
export const detectorArm = ({ model, detector, reads }: Which): string => `${model}, ${detector} of ${reads}`;

export const correctnessArms = (rows: readonly CorrectnessRow[]): PairedArms<number> =>
  numberArms(rows, signalArm, ({ auroc }) => auroc);
export const areaArms = (rows: readonly AreaRow[]): PairedArms<number> =>
  numberArms(rows, ruleArm, ({ area }) => 100 * area);
export const noveltyArms = (rows: readonly NoveltyRow[]): PairedArms<number> =>
  numberArms(rows, detectorArm, ({ auroc }) => auroc);

export const AUROC: Quantity<number> = {
  name: "AUROC",
  unit: { ...NUMBER, digits: 4 },
  of: (auroc) => auroc,
};
/** In %. */
export const AREA: Quantity<number> = {
  name: "area",
  unit: { ...PERCENT, digits: 2 },
  of: (area) => area,
};
