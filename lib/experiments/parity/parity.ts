import { z } from "zod";
import { tdLoss, tdTargets } from "../../losses/td-lambda.js";
import { softmax } from "../../trace/probabilities.js";
import { forward, tensorSpecs } from "../../models/cascaded-network.js";
import { cascadedResNet, type CascadedResNet } from "../../models/cascaded-resnet.js";
import {
  disposeEvaluationPass,
  disposeState,
  evaluationPass,
  isStatistic,
  type NetworkState,
  stateFrom,
} from "../../models/state.js";
import type { TensorSpec } from "../../models/tensor-spec.js";
import { type Delay, outputIsBlindAtStart } from "../../nn/delay.js";
import type { Precision } from "../../nn/backend/kernels.js";
import { scoped, type Tensor, tf } from "../../nn/tensorflow.js";
import type { Sequence } from "../../nn/pass.js";
import { constantTimeline } from "../../nn/timeline.js";
import { sgdStep } from "../../train/sgd.js";
import { batchGradients, disposeTrainingState, type TrainingState } from "../../train/training-step.js";
import { UserError } from "../../util/errors.js";
import { recipeUniform } from "../../util/recipe.js";
import { authorsShape, fromAuthorsLayout, toAuthorsLayout } from "./authors-layout.js";

/**
 * Holds the network, its gradients, its optimizer and its statistics to numbers that the authors' own
 * implementation computed: each case's weights and inputs are remade from a recipe, and every quantity is compared.
 */

const sampled = z.object({ norm: z.number(), at: z.array(z.number()), values: z.array(z.number()) });
const cube = z.array(z.array(z.array(z.number())));

const referenceCaseSchema = z.object({
  case: z.object({
    name: z.string(),
    network: z.enum(["resnet18", "resnet34", "resnet50"]),
    classes: z.number().int().min(1),
    size: z.number().int().min(1),
    batch: z.number().int().min(1),
    scheme: z.enum(["parallel", "serial"]),
    multiHead: z.boolean(),
    delay: z.union([
      z.object({ kind: z.literal("osd") }),
      z.object({ kind: z.literal("ews"), alpha: z.number() }),
    ]),
    temporalAffine: z.boolean(),
    normStatistics: z.enum(["same", "distinct"]),
    steps: z.number().int(),
    norm: z.object({ epsilon: z.number(), momentum: z.number() }),
  }),
  labels: z.array(z.number().int()),
  timesteps: z.number().int().min(1),
  tensors: z.array(z.object({ name: z.string(), shape: z.array(z.number().int()) })),
  evalLogits: cube,
  td: z.array(
    z.object({
      lambda: z.number(),
      steps: z.array(
        z.object({
          loss: z.number(),
          lossPerTimestep: z.array(z.number()),
          trainLogits: cube,
          gradients: z.record(z.string(), sampled),
          updates: z.record(z.string(), sampled),
          statistics: z.record(z.string(), sampled),
        }),
      ),
    }),
  ),
  limits: z.record(z.string(), z.number().nullable()),
});

type ReferenceCase = z.infer<typeof referenceCaseSchema>;
type Sampled = z.infer<typeof sampled>;

/** One compared quantity; `limit` is null where float32 itself drifts too far for a comparison to mean anything. */
export interface ParityRow {
  readonly case: string;
  readonly quantity: string;
  readonly error: number;
  readonly limit: number | null;
  readonly passed: boolean;
}

/** Optimizer of the reference files. */
const SGD = { learningRate: 0.002, momentum: 0.9, weightDecay: 5e-4 };

export function parseReferenceCase(json: unknown, where: string): ReferenceCase {
  const parsed = referenceCaseSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(
    `${where} is not a reference case: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unreadable"}`,
  );
}

/**
 * Rebuilds a case in float32 and compares every quantity in it. Convolutions are summed in double, so that no ReLU
 * flips on the rounding of a sum; in precision "float32" they are summed as training sums them, and one may.
 */
export function checkReferenceCase(
  reference: ReferenceCase,
  precision: Precision = "exactSums",
): ParityRow[] {
  const network = networkOf(reference);
  const { batch, size, name } = reference.case;
  const worst = new Map<string, number>();
  const record = (quantity: string, error: number): void => {
    worst.set(quantity, Math.max(worst.get(quantity) ?? 0, Number.isNaN(error) ? Infinity : error));
  };
  scoped(() => {
    const images: Sequence = {
      values: channelsLast(recipeUniform(1000, batch * 3 * size * size), batch, size),
      timeline: constantTimeline(network.timesteps, batch),
    };
    const state = recipeState(network, reference);
    const pass = evaluationPass(network, state, precision);
    record(
      "evalLogits",
      arrayError(forward(network, pass, images, batch).y.values, reference.evalLogits.flat(2)),
    );
    disposeEvaluationPass(pass);
    disposeState(state);
    for (const run of reference.td) checkTraining(network, reference, images, run, precision, record);
  });
  return [...worst].map(([quantity, error]) => {
    const limit = reference.limits[quantity] ?? null;
    return { case: name, quantity, error, limit, passed: limit === null || error <= limit };
  });
}

