import type { PlotlyObject } from "./figure.js";
import { points } from "./style.js";

/** A narrow colour bar with what it means written along it. */
export function colorBar(title: string, more: PlotlyObject = {}): PlotlyObject {
  return {
    title: { text: title, side: "right", font: { size: points(8) } },
    thickness: 8,
    outlinewidth: 0,
    len: 1,
    tickfont: { size: points(7) },
    ticks: "outside",
    ticklen: 2,
    ...more,
  };
}
