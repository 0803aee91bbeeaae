import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { axis, INK, layout, LINE_WIDTH, millimetres, modelStyles, shareAxis } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

const TRAINING_OPACITY = 0.4;

/**
 * Loss (above) and accuracy (below) by epoch, a line for each model: on the validation split the mean over the rows
 * of equal model and epoch (seeds) in a band of one standard error, on the training split pale.
 * Table: model, split ("train" or "validation"), epoch, loss, accuracy.
 */
export function trainingCurvesFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows("training curves", table, ["epoch", "loss", "accuracy"], ["model", "split"]);
  const models = groupRows(rows, (row) => row.model);
  const styles = modelStyles(models.keys());
  const panel = (quantity: "loss" | "accuracy", axes: PlotlyObject): PlotlyObject[] =>
    [...styles].flatMap(([model, style]) => {
      const curve = (split: string) => {
        const epoch = (row: (typeof rows)[number]): number => row.epoch;
        const own = (models.get(model) ?? []).filter((row) => row.split === split);
        return meanLine(own, epoch, epoch, (row) => row[quantity]);
      };
      const validation = curve("validation");
      const training = {
        ...modelLine(`${model}, training`, style, curve("train")),
        legendgroup: model,
        mode: "lines",
        opacity: TRAINING_OPACITY,
        showlegend: false,
      };
      const validated = { ...modelLine(model, style, validation), showlegend: quantity === "loss" };
      return [...errorBand(model, style, validation), training, validated].map((trace) => ({
        ...trace,
        ...axes,
      }));
    });
  return {
    data: [
      ...panel("loss", { xaxis: "x", yaxis: "y" }),
      ...panel("accuracy", { xaxis: "x", yaxis: "y2" }),
      splitKey("validation", 1),
      splitKey("training", TRAINING_OPACITY),
    ],
    layout: layout({
      height: millimetres(84),
      legendEntries: models.size + 2,
      axes: {
        xaxis: axis("Epoch", { anchor: "y2" }),
        yaxis: axis("Loss", { domain: [0.54, 1], showgrid: true, rangemode: "tozero" }),
        yaxis2: shareAxis("Accuracy", { domain: [0, 0.46], rangemode: "tozero" }),
      },
    }),
  };
}

/** An entry of the legend without data. */
function splitKey(name: string, opacity: number): PlotlyObject {
  const line = { color: INK, width: LINE_WIDTH };
  return { type: "scatter", mode: "lines", name, x: [null], y: [null], line, opacity };
}