function networkOf(reference: ReferenceCase): CascadedResNet {
  const { case: given, timesteps, tensors } = reference;
  const stemFilter = tensors.find((tensor) => tensor.name === "stem.conv.weight");
  const delay: Delay =
    given.delay.kind === "osd"
      ? { kind: "oneStepDelay" }
      : { kind: "exponentialSmoothing", alpha: given.delay.alpha };
  return cascadedResNet({
    depth: Number(given.network.slice("resnet".length)) as 18 | 34 | 50,
    width: (stemFilter?.shape[0] ?? 64) / 64,
    classes: given.classes,
    stem: stemFilter?.shape[2] === 7 ? "imagenet" : "cifar",
    scheme:
      given.scheme === "serial"
        ? { kind: "serial", delay, asPublished: true, keepsUnreadStatistics: true }
        : { kind: "parallel", delay },
    heads: given.multiHead ? "perTimestep" : "single",
    norm: { ...given.norm, temporalAffine: given.temporalAffine },
    timesteps,
  });
}

/** [B, 3, S, S] -> tensor [B, S, S, 3]. */
function channelsLast(values: Float64Array, batch: number, size: number) {
  return tf.transpose(tf.tensor4d(Float32Array.from(values), [batch, 3, size, size]), [0, 2, 3, 1]);
}

