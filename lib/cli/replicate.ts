import { join } from "node:path";
import { Command } from "commander";
import { parseDatasetSource } from "../datasets/parse-source.js";
import { applyOverrides } from "../experiments/overrides.js";
import { speedAccuracyStudy } from "../experiments/speed-accuracy-study.js";
import { accuracyOverTimeFigure } from "../figures/accuracy-over-time.js";
import { closeBrowser } from "../figures/browser.js";
import { exportFigure } from "../figures/export.js";
import { speedAccuracyFigure } from "../figures/speed-accuracy.js";
import { UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { wholeNumbers } from "./options.js";
import { writeOut } from "./output.js";

interface ReplicateOptions {
  readonly data?: string;
  readonly out: string;
  readonly runs: string;
  readonly seeds: readonly number[];
}

/**
 * `cascade replicate`: trains CascadedTD, the CE network and SerialTD-MultiHead, and draws accuracy against time and
 * speed against accuracy. What is done is not done again.
 */
export function replicateCommand(): Command {
  return new Command("replicate")
    .description(
      "the main job: train the models of the speed-accuracy figure and draw it; goes on where it was stopped",
    )
    .argument("[key=value...]", "fields of every spec to change, such as train.epochs=12 or seed=1")
    .option(
      "--data <source>",
      "data set, such as cifar10=<path>, an image folder, or procedural (the default)",
    )
    .option("--out <folder>", "where figures and the summary go", "data/figures")
    .option("--runs <folder>", "folder of all runs", "data/runs")
    .option("--seeds <list>", "seeds, separated by commas", wholeNumbers, [0])
    .action(async (overrides: string[], options: ReplicateOptions) => {
      const data = options.data === undefined ? {} : { data: await parseDatasetSource(options.data) };
      const study = await speedAccuracyStudy((spec) => applyOverrides({ ...spec, ...data }, overrides), {
        root: options.runs,
        seeds: options.seeds,
      });
      try {
        const accuracy = join(options.out, "accuracy-over-time");
        const tradeoff = join(options.out, "speed-accuracy");
        await exportFigure(accuracyOverTimeFigure(study.accuracy), {
          svg: `${accuracy}.svg`,
          pdf: `${accuracy}.pdf`,
        });
        const figure = speedAccuracyFigure(study.speedAccuracy, "meanStoppingTime");
        await exportFigure(figure, { svg: `${tradeoff}.svg`, pdf: `${tradeoff}.pdf` });
        writeOut(`figures: ${accuracy}.svg .pdf, ${tradeoff}.svg .pdf`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        process.stderr.write(`no figures: ${error.message}\n`);
        process.exitCode = 1;
      } finally {
        await closeBrowser();
      }
      await writeFileAtomic(join(options.out, "summary.json"), `${JSON.stringify(study.summary, null, 2)}\n`);
      for (const { model, accuracy, area } of study.summary.models) {
        writeOut(
          `${model.padEnd(22)} accuracy % ${accuracy.map((a) => (100 * a).toFixed(1)).join(" ")}  area ${area.toFixed(3)}`,
        );
      }
    });
}
