import type { PlotlyFigure, PlotlyObject } from "./figure.js";
import { errorBand, meanLine, modelLine } from "./model-line.js";
import { axisNumber, panelDomain, panelTitle } from "./panels.js";
import { RULE_STYLES } from "./rule-style.js";
import { axis, layout, millimetres, modelStyles, shareAxis, WIDTH } from "./style.js";
import { tableRows } from "./table-rows.js";
import { groupRows } from "../util/group-rows.js";
import type { TableLike } from "../util/table-cells.js";

const GAP = 0.06;
const UPPER = [0.5, 0.95] as const;
const LOWER = [0, 0.4] as const;

/** From the least lead to the largest with a little room. */
function leadRange(rows: readonly { readonly lead: number }[]): [number, number] {
  const leads = rows.map(({ lead }) => 100 * lead);
  const [least, largest] = [Math.min(-1, ...leads), Math.max(1, ...leads)];
  const room = 0.1 * (largest - least);
  return [least - room, largest + room];
}

/**
 * Stopping rules compared, a panel for each model: above accuracy against mean stopping time, below each rule's
 * accuracy less that of the confidence rule at the same mean stopping time, in points; means over the rows of equal
 * rule and mean stopping time (seeds) in bands of one standard error.
 * Table: model, rule, meanStoppingTime, accuracy, lead.
 */
export function stoppingRulesFigure(table: TableLike): PlotlyFigure {
  const rows = tableRows(
    "stopping rules",
    table,
    ["meanStoppingTime", "accuracy", "lead"],
    ["model", "rule"],
  );
  const models = groupRows(rows, (row) => row.model);
  const names = [...modelStyles(models.keys()).keys()];
  const rules = [...RULE_STYLES].filter(([rule]) => rows.some((row) => row.rule === rule));
  const leads = leadRange(rows);
  const farthest = Math.max(...rows.map((row) => row.meanStoppingTime));
  const axes: Record<string, PlotlyObject> = {};
  const data = names.flatMap((model, i) => {
    const [upper, lower] = [axisNumber(2 * i), axisNumber(2 * i + 1)];
    const domain = panelDomain(i, names.length, GAP);
    const range = [-0.03 * farthest, 1.03 * farthest];
    axes[`xaxis${upper}`] = axis("", { domain, anchor: `y${upper}`, range, showticklabels: false });
    axes[`yaxis${upper}`] = shareAxis(i === 0 ? "Accuracy" : "", {
      domain: UPPER,
      anchor: `x${upper}`,
      showticklabels: i === 0,
      ...(i > 0 && { matches: "y" }),
    });
    axes[`xaxis${lower}`] = axis("Mean stopping time (timesteps)", { domain, anchor: `y${lower}`, range });
    axes[`yaxis${lower}`] = axis(i === 0 ? "Lead over confidence (points)" : "", {
      domain: LOWER,
      anchor: `x${lower}`,
      range: leads,
      showticklabels: i === 0,
      nticks: 5,
      showgrid: true,
    });
    return rules.flatMap(([rule, style]) => {
      const own = (models.get(model) ?? []).filter((row) => row.rule === rule);
      const time = (row: (typeof rows)[number]): number => row.meanStoppingTime;
      const accuracy = meanLine(own, time, time, (row) => row.accuracy);
      const lead = meanLine(own, time, time, (row) => 100 * row.lead);
      return [
        { line: accuracy, place: upper, showlegend: i === 0 },
        { line: lead, place: lower, showlegend: false },
      ].flatMap(({ line, place, showlegend }) =>
        [...errorBand(rule, style, line), { ...modelLine(rule, style, line), showlegend }].map((drawn) => ({
          ...drawn,
          xaxis: `x${place}`,
          yaxis: `y${place}`,
        })),
      );
    });
  });
  const annotations = names.map((model, i) => panelTitle(model, panelDomain(i, names.length, GAP), UPPER[1]));
  const base = layout({
    width: WIDTH.double,
    height: millimetres(100),
    legendEntries: rules.length,
    legendColumns: 6,
    axes: { ...axes, annotations },
  });
  return { data, layout: base };
}
