import { NUMBER, PERCENT } from "../../evidence/format.js";
import type { Grouped } from "../../evidence/image-groups.js";
import { PairedArms } from "../../evidence/paired-arms.js";
import type { Quantity } from "../../evidence/quantities.js";
import { mean } from "../../../util/statistics.js";
import { groupRows } from "../../../util/group-rows.js";
import type { CorrectnessRow } from "./correctness.js";
import type { AreaRow } from "./stopping.js";
import type { NoveltyRow } from "./novelty.js";

/** A number of all images, and of all but those of each group. */
interface Measured {
  readonly value: number;
}
export type MeasuredArms = PairedArms<Grouped<Measured>>;

/** Numbers by arm and seed: rows of one arm and seed are averaged. `withoutGroup` of a row: the number without each group. */
function numberArms<Row extends { readonly seed: number; readonly withoutGroup: readonly number[] }>(
  rows: readonly Row[],
  armOf: (row: Row) => string,
  numberOf: (row: Row) => number,
): MeasuredArms {
  const places = groupRows(rows, (row) => JSON.stringify([armOf(row), row.seed]));
  return PairedArms.grouped(
    [...places.values()].map((own) => {
      const [first] = own as [Row];
      const withoutGroup = first.withoutGroup.map((_, group) => ({
        value: mean(own.map((row) => row.withoutGroup[group] ?? NaN)),
      }));
      return {
        arm: armOf(first),
        seed: first.seed,
        measured: { value: mean(own.map(numberOf)), withoutGroup },
      };
    }),
  );
}

export const signalArm = ({ model, signal }: Pick<CorrectnessRow, "model" | "signal">): string =>
  `${model}, ${signal}`;
export const ruleArm = ({ model, rule }: Pick<AreaRow, "model" | "rule">): string => `${model}, ${rule}`;
export type Which = Pick<NoveltyRow, "model" | "detector" | "reads">;
export const detectorArm = ({ model, detector, reads }: Which): string => `${model}, ${detector} of ${reads}`;

export const correctnessArms = (rows: readonly CorrectnessRow[]): MeasuredArms =>
  numberArms(rows, signalArm, ({ auroc }) => auroc);
export const areaArms = (rows: readonly AreaRow[]): MeasuredArms =>
  numberArms(rows, ruleArm, ({ area }) => area);
export const noveltyArms = (rows: readonly NoveltyRow[]): MeasuredArms =>
  numberArms(rows, detectorArm, ({ auroc }) => auroc);

export const AUROC: Quantity<Measured> = {
  name: "AUROC",
  unit: { ...NUMBER, digits: 4 },
  of: ({ value }) => value,
};
/** In %. */
export const AREA: Quantity<Measured> = {
  name: "area",
  unit: { ...PERCENT, digits: 2 },
  of: ({ value }) => 100 * value,
};
