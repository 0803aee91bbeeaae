import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import { widthOf } from "../../../experiments/specs/network-spec.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { combined } from "../../../experiments/specs/spec-change.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import type { CascadedResNetSpec } from "../../../models/cascaded-resnet.js";
import { presetTraining } from "../../preset-trainings.js";
import type { StudySettings } from "../../study.js";

export interface ScalingSettings extends StudySettings {
  /** Trained for each of these, ascending, at one width. */
  readonly epochs: readonly number[];
  readonly width: number;
  /** Of each of these widths, ascending, trained equally long. */
  readonly widths: readonly number[];
  readonly epochsOfWidths: number;
  /** A deeper ResNet beside the ResNet-18 that all others are. */
  readonly deeper: Size;
}

/** A ResNet's layers, its width as a multiple of the paper's, and how long it learns. */
export interface Size {
  readonly depth: CascadedResNetSpec["depth"];
  readonly width: number;
  readonly epochs: number;
}

const USUAL_DEPTH = 18;

const PRESETS: readonly PresetName[] = ["cascaded-td", "cascaded-ce", "serial-td-multihead"];

/** Of one width, by epochs, ascending. */
export function sizesByEpochs({ epochs, width }: ScalingSettings): Size[] {
  return epochs.map((count) => ({ depth: USUAL_DEPTH, width, epochs: count }));
}

/** Equally long, by width, ascending. */
export function sizesByWidth({ widths, epochsOfWidths }: ScalingSettings): Size[] {
  return widths.map((width) => ({ depth: USUAL_DEPTH, width, epochs: epochsOfWidths }));
}

/** Each size once: by epochs, then what the widths add, then the deeper one. */
export function sizesOf(settings: ScalingSettings): Size[] {
  const all = [...sizesByEpochs(settings), ...sizesByWidth(settings), settings.deeper];
  return [...new Map(all.map((size) => [sizeText(size), size])).values()];
}

/** Such as "width 0.25" or "ResNet-34, width 0.25". */
export function networkText({ depth, width }: Omit<Size, "epochs">): string {
  return `${depth === USUAL_DEPTH ? "" : `ResNet-${depth}, `}width ${width}`;
}

/** Such as "width 0.25, 5 epochs". */
export function sizeText(size: Size): string {
  return `${networkText(size)}, ${size.epochs} epoch${size.epochs === 1 ? "" : "s"}`;
}

/** Name of the arm that a model of some size is. */
export function armOf(model: string, size: Size): string {
  return `${model}, ${sizeText(size)}`;
}

/** The size that a training has. */
export function sizeOfSpec({ network, train }: RunSpec): Size {
  const depth = network.architecture === "resnet" ? network.depth : USUAL_DEPTH;
  return { depth, width: widthOf(network), epochs: train.epochs };
}

export function scalingTrainings(settings: ScalingSettings, data: ResolvedDatasetSource): RunSpec[] {
  return settings.seeds.flatMap((seed) =>
    sizesOf(settings).flatMap(({ depth, width, epochs }) =>
      PRESETS.map((preset) =>
        presetTraining(
          preset,
          seed,
          combined(settings.change, { network: { depth, width }, train: { epochs } }),
          data,
        ),
      ),
    ),
  );
}
