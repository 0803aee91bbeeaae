import type { ChannelStatistics } from "../../datasets/statistics.js";
import { type AnytimeNetwork, tensorSpecs } from "../../models/anytime-network.js";
import type { CascadedResNet } from "../../models/cascaded-resnet.js";
import { stateValues } from "../../models/state.js";
import { UserError } from "../../util/errors.js";
import { writeFileAtomic } from "../../util/files.js";
import { encodeSafetensors, type StoredTensor } from "../../util/safetensors.js";
import { authorsShape, toAuthorsLayout } from "../parity/authors-layout.js";
import { openTrainedModel } from "../runs/trained-model.js";

/** Name here -> name in torchvision's ResNet, from the first part of a name to the last. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^stem\.conv\./, "conv1."],
  [/^stem\.norm\./, "bn1."],
  [/^stages\.(\d+)\./, "layer$1."],
  [/\.norm(\d)\./, ".bn$1."],
  [/\.shortcut\./, ".downsample.0."],
  [/^head\./, "fc."],
  [/\.scale$/, ".weight"],
  [/\.offset$/, ".bias"],
  [/\.mean$/, ".running_mean"],
  [/\.variance$/, ".running_var"],
];

/** torchvision counts the stages from 1. */
const pyTorchName = (name: string): string =>
  NAMES.reduce((text, [pattern, by]) => text.replace(pattern, by), name).replace(
    /^layer(\d+)/,
    (_, stage: string) => `layer${Number(stage) + 1}`,
  );

/** Values of a network's tensors in this project's layout, by name. */
export type TensorValues = ReadonlyMap<string, { readonly values: Float32Array }>;

/** What a model needs beside its weights. */
export interface ModelFacts {
  readonly normalisation: ChannelStatistics;
  readonly classNames: readonly string[];
}

/**
 * The weights of a cascaded ResNet as a safetensors file with the names and layouts of torchvision's: filters [out, in,
 * height, width], linear [out, in]; running statistics [T, C], a row for each timestep. What the weights do not say is
 * in the file's metadata, as JSON. docs/pytorch_resnet.py reads it.
 */
export function pyTorchWeights(
  network: CascadedResNet,
  tensors: TensorValues,
  facts: ModelFacts,
): Uint8Array {
  const stored = tensorSpecs(network).map((tensor): [string, StoredTensor] => {
    const values = tensors.get(tensor.name)?.values;
    if (values === undefined) throw new UserError(`the weights lack ${tensor.name}`);
    const data = toAuthorsLayout(tensor, values);
    return [pyTorchName(tensor.name), { dtype: "F32", shape: authorsShape(tensor), data }];
  });
  const { depth, stem, scheme, heads, norm } = network.spec;
  const { mean, std } = facts.normalisation;
  const about = { timesteps: network.timesteps, depth, stem, scheme, heads, epsilon: norm.epsilon };
  const metadata = { ...about, mean: [...mean], std: [...std], classNames: facts.classNames };
  const texts = Object.entries(metadata).map(([name, value]) => [name, JSON.stringify(value)] as const);
  return Buffer.concat(
    encodeSafetensors(new Map(stored), { format: "anytime-cascade pytorch 1", ...Object.fromEntries(texts) }),
  );
}

/** Writes the weights of a run for PyTorch (`pyTorchWeights`). Throws a UserError for a run that is no ResNet. */
export async function writePyTorchWeights(directory: string, path: string): Promise<void> {
  const model = await openTrainedModel(directory);
  try {
    const { network } = model;
    if (!isResNet(network))
      throw new UserError(
        `${directory} holds no cascaded ResNet: weights of other networks are not written for PyTorch`,
      );
    await writeFileAtomic(path, pyTorchWeights(network, stateValues(model.state), model));
  } finally {
    model.dispose();
  }
}

const isResNet = (network: AnytimeNetwork): network is CascadedResNet =>
  network.kind === "cascade" && "width" in network.spec;
