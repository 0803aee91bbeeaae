import { UserError } from "../../util/errors.js";
import type { NetworkSpec } from "./network-spec.js";
import type { RunSpec } from "./spec.js";

/** A training under a name: what it is for, and its spec. `cascade run <name>` carries it out. */
export interface Preset {
  /** What it is to answer. */
  readonly question: string;
  /** Which model or models of the publication it stands for. */
  readonly paper: string;
  readonly spec: RunSpec;
}

const RESNET_18 = { architecture: "resnet", depth: 18, width: 0.25 } as const;
const RESNET_34 = { ...RESNET_18, depth: 34 } as const;
const DENSENET = {
  architecture: "densenet" as const,
  growth: 16,
  layers: [6, 12, 24, 16],
} satisfies Partial<NetworkSpec>;

/** What all cascades share. */
const SHARED = {
  stem: "cifar",
  delay: { kind: "oneStepDelay" },
  heads: "single",
  temporalAffine: false,
  // Chosen by the study norm-stability. Epsilon is that of the published code's time-indexed batch norm: with 1e-5
  // some small networks stay at chance in early timesteps, because what is nearly constant, such as features of a
  // blank, is blown up. The momentum averages over batches, as is usual; the study does not tell the published 1,
  // the last batch's statistics alone, from it clearly.
  epsilon: 0.1,
  momentum: 0.1,
  timesteps: null,
} as const;

const CASCADED = { ...SHARED, scheme: "parallel" } as const;
/** Run serially as the published code does it. */
const SERIAL = { ...SHARED, scheme: "serial", serialScheme: "published" } as const;
const ORDINARY = { ...SERIAL, scheme: "ordinary" } as const;
const MULTI_HEAD = { heads: "perTimestep" } as const;

/** Batch norm of the opponents' public code. */
const PUBLISHED_NORM = { epsilon: 1e-5, momentum: 0.1 } as const;

/**
 * 7 exits, the last at 37.7 million multiply-adds of a 32 x 32 image, where CascadedTD's last answer takes 37.8: the published
 * anytime configuration (7 exits, base 4, step 2, 75.4 million) with fewer layers before and between the exits.
 */
const MSDNET = {
  architecture: "msdnet",
  exits: 7,
  base: 2,
  stepMode: "even",
  step: 1,
  channels: 16,
  growth: 6,
  scaleFactors: [1, 2, 4],
  bottleneckFactors: [1, 2, 4],
  prune: "max",
  reduction: 0.5,
  ...PUBLISHED_NORM,
} satisfies NetworkSpec;

/** 8 exits, the last at 35.1 million multiply-adds: the blocks and channels of the quarter-width ResNet-18, on maps that no stem has pooled. */
const SDN_RESNET = {
  architecture: "sdn-resnet",
  channels: [16, 32, 64, 128],
  blocks: [2, 2, 2, 2],
  exits: [1, 2, 3, 4, 5, 6, 7],
  ...PUBLISHED_NORM,
} satisfies NetworkSpec;

/** 7 blocks and 2 side branches of a convolution each, 37.5 million multiply-adds. */
const BRANCHY_RESNET = {
  architecture: "branchy-resnet",
  channels: [16, 32, 64, 128],
  blocks: [2, 2, 2, 1],
  exits: [1, 3],
  branchConvolutions: [1, 1],
  ...PUBLISHED_NORM,
} satisfies NetworkSpec;

/** 7 blocks and 3 internal classifiers, 37.4 million multiply-adds. */
const ZTW_RESNET = {
  architecture: "ztw-resnet",
  channels: [16, 32, 64, 128],
  blocks: [2, 2, 2, 1],
  exits: [2, 4, 6],
  ...PUBLISHED_NORM,
} satisfies NetworkSpec;