/** Every weight and statistic of the case, remade from the recipe. */
function recipeState(network: CascadedResNet, reference: ReferenceCase): NetworkState {
  const byCodePoint = [...reference.tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const seeds = new Map(byCodePoint.map((tensor, i) => [tensor.name, i + 1]));
  return stateFrom(network, (tensor) => {
    const seed = seeds.get(tensor.name);
    const shape = authorsShape(tensor);
    const listed = byCodePoint[(seed ?? 0) - 1]?.shape;
    if (seed === undefined || listed?.join() !== shape.join()) {
      throw new UserError(
        `${reference.case.name}: the network has ${tensor.name} [${shape.join(", ")}], the reference ${listed === undefined ? "has no such tensor" : `[${listed.join(", ")}]`}`,
      );
    }
    const values = recipeValues(
      tensor,
      shape,
      recipeUniform(
        seed,
        shape.reduce((a, b) => a * b, 1),
      ),
    );
    if (isStatistic(tensor) && reference.case.normStatistics === "same") {
      const channels = shape[1] ?? 0;
      for (let t = 1; t < network.timesteps; t++) values.copyWithin(t * channels, 0, channels);
    }
    return fromAuthorsLayout(tensor, values);
  });
}

function recipeValues(tensor: TensorSpec, shape: readonly number[], u: Float64Array): Float32Array {
  const [out = 1, , height = 1, width = 1] = shape;
  const spread = Math.sqrt(3) * Math.sqrt(2 / (out * height * width));
  switch (tensor.role) {
    case "filter":
      return Float32Array.from(u, (x) => x * spread);
    case "scale":
      return Float32Array.from(u, (x) => 1 + 0.2 * x);
    case "variance":
      return Float32Array.from(u, (x) => 1 + 0.3 * x);
    case "linear":
    case "bias":
    case "offset":
    case "mean":
      return Float32Array.from(u, (x) => 0.1 * x);
  }
}

function checkTraining(
  network: CascadedResNet,
  reference: ReferenceCase,
  images: Sequence,
  run: ReferenceCase["td"][number],
  precision: Precision,
  record: (quantity: string, error: number) => void,
): void {
  let state: TrainingState = { ...recipeState(network, reference), velocities: new Map() };
  const loss = { lambda: run.lambda, firstTimestep: outputIsBlindAtStart(network.stemDelay) ? 1 : 0 };
  for (const [index, expected] of run.steps.entries()) {
    const batch = batchGradients(network, state, images, reference.labels, loss, precision);
    record(`loss.${index}`, arrayError([batch.loss.loss], [expected.loss]));
    record(`loss.${index}`, arrayError(batch.loss.lossPerTimestep, expected.lossPerTimestep));
    record(`trainLogits.${index}`, arrayError(batch.logits.values, expected.trainLogits.flat(2)));
    const gradients = authorsValues(network, batch.gradients);
    record(`gradients.${index}`, sampledError(gradients, expected.gradients, expected.gradients));
    const before = authorsValues(network, state.parameters);
    const { parameters, velocities } = sgdStep(state.parameters, state.velocities, batch.gradients, SGD);
    const updates = new Map(
      [...authorsValues(network, parameters)].map(([name, after]) => {
        const old = before.get(name);
        return [name, after.map((value, i) => value - (old?.[i] ?? 0))];
      }),
    );
    record(`updates.${index}`, sampledError(updates, expected.updates, expected.gradients));
    for (const old of state.statistics.values()) old.dispose();
    state = { parameters, velocities, statistics: batch.statistics };
    record(
      `statistics.${index}`,
      sampledError(authorsValues(network, state.statistics), expected.statistics),
    );
  }
  disposeTrainingState(state);
}

/** Tensors as plain numbers in the authors' layout, by name. */
function authorsValues(
  network: CascadedResNet,
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, Float32Array> {
  return new Map(
    tensorSpecs(network).flatMap((spec) => {
      const tensor = tensors.get(spec.name);
      return tensor === undefined
        ? []
        : [[spec.name, toAuthorsLayout(spec, tensor.dataSync<"float32">())] as const];
    }),
  );
}

/** max |a - b| / max |b|. */
function arrayError(actual: ArrayLike<number>, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let largest = 0;
  for (const [i, b] of expected.entries()) {
    difference = Math.max(difference, Math.abs((actual[i] as number) - b));
    largest = Math.max(largest, Math.abs(b));
  }
  return difference === 0 ? 0 : difference / largest;
}

/**
 * Largest of |norm - norm'| / norm' and |value - value'| / max(|value'|, norm' / sqrt(size)), over tensors whose
 * gradient norm is above 1e-6 of the largest (below it there is only rounding to compare).
 */
function sampledError(
  actual: ReadonlyMap<string, Float32Array>,
  expected: Readonly<Record<string, Sampled>>,
  gradients?: Readonly<Record<string, Sampled>>,
): number {
  const largest = Math.max(0, ...Object.values(gradients ?? {}).map((gradient) => gradient.norm));
  let worst = 0;
  for (const [name, reference] of Object.entries(expected)) {
    const gradient = gradients?.[name];
    if (gradients !== undefined && (gradient === undefined || gradient.norm <= 1e-6 * largest)) continue;
    const values = actual.get(name);
    if (values === undefined) return Infinity;
    const norm = Math.hypot(...chunkNorms(values));
    if (reference.norm === 0) {
      worst = Math.max(worst, norm === 0 ? 0 : Infinity);
      continue;
    }
    worst = Math.max(worst, Math.abs(norm - reference.norm) / reference.norm);
    const floor = reference.norm / Math.sqrt(values.length);
    for (const [i, at] of reference.at.entries()) {
      const value = reference.values[i] as number;
      worst = Math.max(worst, Math.abs((values[at] ?? NaN) - value) / Math.max(Math.abs(value), floor));
    }
  }
  return worst;
}

/** Euclidean norms of pieces short enough to be spread into Math.hypot. */
function chunkNorms(values: Float32Array): number[] {
  const norms: number[] = [];
  for (let start = 0; start < values.length; start += 4096) {
    let squares = 0;
    for (const value of values.subarray(start, start + 4096)) squares += value * value;
    norms.push(Math.sqrt(squares));
  }
  return norms;
}

const tdReferenceSchema = z.record(
  z.string(),
  z.object({ targets: cube, lossPerTimestep: z.array(z.number()) }),
);

/** What the analyses file's `td` part was made from: logits 2 uniform(2002, 30), shaped [5, 2, 3], labels 2 and 0. */
const TD_CASE = { seed: 2002, timesteps: 5, classes: 3, labels: [2, 0] };

/** Compares TD(lambda) targets and losses with the `td` part of the analyses reference; the limit is 1e-9. */
export function checkTdReference(json: unknown, where: string): ParityRow[] {
  const parsed = tdReferenceSchema.safeParse(json);
  if (!parsed.success) throw new UserError(`${where}: "td" is not a table of TD(lambda) targets and losses`);
  const { seed, timesteps, classes, labels } = TD_CASE;
  const logits = recipeUniform(seed, timesteps * labels.length * classes).map((u) => 2 * u);
  return Object.entries(parsed.data).flatMap(([key, expected]) => {
    const lambda = Number(key);
    const targets = tdTargets(softmax(logits, classes), labels, timesteps, lambda);
    const { lossPerTimestep } = tdLoss(logits, labels, timesteps, { lambda, firstTimestep: 0 });
    return [
      tdRow(`td.targets(lambda=${key})`, arrayError(targets, expected.targets.flat(2))),
      tdRow(`td.lossPerTimestep(lambda=${key})`, arrayError(lossPerTimestep, expected.lossPerTimestep)),
    ];
  });
}

function tdRow(quantity: string, error: number): ParityRow {
  const limit = 1e-9;
  return { case: "analyses", quantity, error, limit, passed: error <= limit };
}
