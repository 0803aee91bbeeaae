import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { axisNumber, panelDomain, panelTitle } from "./panels.js";
import { axis, layout, millimetres, modelStyles, shareAxis, WIDTH } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

const PANELS = [
  { column: "last", title: "<b>a</b>  last step" },
  { column: "early", title: "<b>b</b>  t = 3" },
  { column: "area", title: "<b>c</b>  mean over time" },
] as const;
const GAP = 0.04;
/** Top of the axes: above stand the panels' titles. */
const TOP = 0.92;

/**
 * What lambda does to accuracy at the last step, at t = 3 and on the mean over time, a panel each and a line for each
 * model: the mean over the rows of equal model and lambda (seeds) in a band of one standard error.
 * Table: model, lambda, last, early, area.
 */
export function accuracyAgainstLambdaFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows(
    "accuracy against lambda",
    table,
    ["lambda", ...PANELS.map(({ column }) => column)],
    ["model"],
  );
  const models = groupRows(rows, (row) => row.model);
  const styles = modelStyles(models.keys());
  const lambdas = [...new Set(rows.map((row) => row.lambda))].sort((one, other) => one - other);
  const titles = PANELS.map(({ title }, i) => panelTitle(title, panelDomain(i, PANELS.length, GAP), TOP));
  const axes: Record<string, PlotlyObject> = {};
  const data = PANELS.flatMap(({ column }, i) => {
    const number = axisNumber(i);
    axes[`xaxis${number}`] = axis("λ", {
      domain: panelDomain(i, PANELS.length, GAP),
      anchor: `y${number}`,
      range: [-0.05, 1.05],
      tickmode: "array",
      tickvals: lambdas,
    });
    axes[`yaxis${number}`] = shareAxis(i === 0 ? "Accuracy" : "", {
      anchor: `x${number}`,
      domain: [0, TOP],
      rangemode: "normal",
      showticklabels: i === 0,
      ...(i > 0 && { matches: "y" }),
    });
    const lambda = (row: (typeof rows)[number]): number => row.lambda;
    const lines = [...styles].map(([model, style]) => ({
      model,
      style,
      line: meanLine(models.get(model) ?? [], lambda, lambda, (row) => row[column]),
    }));
    return [
      ...lines.flatMap(({ model, style, line }) => errorBand(model, style, line)),
      ...lines.map(({ model, style, line }) => ({
        ...modelLine(model, style, line),
        ...(i > 0 && { showlegend: false }),
      })),
    ].map((trace) => ({ ...trace, xaxis: `x${number}`, yaxis: `y${number}` }));
  });
  return {
    data,
    layout: layout({
      width: WIDTH.double,
      height: millimetres(58),
      legendEntries: models.size,
      legendColumns: 4,
      axes: { ...axes, annotations: titles },
    }),
  };
}
