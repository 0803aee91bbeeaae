import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageSet } from "../../datasets/dataset.js";
import { valuesPerImage } from "../../util/image-size.js";
import { normalisedImage } from "../../datasets/batches.js";
import type { ChannelStatistics } from "../../datasets/statistics.js";
import { type AnytimeNetwork, tensorSpecs } from "../../models/anytime-network.js";
import { retimedState } from "../../models/retime.js";
import {
  disposeEvaluationPass,
  disposeState,
  evaluationPass,
  type NetworkState,
} from "../../models/state.js";
import type { Precision } from "../../nn/backend/kernels.js";
import type { EvaluationPass } from "../../nn/pass.js";
import { stream, type StreamedStep } from "../../models/stream.js";
import { tf } from "../../nn/tensorflow.js";
import type { Trace } from "../../trace/trace.js";
import { storedValues } from "../../train/checkpoint.js";
import { UserError } from "../../util/errors.js";
import { type Owned, owning } from "../../util/owned.js";
import { fileError, sha256 } from "../../util/files.js";
import { decodeSafetensors } from "../../util/safetensors.js";
import { collectTrace } from "./collect-trace.js";
import { SPEC } from "./done-record.js";
import { readRun } from "./run-record.js";
import { noSuchModel, runSummary } from "./run-summary.js";
import { parseRunSpec, type RunSpec } from "../specs/spec.js";
import { MODEL_FILE } from "./model-file.js";
import { type ModelView, modelViews, trainedNetwork } from "../specs/model-views.js";
import { type CascadeNetworkSpec, isCascade } from "../specs/network-spec.js";
import { changedSpec } from "../specs/spec-change.js";

export interface TrainedModelOptions {
  /** Which of the run's models; the first if left out. */
  readonly model?: string | undefined;
  /** Timesteps to run a cascade for; those of the spec if left out. */
  readonly timesteps?: number | undefined;
  /** Propagation delay to run a cascade with; that of the spec if left out. */
  readonly delay?: CascadeNetworkSpec["delay"] | undefined;
  /**
   * What streams compute in, float32 if left out. In mixed precision convolutions are of 16-bit integers: about half of
   * the time, half of the bytes to read, and answers within a thousandth of float32's. Traces are always float32's.
   */
  readonly precision?: Precision | undefined;
}

/** A finished run's weights, ready to be run over time. */
export class TrainedModel {
  readonly #pass: EvaluationPass;

  constructor(
    readonly model: string,
    readonly run: string,
    readonly network: AnytimeNetwork,
    readonly state: NetworkState,
    readonly normalisation: ChannelStatistics,
    readonly classNames: readonly string[],
    /** Side of the images that it was trained on, in pixels. */
    readonly imageSize: number,
    precision?: Precision,
  ) {
    this.#pass = evaluationPass(network, state, precision);
  }

  /** Logits [T, N, K] of a set of images with the same classes. */
  trace(set: ImageSet, onProgress?: (done: number) => void): Trace {
    const { network, state, normalisation, model, run } = this;
    return collectTrace(network, state, set, {
      normalisation,
      model,
      run,
      ...(onProgress && { onProgress }),
    });
  }

  /**
   * The answer at each timestep for one image, pixels [H, W, 3] of 0 to 255; what is not asked for is not computed.
   * A UserError if the number of pixels is not that of a square image.
   */
  stream(pixels: Uint8Array): Generator<StreamedStep> {
    const side = Math.sqrt(pixels.length / 3);
    if (!Number.isInteger(side)) {
      throw new UserError(`${pixels.length} values are no square RGB image; give height x width x 3 pixels`);
    }
    return owning((owned) => this.#steps(pixels, side, owned));
  }

  *#steps(pixels: Uint8Array, side: number, owned: Owned): Generator<StreamedStep> {
    const image = tf.tensor4d(normalisedImage(pixels, this.normalisation), [1, side, side, 3]);
    owned.add(() => {
      image.dispose();
    });
    try {
      yield* stream(this.network, this.#pass, image);
    } finally {
      owned.release();
    }
  }

  dispose(): void {
    disposeEvaluationPass(this.#pass);
    disposeState(this.state);
  }
}

/** Loads the weights of a finished run; a UserError names what is missing, damaged or unknown. */
export async function openTrainedModel(
  directory: string,
  options: TrainedModelOptions = {},
): Promise<TrainedModel> {
  const summary = runSummary(directory);
  const record = readRun(directory);
  const spec = parseRunSpec(record.spec, join(directory, SPEC));
  const { normalisation, classNames, imageSize } = summary;
  const views = modelViews(specRunAs(spec, options, directory), classNames.length, imageSize);
  const view = options.model === undefined ? views[0] : views.find(({ model }) => model === options.model);
  if (view === undefined) {
    throw new UserError(noSuchModel(directory, options.model ?? "", views));
  }
  const trainedAs = trainedNetwork(spec, classNames.length, imageSize);
  assertHasHeads(view, trainedAs);
  const path = join(directory, MODEL_FILE);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  if (sha256(bytes) !== record.done?.files[MODEL_FILE]) {
    throw new UserError(`${path} is damaged: it is not the file that DONE.json names; train the run again`);
  }
  const { tensors } = decodeSafetensors(bytes, path);
  const trained = tensorSpecs(trainedAs).map(
    ({ name, shape }) => [name, { shape, values: storedValues(tensors, name, shape, path) }] as const,
  );
  const state = retimedState(view.network, new Map(trained));
  return new TrainedModel(
    view.model,
    record.hash,
    view.network,
    state,
    normalisation,
    classNames,
    imageSize,
    options.precision,
  );
}

/** The spec with the timesteps and the delay that are asked for; a UserError where its network is no cascade. */
function specRunAs(spec: RunSpec, { timesteps, delay }: TrainedModelOptions, directory: string): RunSpec {
  if (timesteps === undefined && delay === undefined) return spec;
  if (!isCascade(spec.network)) {
    throw new UserError(
      `${directory} holds a feed-forward network, which answers once at each of its exits; leave timesteps and delay out`,
    );
  }
  const network = { ...(timesteps !== undefined && { timesteps }), ...(delay !== undefined && { delay }) };
  return changedSpec(spec, { network }, directory);
}

function assertHasHeads({ model, network }: ModelView, { timesteps }: AnytimeNetwork): void {
  if (network.kind !== "cascade" || network.spec.heads === "single" || network.timesteps <= timesteps) return;
  throw new UserError(`${model} has a head for each of its ${timesteps} timesteps; ask for no more of them`);
}

/** A check that images can be judged by a model that was trained on images of `imageSize` pixels. */
export function assertFits(set: ImageSet, model: TrainedModel, where: string): void {
  const { height, width } = set.size;
  if (
    height !== model.imageSize ||
    width !== model.imageSize ||
    set.images.length % valuesPerImage(set.size) !== 0
  ) {
    throw new UserError(
      `${where} has images of ${height} x ${width} pixels, ${model.model} was trained on ${model.imageSize} x ${model.imageSize}`,
    );
  }
}
