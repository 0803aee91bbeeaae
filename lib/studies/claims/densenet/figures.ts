import { accuracyOverTimeFigure } from "../../../figures/accuracy-over-time.js";
import type { PlotlyFigure } from "../../../figures/figure.js";
import { speedAccuracyFigure } from "../../../figures/speed-accuracy.js";
import { curveTable, overTimeTable } from "../../evidence/tables.js";
import type { StudyResult } from "../../study.js";
import type { Compared } from "./models.js";

export function figuresOf(dense: Compared, residual: Compared): StudyResult["figures"] {
  const shown = "mean and standard error over seeds";
  return [
    {
      name: "accuracy-over-time",
      caption: `DenseNet: accuracy when the answer is asked for at a given timestep, ${shown}.`,
      figure: overTime(dense),
    },
    {
      name: "speed-accuracy",
      caption: `DenseNet: accuracy against mean stopping time when each image stops once the network is confident enough, ${shown}; thin dashes: accuracy at the last step.`,
      figure: speedAccuracyFigure(curveTable(dense.arms)),
    },
    {
      name: "cost-accuracy",
      caption: `DenseNet: the same against multiply-adds, in which a cascaded timestep costs more than a serial one, ${shown}.`,
      figure: speedAccuracyFigure(curveTable(dense.arms), "meanMultiplyAdds"),
    },
    {
      name: "exit-weights-accuracy-over-time",
      caption: `ResNet: SerialTD-MultiHead with and without the exit weights of a Shallow-Deep Network, ${shown}.`,
      figure: overTime(residual),
    },
  ];
}

const overTime = ({ arms }: Compared): PlotlyFigure =>
  accuracyOverTimeFigure(overTimeTable(arms, "accuracy", ({ accuracy }) => accuracy));
