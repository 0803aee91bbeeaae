import {
  areaUnderAccuracy,
  areaUnderSpeedAccuracy,
  type SpeedAxis,
  type SpeedRange,
} from "../../trace/area.js";
import { accuracyAtSpeed } from "../../trace/accuracy-at-speed.js";
import type { SpeedAccuracyPoint } from "../../trace/speed-accuracy-curve.js";
import { mean } from "../../util/statistics.js";
import { PERCENT, type Unit } from "./format.js";

/** A number of one run, under the name that tables and sentences give it. */
export interface Quantity<Measured> {
  readonly name: string;
  readonly unit: Unit;
  readonly of: (measured: Measured) => number;
}

/** Accuracy over time, [T], as shares. */
export interface OverTime {
  readonly accuracy: readonly number[];
}

/** A quantity that is a share, in %. */
export function share<Measured>(name: string, of: (measured: Measured) => number): Quantity<Measured> {
  return { name, unit: PERCENT, of: (measured) => 100 * of(measured) };
}

/** Accuracy at a timestep; NaN where there is none. */
export function accuracyAt(t: number): Quantity<OverTime> {
  return share(`t = ${t}`, ({ accuracy }) => accuracy[t] ?? NaN);
}

export const lastStep: Quantity<OverTime> = share("last", ({ accuracy }) => accuracy.at(-1) ?? NaN);

/** Mean accuracy over time, by trapezoids (`areaUnderAccuracy`). */
export const areaOverTime: Quantity<OverTime> = share("area", ({ accuracy }) => areaUnderAccuracy(accuracy));

/** Mean accuracy over some timesteps. */
export function meanAccuracyOver(timesteps: readonly number[]): Quantity<OverTime> {
  return share("early", ({ accuracy }) => mean(timesteps.map((t) => accuracy[t] ?? NaN)));
}

/** Mean accuracy under the speed-accuracy curve over a range of speeds. */
export function areaUnderCurve(
  range: SpeedRange,
  axis: SpeedAxis = "meanStoppingTime",
): Quantity<{ readonly curve: readonly SpeedAccuracyPoint[] }> {
  return share("area under speed-accuracy", ({ curve }) => areaUnderSpeedAccuracy(curve, range, axis));
}

/** Accuracy of the speed-accuracy curve at a mean stopping time. */
export function accuracyAtMeanStop(
  meanStoppingTime: number,
): Quantity<{ readonly curve: readonly SpeedAccuracyPoint[] }> {
  return share(`mean stop ${meanStoppingTime}`, ({ curve }) => accuracyAtSpeed(curve, meanStoppingTime));
}

/** What changes from one quantity to the other. */
export function change<Measured>(
  name: string,
  from: Quantity<Measured>,
  to: Quantity<Measured>,
): Quantity<Measured> {
  return { name, unit: to.unit, of: (measured) => to.of(measured) - from.of(measured) };
}

/** What a change of the training is judged by: early, later and last accuracy, and the area over time. */
export const USUAL_QUANTITIES = [accuracyAt(1), accuracyAt(3), lastStep, areaOverTime] as const;
