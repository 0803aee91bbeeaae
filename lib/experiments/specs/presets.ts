import { UserError } from "../../util/errors.js";
import type { RunSpec } from "./spec.js";

/**
 * What all presets share: a quarter-width ResNet-18 on the embedded procedural images, at a size that two cores
 * train in minutes. Real data and longer training are a matter of overriding fields.
 */
const BASE: RunSpec = {
  seed: 0,
  data: { kind: "procedural", classes: 10, size: 32, train: 10000, test: 2000, seed: 0 },
  trainImages: null,
  testImages: null,
  validation: 0.1,
  network: {
    depth: 18,
    width: 0.25,
    stem: "cifar",
    scheme: "parallel",
    delay: { kind: "oneStepDelay" },
    heads: "single",
    temporalAffine: false,
    // Chosen by the study norm-stability. Epsilon is that of the published code's time-indexed batch norm: with 1e-5
    // small networks diverge or stay at chance in early timesteps, because what is nearly constant, such as features of
    // a blank, is blown up. Its momentum of 1, the last batch's statistics alone, was less accurate than averaging.
    epsilon: 0.1,
    momentum: 0.1,
    timesteps: null,
  },
  loss: { lambda: 0, weights: null, mean: false },
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

/** The DenseNet of the paper's appendix; depth and width are a ResNet's and stand at what is allowed beside it. */
const DENSENET: Partial<RunSpec["network"]> = {
  depth: 18,
  width: 1,
  densenet: { growth: 16, layers: [6, 12, 24, 16] },
};

/** Run serially as the published code does it. */
const SERIAL = { scheme: "serial", serialScheme: "published" } as const;
const ORDINARY = { ...SERIAL, scheme: "ordinary" } as const;

function preset(
  network: Partial<RunSpec["network"]>,
  lambda: number,
  loss: Partial<RunSpec["loss"]> = {},
): RunSpec {
  return { ...BASE, network: { ...BASE.network, ...network }, loss: { ...BASE.loss, lambda, ...loss } };
}

/**
 * The six models of the paper (the two CE models are one training: an ordinary network, run in two ways);
 * SerialTD-MultiHead with the exit weights of a Shallow-Deep Network; a deeper ResNet; and models of the appendix's DenseNet.
 */
export const PRESETS = {
  "cascaded-td": preset({ scheme: "parallel" }, 0),
  "cascaded-td-multihead": preset({ scheme: "parallel", heads: "perTimestep" }, 0),
  "cascaded-ce": preset(ORDINARY, 1),
  "serial-td": preset(SERIAL, 1),
  "serial-td-multihead": preset({ ...SERIAL, heads: "perTimestep" }, 1),
  "serial-ce": preset(ORDINARY, 1),
  "shallow-deep-network": preset({ ...SERIAL, heads: "perTimestep" }, 1, {
    exitWeights: { kind: "shallowDeep" },
  }),
  "resnet34-cascaded-td": preset({ depth: 34, scheme: "parallel" }, 0),
  "resnet34-cascaded-ce": preset({ depth: 34, ...ORDINARY }, 1),
  "densenet-cascaded-td": preset({ ...DENSENET, scheme: "parallel" }, 0),
  "densenet-cascaded-ce": preset({ ...DENSENET, ...ORDINARY }, 1),
  "densenet-serial-td-multihead": preset({ ...DENSENET, ...SERIAL, heads: "perTimestep" }, 1),
} as const satisfies Readonly<Record<string, RunSpec>>;

/** The name of a training that needs no further word: one of `PRESETS`. */
export type PresetName = keyof typeof PRESETS;

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(PRESETS, name);
}

/** The preset called `name`; a UserError lists the names there are. */
export function presetCalled(name: string): RunSpec {
  if (isPresetName(name)) return PRESETS[name];
  throw new UserError(`there is no preset "${name}"; there are ${Object.keys(PRESETS).join(", ")}`);
}

/** Name of the run directory: the training, not the way its weights are run later. */
export function runNameOf(spec: RunSpec): string {
  const { scheme, heads, densenet } = spec.network;
  const prefix = densenet === undefined ? "" : "densenet-";
  if (scheme === "ordinary") return `${prefix}ordinary-ce`;
  return `${prefix}${scheme === "parallel" ? "cascaded" : "serial"}-td${heads === "single" ? "" : "-multihead"}`;
}
