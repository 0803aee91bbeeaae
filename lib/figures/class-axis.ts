import { type PlotlyObject, plotText } from "./figure.js";
import { axis } from "./style.js";

/** More classes than this are not named along an axis: pointing at a cell names them. */
const MOST_NAMES = 20;

/** An axis with a class at each whole number from 0 on. */
export function classAxis(title: string, classNames: readonly string[], more: PlotlyObject): PlotlyObject {
  return axis(title, {
    tickvals: [...classNames.keys()],
    ticktext: classNames.map(plotText),
    ticks: "",
    ...more,
    showticklabels: classNames.length <= MOST_NAMES && more["showticklabels"] !== false,
  });
}
