import { UserError } from "../util/errors.js";
import type { PlotlyFigure } from "./figure.js";
import { axis, layout, millimetres, SEQUENTIAL_SCALE, WIDTH } from "./style.js";

const CELL = millimetres(5.2);

/**
 * Which distinct evaluation each block performs at each timestep, [blocks][T], earlier blocks at the bottom: a number
 * where the evaluation is new to its block, only its colour where it repeats one and need not be computed.
 * Throws a UserError for rows of different length or without labels.
 */
export function functionalDepthFigure(
  evaluations: readonly (readonly number[])[],
  blocks: readonly string[],
): PlotlyFigure {
  const T = evaluations[0]?.length ?? 0;
  if (T === 0 || evaluations.length !== blocks.length || evaluations.some((row) => row.length !== T)) {
    throw new UserError(
      `the functional depth figure needs a row of timesteps for each of its ${blocks.length} blocks, all of one length; it has rows of ${evaluations.map((row) => row.length).join(", ")}`,
    );
  }
  const width = T > 12 ? WIDTH.double : WIDTH.column;
  const heatmap = {
    type: "heatmap",
    x: Array.from({ length: T }, (_, t) => t),
    y: blocks.map((_, i) => i),
    z: evaluations.map((row) => [...row]),
    text: evaluations.map((row) => row.map((value, t) => (row.indexOf(value) === t ? String(value) : ""))),
    texttemplate: "%{text}",
    hovertemplate: "timestep %{x}, evaluation %{z}<extra></extra>",
    colorscale: SEQUENTIAL_SCALE,
    showscale: false,
    xgap: 1,
    ygap: 1,
  };
  const ticks = { showline: false, ticks: "", dtick: 1 };
  return {
    data: [heatmap],
    layout: layout({
      width,
      height: CELL * blocks.length + 44,
      axes: {
        xaxis: axis("Timestep", { ...ticks, range: [-0.5, T - 0.5] }),
        yaxis: axis("Block", {
          ...ticks,
          range: [-0.5, blocks.length - 0.5],
          tickvals: blocks.map((_, i) => i),
          ticktext: [...blocks],
        }),
      },
    }),
  };
}
