import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import { widthOf } from "../../../experiments/specs/network-spec.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { combined } from "../../../experiments/specs/spec-change.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { presetTraining } from "../../preset-trainings.js";
import type { StudySettings } from "../../study.js";

export interface ScalingSettings extends StudySettings {
  /** Trained for each of these, ascending, at one width. */
  readonly epochs: readonly number[];
  readonly width: number;
  /** Of each of these widths, ascending, trained equally long. */
  readonly widths: readonly number[];
  readonly epochsOfWidths: number;
}

/** How wide a network is, as a multiple of the paper's, and how long it learns. */
export interface Size {
  readonly width: number;
  readonly epochs: number;
}

export const TD = "CascadedTD";
export const CE = "CascadedCE";
/** What the paper calls SDN in its main figure. */
export const SDN = "SerialTD-MultiHead";

const PRESETS: readonly PresetName[] = ["cascaded-td", "cascaded-ce", "serial-td-multihead"];

/** Each size once: by epochs, then what the widths add. */
export function sizesOf({ epochs, width, widths, epochsOfWidths }: ScalingSettings): Size[] {
  const all = [
    ...epochs.map((count) => ({ width, epochs: count })),
    ...widths.map((one) => ({ width: one, epochs: epochsOfWidths })),
  ];
  return [...new Map(all.map((size) => [sizeText(size), size])).values()];
}

/** Such as "width 0.25, 5 epochs". */
export function sizeText({ width, epochs }: Size): string {
  return `width ${width}, ${epochs} epoch${epochs === 1 ? "" : "s"}`;
}

/** Name of the arm that a model of some size is. */
export function armOf(model: string, size: Size): string {
  return `${model}, ${sizeText(size)}`;
}

/** The size that a training has. */
export function sizeOfSpec({ network, train }: RunSpec): Size {
  return { width: widthOf(network), epochs: train.epochs };
}

export function scalingTrainings(settings: ScalingSettings, data: ResolvedDatasetSource): RunSpec[] {
  return settings.seeds.flatMap((seed) =>
    sizesOf(settings).flatMap(({ width, epochs }) =>
      PRESETS.map((preset) =>
        presetTraining(
          preset,
          seed,
          combined(settings.change, { network: { width }, train: { epochs } }),
          data,
        ),
      ),
    ),
  );
}
