import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { PlotlyFigure } from "../../lib/figures/figure.js";

export const renewing = process.env["SNAPSHOTS"] === "renew";

/**
 * Holds a figure, which must be plain JSON, to the snapshot of this name, which begins with the name of the figure's
 * file. `npm run snapshots` writes all of them anew; what changed is then seen in the difference to be committed.
 */
export function assertSnapshot(name: string, figure: PlotlyFigure): void {
  const text = JSON.stringify(figure);
  assert.deepEqual(JSON.parse(text), figure, `${name} is not plain JSON`);
  const path = `test/figures/snapshots/${name}.json`;
  const compact = JSON.parse(text, brief) as PlotlyFigure;
  if (renewing) writeFileSync(path, inLines(compact));
  assert.deepEqual(
    compact,
    JSON.parse(readFileSync(path, "utf8")),
    `${name} is drawn otherwise than ${path} says; if that is meant, renew it with: npm run snapshots`,
  );
}

/** Six digits of a number, and of a picture that it is one: how PNG packs it is not the figure's affair. */
function brief(_key: string, value: unknown): unknown {
  if (typeof value === "number") return Number(value.toPrecision(6));
  if (typeof value === "string" && value.startsWith("data:image/png")) return "data:image/png";
  return value;
}

/** A line for each thing drawn and for each entry of the layout, so that differences are short. */
function inLines({ data, layout }: PlotlyFigure): string {
  const drawn = data.map((one) => JSON.stringify(one)).join(",\n");
  const entries = Object.entries(layout).map(
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  return `{"data":[\n${drawn}],\n"layout":{\n${entries.join(",\n")}}}\n`;
}
