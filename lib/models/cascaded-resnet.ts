import {
  basicBlock,
  blockCost,
  blockOutputSide,
  type BlockSpec,
  bottleneck,
  residualBlock,
} from "../nn/residual-block.js";
import { stemConvolution } from "../nn/stem.js";
import { valueAt } from "../nn/timeline.js";
import type { CascadeFrame, CascadeLayer, CascadeSpec } from "./cascade-layer.js";
import { filterTensor, normTensors } from "./tensor-spec.js";

/** A residual network in which every block has a propagation delay, and its serial twin. */
export interface CascadedResNetSpec extends CascadeSpec {
  readonly depth: 18 | 34 | 50;
  /** Multiple of the usual channels 64, 128, 256, 512. */
  readonly width: number;
}

/** The network laid out: what it is made of, in order. */
export interface CascadedResNet extends CascadeFrame {
  readonly kind: "resnet";
  readonly spec: CascadedResNetSpec;
  readonly blocks: readonly BlockSpec[];
}

const BLOCKS_PER_STAGE = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] } as const;
const STAGE_CHANNELS = [64, 128, 256, 512] as const;

/**
 * A ResNet of depth 18, 34 or 50 (He et al. 2016) whose stem and blocks have a delay: in the parallel scheme every
 * block computes at every timestep from what the one before it gave, in the serial one block after block (section
 * 2 of the paper). A description; `initialState` draws its weights, `forward` runs it.
 */
export function cascadedResNet(spec: CascadedResNetSpec): CascadedResNet {
  const channelsOf = (stage: number): number =>
    Math.max(1, Math.round(valueAt(STAGE_CHANNELS, stage) * spec.width));
  const bottlenecks = spec.depth === 50;
  const blocks: BlockSpec[] = [];
  let inputs = channelsOf(0);
  for (const [stage, count] of BLOCKS_PER_STAGE[spec.depth].entries()) {
    const channels = channelsOf(stage);
    for (let index = 0; index < count; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const build = bottlenecks ? bottleneck : basicBlock;
      blocks.push(build(`stages.${stage}.${index}`, blocks.length + 1, inputs, channels, stride));
      inputs = bottlenecks ? 4 * channels : channels;
    }
  }
  return {
    kind: "resnet",
    spec,
    timesteps: spec.timesteps ?? blocks.length + 1,
    stem: stemConvolution(spec.stem, channelsOf(0)),
    stemDelay: spec.scheme.delay,
    blocks,
    features: inputs,
  };
}

/** The residual blocks as the layers of a cascade. */
export function resNetLayers({ blocks, spec, timesteps }: CascadedResNet): CascadeLayer[] {
  return blocks.map((block) => ({
    tensors: [
      ...block.convolutions.flatMap((convolution, k) => [
        filterTensor(convolution),
        ...normTensors(`${block.name}.norm${k + 1}`, convolution.outputs, timesteps, spec.norm),
      ]),
      ...(block.shortcut === undefined ? [] : [filterTensor(block.shortcut)]),
    ],
    run: (pass, x) => residualBlock(pass, block, spec.scheme, x),
    cost: (side) => {
      const { residual, shortcut } = blockCost(block, side);
      return {
        position: block.position,
        delayed: residual,
        instant: shortcut,
        side: blockOutputSide(block, side),
      };
    },
  }));
}
