import { Command } from "commander";
import type { ImageSet } from "../datasets/dataset.js";
import { loadDataset, loadImageSplit } from "../datasets/load.js";
import { parseDatasetSource } from "../datasets/parse-source.js";
import { limit } from "../datasets/split.js";
import { testImages } from "../experiments/runs/image-splits.js";
import { parseRunSpec } from "../experiments/specs/spec.js";
import { runDataset } from "../experiments/runs/run-images.js";
import { readRun } from "../experiments/runs/run-record.js";
import { assertFits, openTrainedModel, type TrainedModel } from "../experiments/runs/trained-model.js";
import { accuracyPerTimestep } from "../trace/accuracy-per-timestep.js";
import { areaUnderAccuracy } from "../trace/area.js";
import { expectedCalibrationError } from "../trace/calibration.js";
import type { Trace } from "../trace/trace.js";
import { writeTrace } from "../trace/trace-file.js";
import { UserError } from "../util/errors.js";
import { startProgress } from "../util/progress.js";
import { wholeNumber } from "./options.js";
import { writeOut } from "./output.js";

interface TraceOptions {
  readonly out?: string;
  readonly data?: string;
  readonly model?: string;
  readonly timesteps?: number;
  readonly images?: number;
  readonly json?: true;
}

/** `cascade trace <run>`: the logits of every timestep for a set of images, as an Arrow file. */
export function traceCommand(): Command {
  return new Command("trace")
    .description(
      "run a trained model over images; store the logits of every timestep and print accuracy by timestep",
    )
    .argument("<run>", "directory of a finished run")
    .option("--out <file>", "Arrow file to write (Feather version 2; reads in Python and R)")
    .option(
      "--data <source>",
      "images with the same classes: a data source or a folder; default: the run's own test images",
    )
    .option("--model <name>", "which of the run's models, such as SerialCE")
    .option("--timesteps <n>", "timesteps to run for", wholeNumber(1))
    .option("--images <n>", "use only so many images, as many of each class as possible", wholeNumber(1))
    .option("--json", "print the result as JSON")
    .action(async (run: string, options: TraceOptions) => {
      const model = await openTrainedModel(run, { model: options.model, timesteps: options.timesteps });
      const { set, ...about } = await imagesFor(run, model, options);
      const bar = startProgress({ label: `trace ${model.model}`, total: set.labels.length });
      const traced = model.trace(set, (done) => {
        bar.update(done);
      });
      const trace: Trace = { ...traced, ...about };
      bar.stop();
      if (options.out !== undefined) await writeTrace(options.out, trace);
      const accuracy = [...accuracyPerTimestep(trace)];
      const calibrationError = [...expectedCalibrationError(trace)];
      if (options.json === true) {
        const { timesteps, examples, classes } = trace;
        const area = areaUnderAccuracy(accuracy);
        const result = {
          model: model.model,
          run: model.run,
          timesteps,
          examples,
          classes,
          accuracy,
          area,
          calibrationError,
        };
        writeOut(
          JSON.stringify(
            { ...result, multiplyAdds: trace.cost?.multiplyAdds, out: options.out ?? null },
            null,
            2,
          ),
        );
        return;
      }
      writeOut(`${model.model}, ${trace.examples} images`);
      writeOut("  t  accuracy %  calibration error  million multiply-adds");
      for (const [t, share] of accuracy.entries()) {
        const cost = (trace.cost?.multiplyAdds[t] ?? 0) / 1e6;
        writeOut(
          `${String(t).padStart(3)}  ${(100 * share).toFixed(2).padStart(10)}  ${(calibrationError[t] ?? NaN).toFixed(4).padStart(17)}  ${cost.toFixed(2).padStart(21)}`,
        );
      }
    });
}

/** Images, and what is known of their origin. */
type ImagesOf = { readonly set: ImageSet } & Pick<Trace, "data" | "split">;

async function imagesFor(
  run: string,
  model: TrainedModel,
  { data, images }: TraceOptions,
): Promise<ImagesOf> {
  const { set, ...about } =
    data === undefined ? await ownTestImages(run) : { set: await imagesFrom(data, model) };
  assertFits(set, model, data ?? run);
  return { set: images === undefined ? set : limit(set, images, 0), ...about };
}

async function ownTestImages(run: string): Promise<ImagesOf> {
  const spec = parseRunSpec(readRun(run).spec, run);
  const dataset = await runDataset(run);
  return { set: testImages(spec, dataset), data: dataset.hash, split: "test" };
}

async function imagesFrom(text: string, model: TrainedModel): Promise<ImageSet> {
  const source = await parseDatasetSource(text);
  if (source.kind === "folder") {
    const { classNames, imageSize } = model;
    return (await loadImageSplit(source.path, { classNames, size: imageSize, onBroken: source.onBroken }))
      .set;
  }
  const { test } = await loadDataset(source);
  if (test.classNames.join("\n") !== model.classNames.join("\n")) {
    throw new UserError(
      `${text} has the classes ${test.classNames.join(", ")}; ${model.model} knows ${model.classNames.join(", ")}`,
    );
  }
  return test;
}
