import { forward } from "../../models/anytime-network.js";
import type { CascadedResNet } from "../../models/cascaded-resnet.js";
import {
  disposeEvaluationPass,
  disposeState,
  evaluationPass,
  type NetworkState,
} from "../../models/state.js";
import { outputIsBlindAtStart } from "../../nn/delay.js";
import type { Precision } from "../../nn/backend/kernels.js";
import type { Sequence } from "../../nn/pass.js";
import { scoped } from "../../nn/tensorflow.js";
import { sgdStep } from "../../train/sgd.js";
import { batchGradients, disposeTrainingState, type TrainingState } from "../../train/training-step.js";
import { authorsValues } from "./authors-values.js";
import { type ParityRow, parityRow } from "./parity-row.js";
import { recipeImages, recipeState } from "./recipe-state.js";
import { type ReferenceCase, referenceNetwork } from "./reference-case.js";
import { arrayError, sampledError } from "./relative-error.js";

/** Optimizer of the reference files. */
const SGD = { learningRate: 0.002, momentum: 0.9, weightDecay: 5e-4 };

/** The error of one quantity; the largest of those of one name counts. */
type QuantityError = readonly [quantity: string, error: number];

/**
 * Rebuilds a case in float32 and compares every quantity in it. Convolutions are summed in double, so that no ReLU
 * flips on the rounding of a sum; in precision "float32" they are summed as training sums them, and one may.
 */
export function checkReferenceCase(
  reference: ReferenceCase,
  precision: Precision = "float64Sums",
): ParityRow[] {
  const network = referenceNetwork(reference);
  const worst = new Map<string, number>();
  scoped(() => {
    const { batch, size } = reference.case;
    const images = recipeImages(batch, size, network.timesteps);
    const errors = [
      evaluationError(network, reference, images, precision),
      ...reference.td.flatMap((run) => trainingErrors(network, reference, images, run, precision)),
    ];
    for (const [quantity, error] of errors) worst.set(quantity, Math.max(worst.get(quantity) ?? 0, error));
  });
  return [...worst].map(([quantity, error]) =>
    parityRow(reference.case.name, quantity, error, reference.limits[quantity] ?? null),
  );
}

function stateOfCase(network: CascadedResNet, { case: given, tensors }: ReferenceCase): NetworkState {
  const constantStatistics = given.normStatistics === "same";
  return recipeState(network, { caseName: given.name, tensors, constantStatistics });
}

function evaluationError(
  network: CascadedResNet,
  reference: ReferenceCase,
  images: Sequence,
  precision: Precision,
): QuantityError {
  const state = stateOfCase(network, reference);
  const pass = evaluationPass(network, state, precision);
  const logits = forward(network, pass, images, reference.case.batch).y.values;
  disposeEvaluationPass(pass);
  disposeState(state);
  return ["evalLogits", arrayError(logits, reference.evalLogits.flat(2))];
}

type ReferenceTraining = ReferenceCase["td"][number];

/** Trains for the steps of a reference training, and compares what each gives. */
function trainingErrors(
  network: CascadedResNet,
  reference: ReferenceCase,
  images: Sequence,
  { lambda, steps }: ReferenceTraining,
  precision: Precision,
): QuantityError[] {
  let state: TrainingState = { ...stateOfCase(network, reference), velocities: new Map() };
  const loss = { lambda, firstTimestep: outputIsBlindAtStart(network.stemDelay) ? 1 : 0 };
  const errors = steps.flatMap((expected, index) => {
    const batch = batchGradients(network, state, images, reference.labels, loss, precision);
    const gradients = authorsValues(network, batch.gradients);
    const before = authorsValues(network, state.parameters);
    for (const old of state.statistics.values()) old.dispose();
    const next = sgdStep(state.parameters, state.velocities, batch.gradients, SGD);
    state = { ...next, statistics: batch.statistics };
    const updates = differences(authorsValues(network, state.parameters), before);
    const statistics = authorsValues(network, state.statistics);
    const found: QuantityError[] = [
      ["loss", arrayError([batch.loss.loss], [expected.loss])],
      ["loss", arrayError(batch.loss.lossPerTimestep, expected.lossPerTimestep)],
      ["trainLogits", arrayError(batch.logits.values, expected.trainLogits.flat(2))],
      ["gradients", sampledError(gradients, expected.gradients, expected.gradients)],
      ["updates", sampledError(updates, expected.updates, expected.gradients)],
      ["statistics", sampledError(statistics, expected.statistics)],
    ];
    return found.map(([quantity, error]): QuantityError => [`${quantity}.${index}`, error]);
  });
  disposeTrainingState(state);
  return errors;
}

/** after - before, tensor by tensor. */
function differences(
  after: ReadonlyMap<string, Float32Array>,
  before: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  return new Map(
    [...after].map(([name, values]) => {
      const old = before.get(name);
      return [name, values.map((value, i) => value - (old?.[i] ?? 0))];
    }),
  );
}
