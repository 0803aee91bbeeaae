/**
 * Whether memory stays flat: `<steps> <repeats>`. Tensors are counted exactly; of the heap and of all memory the growth
 * after a warm-up is bounded. Prints one JSON object. A process of its own, for what others did would count.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadDataset } from "../../lib/datasets/load.js";
import { channelStatistics } from "../../lib/datasets/statistics.js";
import { openTrainedModel } from "../../lib/experiments/runs/trained-model.js";
import { trainingRun } from "../../lib/experiments/runs/training-run.js";
import { trainedNetwork } from "../../lib/experiments/specs/model-views.js";
import { initialState } from "../../lib/models/state.js";
import { tf } from "../../lib/nn/tensorflow.js";
import { speedAccuracyCurve } from "../../lib/trace/speed-accuracy-curve.js";
import { traceMeasures } from "../../lib/trace/trace-measures.js";
import { disposeTrainingState, type TrainingState } from "../../lib/train/training-step.js";
import { type TrainingPlan, trainingSteps } from "../../lib/train/training-steps.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Where growth is measured from: the caches of kernels, of the allocator and of the compiler are full by then. */
const WARM_UP = 0.1;

export interface Growth {
  readonly tensors: number;
  readonly heapKib: number;
  readonly rssKib: number;
}

/** What lies between the two marks that `work` sets, at the end of its warm-up and at its own. */
async function growthOf(work: (mark: () => Promise<void>) => Promise<void>): Promise<Growth> {
  const marks: Growth[] = [];
  await work(async () => {
    marks.push(await settled());
  });
  const [before, after] = marks;
  if (before === undefined || after === undefined || marks.length > 2)
    throw new Error("two marks are needed");
  return {
    tensors: after.tensors - before.tensors,
    heapKib: after.heapKib - before.heapKib,
    rssKib: after.rssKib - before.rssKib,
  };
}

/** What is held once all that can be collected is; abandoned streams take some turns. */
async function settled(): Promise<Growth> {
  for (let turn = 0; turn < 20; turn++) {
    collect();
    await new Promise(setImmediate);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return {
    tensors: tf.memory().numTensors,
    heapKib: Math.round(heapUsed / 1024),
    rssKib: Math.round(rss / 1024),
  };
}

const [steps = NaN, repeats = NaN] = process.argv.slice(2).map(Number);
const root = mkdtempSync(join(tmpdir(), "flat-"));
try {
  const spec = tinyRunSpec("cascaded-td");
  const { train, test } = await loadDataset(spec.data, { cacheFolder: false });
  const training = await growthOf(async (mark) => {
    const network = trainedNetwork(spec, train.classNames.length, train.size.height);
    const epochs = Math.ceil(steps / Math.floor(train.labels.length / spec.train.batchSize));
    const plan: TrainingPlan = {
      network,
      set: train,
      normalisation: channelStatistics(train.images),
      seed: 0,
      loss: { lambda: 1, firstTimestep: 1 },
      ...spec.train,
      epochs,
    };
    let state: TrainingState = { ...initialState(network, 0), velocities: new Map() };
    for (const report of trainingSteps(plan, state, 0)) {
      state = report.state;
      if (report.step === Math.ceil(WARM_UP * steps) || report.step === steps) await mark();
      if (report.step === steps) break;
    }
    disposeTrainingState(state);
  });
  const directory = await trainingRun(tinyRunSpec("cascaded-td", { train: { epochs: 1 } }), {
    root: join(root, "runs"),
    quiet: true,
  });
  const image = test.images.subarray(0, 8 * 8 * 3);
  const analysis = await growthOf(async (mark) => {
    for (let repeat = 1; repeat <= repeats; repeat++) {
      const model = await openTrainedModel(directory);
      const trace = model.trace(test);
      traceMeasures(trace);
      speedAccuracyCurve(trace);
      model.stream(image).next();
      model.dispose();
      if (repeat === Math.ceil(WARM_UP * repeats) || repeat === repeats) await mark();
    }
  });
  process.stdout.write(`${JSON.stringify({ training, analysis })}\n`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
