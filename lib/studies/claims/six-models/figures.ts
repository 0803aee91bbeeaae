import { accuracyOverTimeFigure } from "../../../figures/accuracy-over-time.js";
import { calibrationOverTimeFigure } from "../../../figures/calibration-over-time.js";
import { speedAccuracyPanels } from "../../../figures/speed-accuracy-panels.js";
import { curveTable, overTimeTable } from "../../evidence/tables.js";
import type { StudyResult } from "../../study.js";
import { AXES, type SixModels } from "./models.js";

export function figuresOf({ arms }: SixModels): StudyResult["figures"] {
  return [
    {
      name: "speed-accuracy",
      caption:
        "Speed and accuracy of the six models when each image stops once the network is confident enough, " +
        "mean and standard error over seeds, against (a) timesteps, (b) multiply-adds and (c) measured time; a line is broken where no threshold leads; rings: every " +
        "image is answered at the same timestep, the simplest rule; thin dashes: accuracy at the last step, which CascadedCE and SerialCE, the same weights, have in common.",
      figure: speedAccuracyPanels(
        curveTable(arms),
        AXES.map(({ axis }) => axis),
        curveTable(arms, ({ deadlines }) => deadlines),
      ),
    },
    {
      name: "accuracy-over-time",
      caption:
        "Accuracy when the answer is asked for at a given timestep, mean and standard error over seeds.",
      figure: accuracyOverTimeFigure(overTimeTable(arms, "accuracy", ({ accuracy }) => accuracy)),
    },
    {
      name: "calibration-over-time",
      caption: "Expected calibration error at each timestep, mean and standard error over seeds.",
      figure: calibrationOverTimeFigure(
        overTimeTable(arms, "expectedCalibrationError", ({ calibrationError }) => calibrationError),
      ),
    },
  ];
}