/** 35.0 million multiply-adds: the blocks and channels of the quarter-width ResNet-18, on maps that no stem has pooled. */
const SMALL_RESNET = {
  architecture: "small-resnet",
  channels: [16, 32, 64, 128],
  blocks: [2, 2, 2, 2],
  ...PUBLISHED_NORM,
} satisfies NetworkSpec;

/**
 * Trained on the embedded procedural images, at a size that two cores train in minutes. Real data and longer training
 * are a matter of changing fields.
 */
function trainedOn(network: NetworkSpec, loss: Pick<RunSpec["loss"], "lambda" | "exitWeights">): RunSpec {
  return {
    seed: 0,
    data: { kind: "procedural", classes: 10, size: 32, train: 10000, test: 2000, seed: 0 },
    trainImages: null,
    testImages: null,
    validation: 0.1,
    network,
    loss: { weights: null, mean: false, ...loss },
    train: {
      epochs: 6,
      batchSize: 128,
      learningRate: 0.1,
      momentum: 0.9,
      weightDecay: 5e-4,
      schedule: { kind: "oneCycle", warmup: 0.25 },
      // A patch of 16 x 16 pixels is the published code's default.
      augmentation: { crop: 4, flip: true, occlusion: 16 },
    },
  };
}

const ALL = {
  "cascaded-td": {
    question: "How good is a cascade at every timestep, when each answer learns to predict the next?",
    paper: "CascadedTD, with the λ = 0 of the main figure",
    spec: trainedOn({ ...RESNET_18, ...CASCADED }, { lambda: 0 }),
  },
  "cascaded-td-multihead": {
    question: "Does a head of its own for each timestep help the cascade?",
    paper: "CascadedTD-MultiHead, λ = 0",
    spec: trainedOn({ ...RESNET_18, ...CASCADED, ...MULTI_HEAD }, { lambda: 0 }),
  },
  "cascaded-ce": {
    question: "How good are the early answers of an ordinary network that is run as a cascade afterwards?",
    paper: "CascadedCE, and SerialCE of the same weights",
    spec: trainedOn({ ...RESNET_18, ...ORDINARY }, { lambda: 1 }),
  },
  "serial-td": {
    question: "What does a loss at every timestep do for a network that runs one block more at each?",
    paper: "SerialTD, with the λ = 1 of the main figure",
    spec: trainedOn({ ...RESNET_18, ...SERIAL }, { lambda: 1 }),
  },
  "serial-td-multihead": {
    question: "How good is an established kind of anytime network, with a head at each depth?",
    paper: "SerialTD-MultiHead, λ = 1, which the paper takes for a Shallow-Deep Network",
    spec: trainedOn({ ...RESNET_18, ...SERIAL, ...MULTI_HEAD }, { lambda: 1 }),
  },
  "serial-ce": {
    question: "How good are the early answers of an ordinary network that is run block by block?",
    paper: "SerialCE; the training is that of cascaded-ce",
    spec: trainedOn({ ...RESNET_18, ...ORDINARY }, { lambda: 1 }),
  },
  "shallow-deep-network": {
    question: "What do weights of the exits that grow during training change?",
    paper: "SDN (Kaya et al. 2019) with the schedule of its publication, which the paper's loss allows",
    spec: trainedOn(
      { ...RESNET_18, ...SERIAL, ...MULTI_HEAD },
      { lambda: 1, exitWeights: { kind: "shallowDeep" } },
    ),
  },
  "resnet34-cascaded-td": {
    question: "Does what holds of the cascade of ResNet-18 hold of a deeper one?",
    paper: "CascadedTD on a ResNet-34",
    spec: trainedOn({ ...RESNET_34, ...CASCADED }, { lambda: 0 }),
  },
  "resnet34-cascaded-ce": {
    question: "What is the deeper cascade to be compared with?",
    paper: "CascadedCE and SerialCE on a ResNet-34",
    spec: trainedOn({ ...RESNET_34, ...ORDINARY }, { lambda: 1 }),
  },
  "densenet-cascaded-td": {
    question: "Is the cascade a matter of residual networks?",
    paper: "CascadedTD on the DenseNet of the appendix",
    spec: trainedOn({ ...DENSENET, ...CASCADED }, { lambda: 0 }),
  },
  "densenet-cascaded-ce": {
    question: "How good are the early answers of an ordinary DenseNet?",
    paper: "CascadedCE and SerialCE on the DenseNet of the appendix",
    spec: trainedOn({ ...DENSENET, ...ORDINARY }, { lambda: 1 }),
  },
  "densenet-serial-td-multihead": {
    question: "How good is a DenseNet that is run layer by layer, with a head at each depth?",
    paper: "SerialTD-MultiHead on the DenseNet of the appendix",
    spec: trainedOn({ ...DENSENET, ...SERIAL, ...MULTI_HEAD }, { lambda: 1 }),
  },
  msdnet: {
    question: "What does a network reach that was designed for exits, at CascadedTD's multiply-adds?",
    paper: "none; MSDNet (Huang et al. 2018), with fewer layers than its CIFAR configuration",
    spec: trainedOn(MSDNET, { lambda: 1 }),
  },
  "sdn-resnet": {
    question: "What does a Shallow-Deep Network of its authors' kind reach, at CascadedTD's multiply-adds?",
    paper:
      "none; SDN (Kaya et al. 2019) with its internal classifiers and weights on the blocks of a ResNet-18",
    spec: trainedOn(SDN_RESNET, { lambda: 1, exitWeights: { kind: "shallowDeep" } }),
  },
  "branchy-resnet": {
    question: "What do a few side branches give, the first of all early exits?",
    paper: "none; in the way of BranchyNet (Teerapittayanon et al. 2016), on the blocks of a ResNet-18",
    spec: trainedOn(BRANCHY_RESNET, { lambda: 1 }),
  },
  "ztw-resnet": {
    question: "What is it worth to use earlier answers again?",
    paper:
      "none; Zero Time Waste (Wołczyk et al. 2021), its backbone trained for half of the time and kept as it is for the other half",
    spec: trainedOn(ZTW_RESNET, { lambda: 1, exitWeights: { kind: "disjoint", backbone: 0.5 } }),
  },
  boostnet: {
    question: "What is it worth if exits learn what the ones before them leave to be done?",
    paper: "none; a boosted dynamic network (Yu et al. 2022) on the MSDNet of the preset msdnet",
    spec: trainedOn({ ...MSDNET, architecture: "boostnet", share: 0.5 }, { lambda: 1 }),
  },
  "msdnet-mixed": {
    question: "What is it worth to train the backbone before its exits?",
    paper:
      "none; mixed training (Kubaty et al. 2024) of the preset msdnet, half of the time on the last exit alone",
    spec: trainedOn(MSDNET, { lambda: 1, exitWeights: { kind: "mixed", backbone: 0.5 } }),
  },
  "small-resnet": {
    question: "How good is an ordinary network of each size: what would one choose if nothing were anytime?",
    paper: "none; a ResNet for small images (He et al. 2016) of the other networks' blocks",
    spec: trainedOn(SMALL_RESNET, { lambda: 1 }),
  },
} satisfies Readonly<Record<string, Preset>>;

/** The name of a training that needs no further word: one of `PRESETS`. */
export type PresetName = keyof typeof ALL;

/**
 * The six models of the paper (the two CE models are one training: an ordinary network, run in two ways); a
 * Shallow-Deep Network; a deeper ResNet; models of the appendix's DenseNet; and opponents from the literature.
 */
export const PRESETS: Readonly<Record<PresetName, Preset>> = ALL;

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(PRESETS, name);
}

/** The spec of a preset; a UserError lists the names there are. */
export function presetNamed(name: string): RunSpec {
  if (isPresetName(name)) return PRESETS[name].spec;
  throw new UserError(`there is no preset "${name}"; there are ${Object.keys(PRESETS).join(", ")}`);
}
