import { forward, parameterCount } from "../../models/anytime-network.js";
import { multiExitCost, type MultiExitNetwork } from "../../models/multi-exit-network.js";
import {
  disposeEvaluationPass,
  disposeState,
  evaluationPass,
  type NetworkState,
} from "../../models/state.js";
import type { TensorSpec } from "../../models/tensor-spec.js";
import type { Precision } from "../../nn/backend/kernels.js";
import type { Sequence } from "../../nn/pass.js";
import { scoped } from "../../nn/tensorflow.js";
import { batchGradients } from "../../train/training-step.js";
import { parseWithSchema } from "../../util/schema.js";
import {
  type OpponentCase,
  opponentCaseSchema,
  opponentNetwork,
  publishedSizesSchema,
} from "./opponent-case.js";
import { authorsValues } from "./authors-values.js";
import { type ParityRow, parityRow } from "./parity-row.js";
import { recipeImages, recipeState } from "./recipe-state.js";
import type { Sampled } from "./reference-case.js";
import { arrayError, sampledError } from "./relative-error.js";

const SUFFIXES: Readonly<Partial<Record<TensorSpec["role"], string>>> = {
  scale: "weight",
  offset: "bias",
  mean: "running_mean",
  variance: "running_var",
};

/** What the opponents' public implementations, which are PyTorch's, call a tensor. */
function publicName({ name, role }: TensorSpec): string {
  const suffix = SUFFIXES[role];
  return suffix === undefined ? name : name.replace(/[^.]+$/, suffix);
}

/** How many times the public code's own float32 error ours may be; gradients pass through more sums than logits. */
const TIMES_FLOAT32 = { logits: 20, gradients: 200 };

/** Compares parameters and multiply-adds with those of published configurations; they must be equal. */
export function checkPublishedSizes(json: unknown, where: string): ParityRow[] {
  return Object.entries(parseWithSchema(publishedSizesSchema, json, where)).flatMap(([name, published]) => {
    const network = opponentNetwork(published.config, name.endsWith("cifar100") ? 100 : 10, 32);
    return sizeRows(name, network, published);
  });
}

function sizeRows(
  name: string,
  network: MultiExitNetwork,
  { parameters, multiplyAdds }: Pick<OpponentCase, "parameters" | "multiplyAdds">,
): ParityRow[] {
  return [
    parityRow(name, "parameters", arrayError([parameterCount(network)], [parameters]), 0),
    parityRow(name, "multiplyAdds", arrayError(multiExitCost(network), multiplyAdds), 0),
  ];
}

/** Rebuilds a case of an opponent's public code in float32 and compares every quantity in it. */
export function checkOpponent(json: unknown, where: string, precision: Precision): ParityRow[] {
  const reference = parseWithSchema(opponentCaseSchema, json, where);
  const network = opponentNetwork(reference.config, reference.classes, reference.side);
  const row = (quantity: string, error: number, times = TIMES_FLOAT32.logits): ParityRow =>
    parityRow(reference.name, quantity, error, times * reference.float32Error);
  return scoped(() => {
    const images = recipeImages(reference.batch, reference.side, network.timesteps);
    const state = recipeState(network, {
      caseName: reference.name,
      tensors: reference.tensors.map(([name, shape]) => ({ name, shape })),
      nameOf: publicName,
    });
    const trained = batchGradients(
      network,
      state,
      images,
      reference.labels,
      { lambda: 1, firstTimestep: 0 },
      precision,
    );
    const gradients = authorsValues(network, trained.gradients, publicName);
    const evaluated = evaluationLogits(network, state, images, precision);
    disposeState(state);
    return [
      ...sizeRows(reference.name, network, reference),
      row("evalLogits", arrayError(evaluated, reference.evalLogits.flat(2))),
      row("trainLogits", arrayError(trained.logits.values, reference.trainLogits.flat(2))),
      row("losses", arrayError(trained.loss.lossPerTimestep, reference.losses)),
      row("gradients", gradientError(gradients, reference), TIMES_FLOAT32.gradients),
      row("statistics", statisticsError(authorsValues(network, trained.statistics, publicName), reference)),
    ];
  });
}

function evaluationLogits(
  network: MultiExitNetwork,
  state: NetworkState,
  images: Sequence,
  precision: Precision,
): Float32Array {
  const pass = evaluationPass(network, state, precision);
  const { values } = forward(network, pass, images, images.values.shape[0]).y;
  disposeEvaluationPass(pass);
  return values;
}

/** Infinite where a tensor has a gradient on one side alone. */
function gradientError(actual: ReadonlyMap<string, Float32Array>, { gradients }: OpponentCase): number {
  const expected = Object.entries(gradients).flatMap(([name, one]) =>
    one === null ? [] : [[name, one] as const],
  );
  if (expected.length !== actual.size) return Infinity;
  return sampledError(actual, Object.fromEntries(expected));
}

function statisticsError(actual: ReadonlyMap<string, Float32Array>, { statistics }: OpponentCase): number {
  const expected = Object.entries(statistics).map(([name, { norm, first }]): [string, Sampled] => [
    name,
    { norm, at: [0], values: [first] },
  ]);
  return sampledError(actual, Object.fromEntries(expected));
}
