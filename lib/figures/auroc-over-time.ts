import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { axisNumber, panelDomain } from "./panels.js";
import { axis, INK, layout, type ModelStyle, modelStyles, timestepAxis, WIDTH } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

const CONFIDENCE_DASH = "1.5px,2px";
const GAP = 0.16;

/**
 * How well right answers are told from wrong ones at each timestep: on the left for each model a line of filled symbols
 * (GRU) and a dotted one of open symbols (confidence), means over the rows of equal model, signal and timestep (seeds) in
 * bands of one standard error; on the right the lead of the GRU, each seed paired with itself.
 * Table: model, signal ("GRU" or "confidence"), seed, timestep, auroc.
 */
export function aurocOverTimeFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows("AUROC over time", table, ["seed", "timestep", "auroc"], ["model", "signal"]);
  const models = groupRows(rows, (row) => row.model);
  const styles = [...modelStyles(models.keys())];
  const timestep = (row: { readonly timestep: number }): number => row.timestep;
  const lines = styles.flatMap(([model, style]) =>
    (["GRU", "confidence"] as const).map((signal) => {
      const own = (models.get(model) ?? []).filter((row) => row.signal === signal);
      const line = meanLine(own, timestep, timestep, (row) => row.auroc);
      const look =
        signal === "GRU"
          ? { ...style, dash: "solid" }
          : { ...style, dash: CONFIDENCE_DASH, symbol: `${style.symbol}-open` };
      return { model, signal, look, line };
    }),
  );
  const leads = styles.map(([model, style]) => ({
    model,
    look: { ...style, dash: "solid" },
    line: meanLine(leadRows(models.get(model) ?? []), timestep, timestep, (row) => row.lead),
  }));
  const last = Math.max(...rows.map(timestep));
  const axesOf = (i: number, title: string): PlotlyObject => {
    const number = axisNumber(i);
    return {
      [`xaxis${number}`]: { ...timestepAxis(last), domain: panelDomain(i, 2, GAP), anchor: `y${number}` },
      [`yaxis${number}`]: axis(title, { showgrid: true, tickformat: ".2f", anchor: `x${number}` }),
    };
  };
  return {
    data: [
      ...lines.flatMap(({ model, look, line }) => errorBand(model, look, line)),
      ...lines.map(({ model, signal, look, line }) => ({
        ...modelLine(model, look, line),
        showlegend: signal === "GRU",
      })),
      ...leads.flatMap(({ model, look, line }) => [
        ...errorBand(model, look, line).map((band) => ({ ...band, xaxis: "x2", yaxis: "y2" })),
        { ...modelLine(model, look, line), showlegend: false, xaxis: "x2", yaxis: "y2" },
      ]),
      signalKey("GRU", { color: INK, dash: "solid", symbol: "circle" }),
      signalKey("confidence", { color: INK, dash: CONFIDENCE_DASH, symbol: "circle-open" }),
    ],
    layout: layout({
      width: WIDTH.double,
      legendEntries: models.size + 2,
      legendColumns: 4,
      axes: {
        ...axesOf(0, "AUROC"),
        ...axesOf(1, "Lead of the GRU"),
      },
    }),
  };
}

interface Signal {
  readonly signal: string;
  readonly seed: number;
  readonly timestep: number;
  readonly auroc: number;
}

/** What the GRU is ahead of the confidence by, for each seed and timestep that both have. */
function leadRows(rows: readonly Signal[]): { readonly timestep: number; readonly lead: number }[] {
  return rows
    .filter(({ signal }) => signal === "GRU")
    .flatMap(({ seed, timestep, auroc }) => {
      const other = rows.find(
        (row) => row.signal === "confidence" && row.seed === seed && row.timestep === timestep,
      );
      return other === undefined ? [] : [{ timestep, lead: auroc - other.auroc }];
    });
}

/** An entry of the legend alone. */
function signalKey(name: string, look: ModelStyle): PlotlyObject {
  return modelLine(name, look, [{ x: NaN, y: NaN, standardError: NaN }]);
}
