import { plotText } from "../../../figures/figure.js";
import { from } from "arquero";
import { valuesPerImage } from "../../../util/image-size.js";
import { pngDataUri } from "../../../datasets/encode.js";
import { type CaptionedImage, imageGrid } from "../../../figures/image-grid.js";
import { typicalityFigure } from "../../../figures/typicality.js";
import { measuredResults } from "../../evidence/tables.js";
import type { StudyResult } from "../../study.js";
import { type Images, type RunTypicality, type TypicalityArms } from "./runs.js";
import { BINS, type Extreme, type HeldOut, MAIN_THRESHOLD, SHOWN } from "./typicality-of-trace.js";
import { CASCADED_TD } from "../../evidence/model-names.js";

export function curveFigures({ images, arms }: TypicalityArms): StudyResult["figures"] {
  const rows = measuredResults(arms).flatMap(({ arm, measured }) =>
    measured.bins.map((bin) => ({ model: arm, ...bin })),
  );
  const prefix = images === "constructed" ? "constructed-" : "";
  const which = images === "constructed" ? "images of constructed typicality" : "held-out images";
  const title = images === "constructed" ? "Constructed typicality" : "C-score (1 = typical)";
  const scale = images === "constructed" ? "the typicality that they were made with" : "C-score";
  const caption = (quantity: string): string =>
    `${quantity} against ${scale} on ${which} at confidence ${MAIN_THRESHOLD}: means of bins of ${1 / BINS}, bars of one standard error over seeds (of a single seed, over images). Below: n, the images of each bin.`;
  return [
    {
      name: `${prefix}latency`,
      caption: caption("Selection latency"),
      figure: typicalityFigure(from(rows), "selectionLatency", title),
    },
    {
      name: `${prefix}correctness`,
      caption: caption("Accuracy at selection"),
      figure: typicalityFigure(from(rows), "accuracy", title),
    },
  ];
}

/** The most and the least typical held-out images of each class, with the latency and answer that they got. */
export async function pictureFigure(
  images: Images,
  { seed, extremes }: RunTypicality,
  { set }: HeldOut,
): Promise<StudyResult["figures"][number]> {
  const pictureOf = async ({ place, cScore, latency, right }: Extreme): Promise<CaptionedImage> => {
    const values = valuesPerImage(set.size);
    const pixels = set.images.subarray(place * values, (place + 1) * values);
    return {
      source: await pngDataUri(pixels, set.size),
      caption: `t = ${latency}, ${right ? "right" : "wrong"}<br>C-score ${cScore.toFixed(2)}`,
    };
  };
  const labels = [...new Set(extremes.map(({ label }) => label))];
  const group = async (end: Extreme["end"]) => {
    const byClass = labels.map((label) => extremes.filter((one) => one.label === label && one.end === end));
    const rows = Array.from({ length: SHOWN }, (_, r) => byClass.flatMap((own) => own.slice(r, r + 1)));
    return { title: end, rows: await Promise.all(rows.map((row) => Promise.all(row.map(pictureOf)))) };
  };
  const columns = labels.map((label) => plotText(set.classNames[label] ?? "").replaceAll("-", "<br>"));
  return {
    name: images === "constructed" ? "constructed-images" : "images",
    caption: `The most and the least typical held-out images of each class, with the timestep at which ${CASCADED_TD} (seed ${seed}, confidence ${MAIN_THRESHOLD}) answers, and whether rightly.`,
    figure: imageGrid([await group("most typical"), await group("least typical")], { columns }),
  };
}
