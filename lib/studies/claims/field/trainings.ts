import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import { namedModels } from "../../../experiments/specs/names.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import { combined, type SpecChange } from "../../../experiments/specs/spec-change.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { presetTraining } from "../../preset-trainings.js";
import type { StudySettings } from "../../study.js";

export interface FieldSettings extends StudySettings {
  /** What cascades, MSDNets, and ResNets with exits have otherwise than their presets, besides. */
  readonly cascades: SpecChange;
  readonly msdNets: SpecChange;
  readonly resNets: SpecChange;
  /** Channels of the first stage of each ResNet of the family by width, ascending; each stage has twice those of the one before. */
  readonly familyChannels: readonly number[];
  /** Channels of the first stage of all ResNets of the ensemble by depth, and how many blocks each stage of each has, ascending. */
  readonly ensembleChannels: number;
  readonly ensembleBlocks: readonly number[];
  /** How often the time to each answer is measured; the median counts. */
  readonly timings: number;
  /** Latencies of a link between blocks of the modelled hardware, in multiply-adds of a block's unit; the first is the one that figures show. */
  readonly linkLatencies: readonly number[];
}

/** How the traces of an arm's trainings become one: of one network, or of several. */
export type Composition = "alone" | "geometric" | "family" | "ensemble";

/** A competitor with one seed, and the trainings that it is made of, in the order of their cost. */
export interface FieldArm {
  readonly arm: string;
  readonly composition: Composition;
  readonly specs: readonly RunSpec[];
}

export const FAMILY = "ResNets by width";
export const ENSEMBLE = "ResNets by depth";

const CASCADES: readonly PresetName[] = ["cascaded-td", "serial-td-multihead", "shallow-deep-network"];
const MSDNETS: readonly PresetName[] = ["msdnet", "msdnet-mixed", "boostnet"];
const RESNETS: readonly PresetName[] = ["sdn-resnet", "branchy-resnet", "ztw-resnet"];
/** Stages of the plain ResNets. */
const STAGES = 4;

/** All competitors with one seed. */
export function armsOfSeed(settings: FieldSettings, seed: number, data: ResolvedDatasetSource): FieldArm[] {
  const { change, cascades, msdNets, resNets } = settings;
  const training = (preset: PresetName, own: SpecChange): RunSpec =>
    presetTraining(preset, seed, combined(change, own), data);
  const alone = (presets: readonly PresetName[], own: SpecChange): FieldArm[] =>
    presets.map((preset) => {
      const spec = training(preset, own);
      const composition = preset === "ztw-resnet" ? "geometric" : "alone";
      return { arm: nameOf(spec), composition, specs: [spec] };
    });
  const plain = (channels: number, blocks: number): RunSpec =>
    training("small-resnet", {
      network: {
        channels: Array.from({ length: STAGES }, (_, stage) => channels * 2 ** stage),
        blocks: Array<number>(STAGES).fill(blocks),
      },
    });
  return [
    ...alone(CASCADES, cascades),
    ...alone(MSDNETS, msdNets),
    ...alone(RESNETS, resNets),
    {
      arm: FAMILY,
      composition: "family",
      specs: settings.familyChannels.map((channels) => plain(channels, 2)),
    },
    {
      arm: ENSEMBLE,
      composition: "ensemble",
      specs: settings.ensembleBlocks.map((blocks) => plain(settings.ensembleChannels, blocks)),
    },
  ];
}

function nameOf(spec: RunSpec): string {
  return namedModels(spec)
    .map(({ model }) => model)
    .join();
}
