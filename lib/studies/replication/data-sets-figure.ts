import { existsSync } from "node:fs";
import { from } from "arquero";
import type { PlotlyFigure } from "../../figures/figure.js";
import { speedAccuracyOfDataSets } from "../../figures/speed-accuracy-panels.js";
import { sixModelsStudy } from "../claims/six-models/study.js";
import { curvesOfNumbers, type NumberRow } from "../evidence/numbers.js";
import { readNumbers } from "./number-file.js";

/** The study that is shown for all data sets side by side. */
export const SHOWN_STUDY = sixModelsStudy.name;

export const DATA_SETS_CAPTION =
  "Speed and accuracy of the six models on each data set when each image stops once the network is confident enough, mean " +
  "and standard error over seeds; rings: every image is answered at the same timestep; thin dashes: accuracy at the last step.";

/** How the paper writes the names of its data sets. */
const TITLES: ReadonlyMap<string, string> = new Map([
  ["cifar10", "CIFAR-10"],
  ["cifar100", "CIFAR-100"],
  ["tinyimagenet", "TinyImageNet"],
]);

/**
 * The main figure for several data sets, from the numbers that each one's study wrote; undefined where fewer than two have
 * them. `numbers` are the files, by the name of the data.
 */
export async function dataSetsFigure(
  numbers: ReadonlyMap<string, string>,
): Promise<PlotlyFigure | undefined> {
  const there = [...numbers].filter(([, path]) => existsSync(path));
  if (there.length < 2) return undefined;
  const panels = there.map(async ([name, path]) => {
    const { curves, deadlines } = curvesOfNumbers((await readNumbers(path)).objects() as NumberRow[]);
    return { title: TITLES.get(name) ?? name, table: from(curves), deadlines: from(deadlines) };
  });
  return speedAccuracyOfDataSets(await Promise.all(panels));
}
