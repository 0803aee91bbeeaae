import sharp from "sharp";
import type { PlotlyFigure } from "./figure.js";
import { axis, layout, millimetres, points, INK, WIDTH } from "./style.js";
import { groupRows } from "../util/group-rows.js";

/** What a network is shown at a timestep under a noise. */
export interface NoisePicture {
  readonly noise: string;
  readonly schedule: string;
  readonly timestep: number;
  /** [H, W, 3] of 0 to 255. */
  readonly pixels: Uint8ClampedArray;
}

/** Pixels of the drawing for one of the picture, and its gaps, in pixels of the picture. */
const ENLARGED = 3;
const GAP = 2;
const SCHEDULE_GAP = 8;

/**
 * The noises as pictures: a row each noise; side by side the schedules, in each the timesteps. Pictures are square,
 * all of `side` pixels, and there is one for each noise, schedule and timestep.
 */
export async function noisePicturesFigure(
  pictures: readonly NoisePicture[],
  side: number,
): Promise<PlotlyFigure> {
  const noises = [...groupRows(pictures, ({ noise }) => noise).keys()];
  const columns = groupRows(pictures, ({ schedule, timestep }) => `${schedule}/${timestep}`);
  const schedules = [...groupRows(pictures, ({ schedule }) => schedule).keys()];
  const leftOf = new Map(
    [...columns].map(([name, [picture]], column) => {
      const before = schedules.indexOf(picture?.schedule ?? "");
      return [name, column * (side + GAP) + before * SCHEDULE_GAP] as const;
    }),
  );
  const width = Math.max(...leftOf.values()) + side;
  const height = noises.length * (side + GAP) - GAP;
  const montage = new Uint8Array(width * height * 3).fill(255);
  for (const { noise, schedule, timestep, pixels } of pictures) {
    const left = leftOf.get(`${schedule}/${timestep}`) ?? 0;
    const top = noises.indexOf(noise) * (side + GAP);
    for (let y = 0; y < side; y++)
      montage.set(pixels.subarray(y * side * 3, (y + 1) * side * 3), ((top + y) * width + left) * 3);
  }
  const png = await sharp(montage, { raw: { width, height, channels: 3 } })
    .resize({ width: ENLARGED * width, kernel: "nearest" })
    .png({ compressionLevel: 9 })
    .toBuffer();
  const bare = { showline: false, ticks: "", range: [0, width] };
  const margin = { l: 58, r: 4, t: 18, b: 32 };
  const drawn = WIDTH.double - margin.l - margin.r;
  const middleOf = (schedule: string): number => {
    const lefts = [...leftOf].filter(([name]) => name.startsWith(`${schedule}/`)).map(([, left]) => left);
    return (Math.min(...lefts) + Math.max(...lefts) + side) / 2;
  };
  const base = layout({
    width: WIDTH.double,
    height: millimetres(10),
    axes: {
      xaxis: axis("Timestep", {
        ...bare,
        tickmode: "array",
        tickvals: [...leftOf.values()].map((left) => left + side / 2),
        ticktext: [...columns.values()].map(([picture]) => String(picture?.timestep)),
      }),
      yaxis: axis("", {
        ...bare,
        range: [height, 0],
        tickmode: "array",
        tickvals: noises.map((_, row) => row * (side + GAP) + side / 2),
        ticktext: noises,
      }),
      annotations: schedules.map((text) => ({
        text,
        font: { size: points(8), color: INK },
        xref: "x",
        x: middleOf(text),
        xanchor: "center",
        yref: "paper",
        y: 1,
        yanchor: "bottom",
        showarrow: false,
      })),
    },
  });
  return {
    data: [
      {
        type: "image",
        source: `data:image/png;base64,${png.toString("base64")}`,
        x0: 0.5 / ENLARGED,
        y0: 0.5 / ENLARGED,
        dx: 1 / ENLARGED,
        dy: 1 / ENLARGED,
        hoverinfo: "skip",
      },
    ],
    layout: { ...base, margin, height: Math.round((drawn * height) / width) + margin.t + margin.b },
  };
}
