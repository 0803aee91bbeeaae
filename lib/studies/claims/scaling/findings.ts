import type { AnytimeModel } from "../../evidence/anytime-models.js";
import { type Contrast, type Draft, finding, type Statement } from "../../evidence/finding.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import { accuracyAtMeanStop, lastStep, type Quantity } from "../../evidence/quantities.js";
import { isAbove, isAhead, isNotBehind, isSame, SAME_POINTS } from "../../evidence/rules.js";
import { armOf, networkText, type ScalingSettings, type Size, sizesByEpochs, sizesByWidth } from "./sizes.js";
import { CASCADED_CE, CASCADED_TD, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";

/** The mean stopping time at which an early lead is measured: one that the paper's figure has too. */
export const EARLY_ACCURACY = accuracyAtMeanStop(3);

type Arms = PairedArms<AnytimeModel>;

/** CascadedTD over another model of the same size, a number for each seed. */
export function leads(arms: Arms, other: string, quantity: Quantity<AnytimeModel>, size: Size): number[] {
  return arms.lead(armOf(CASCADED_TD, size), armOf(other, size), quantity);
}

/** Three end points: the gap closes with epochs and with width, and the early lead is there at the longest training. */
export function findingsOf(arms: Arms, settings: ScalingSettings): Draft[] {
  const { width, epochsOfWidths, deeper } = settings;
  const [shortest, longest] = ends(sizesByEpochs(settings));
  const [narrowest, widest] = ends(sizesByWidth(settings));
  const change = (other: string, quantity: Quantity<AnytimeModel>, from: Size, to: Size): Contrast =>
    arms.contrast(`${CASCADED_TD} over ${other}, change`, quantity.unit, (some) =>
      differences(leads(some, other, quantity, to), leads(some, other, quantity, from)),
    );
  const over = (other: string, quantity: Quantity<AnytimeModel>, size: Size): Contrast[] =>
    arms.over(armOf(CASCADED_TD, size), [armOf(other, size)], quantity);
  const asked = (statement: string, carries?: true): Statement => ({
    statement,
    by: "project",
    ...(carries && { carries }),
  });
  const longer = `from ${shortest.epochs} to ${longest.epochs} epochs`;
  const after = `after ${longest.epochs} epochs`;
  const ofDeeper = `with a ${networkText(deeper)}, after ${deeper.epochs} epochs,`;
  return [
    finding(
      asked(`${CASCADED_TD}'s last answer comes nearer to ${CASCADED_CE}'s ${longer} (width ${width})`, true),
      isAbove(0),
      [change(CASCADED_CE, lastStep, shortest, longest)],
    ),
    finding(
      asked(
        `${CASCADED_TD}'s last answer comes nearer to ${CASCADED_CE}'s from width ${narrowest.width} to ${widest.width} (${epochsOfWidths} epochs)`,
        true,
      ),
      isAbove(0),
      [change(CASCADED_CE, lastStep, narrowest, widest)],
    ),
    finding(
      asked(`${after} ${CASCADED_TD} leads ${SERIAL_TD_MULTIHEAD} early, at a mean stopping time of 3`, true),
      isAhead,
      over(SERIAL_TD_MULTIHEAD, EARLY_ACCURACY, longest),
    ),
    finding(
      asked(`that early lead is not smaller than after ${shortest.epochs} epochs`),
      isNotBehind(SAME_POINTS),
      [change(SERIAL_TD_MULTIHEAD, EARLY_ACCURACY, shortest, longest)],
    ),
    finding(
      asked(`${after} ${CASCADED_TD} is as accurate as ${CASCADED_CE} at the last step`),
      isSame(SAME_POINTS),
      over(CASCADED_CE, lastStep, longest),
    ),
    finding(
      asked(`${after} ${CASCADED_TD} is more accurate than ${SERIAL_TD_MULTIHEAD} at the last step`),
      isAhead,
      over(SERIAL_TD_MULTIHEAD, lastStep, longest),
    ),
    finding(
      asked(`${ofDeeper} ${CASCADED_TD} leads ${SERIAL_TD_MULTIHEAD} early, at a mean stopping time of 3`),
      isAhead,
      over(SERIAL_TD_MULTIHEAD, EARLY_ACCURACY, deeper),
    ),
    finding(
      asked(`${ofDeeper} ${CASCADED_TD} is as accurate as ${CASCADED_CE} at the last step`),
      isSame(SAME_POINTS),
      over(CASCADED_CE, lastStep, deeper),
    ),
  ];
}

function ends(sizes: readonly Size[]): readonly [Size, Size] {
  const [first, last] = [sizes[0], sizes.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError("there are no sizes to compare");
  return [first, last];
}

function differences(to: readonly number[], from: readonly number[]): number[] {
  return to.map((value, i) => value - (from[i] ?? NaN));
}
