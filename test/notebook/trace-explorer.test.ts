import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import type { Page } from "puppeteer-core";
import type { TracedImages } from "../../lib/experiments/runs/traced-images.js";
import { recipeTrace } from "../../lib/experiments/parity/recipe-trace.js";
import { closeBrowser, withBrowser } from "../../lib/figures/browser.js";
import { openIsolatedPage } from "../../lib/figures/draw.js";
import { showTraceExplorer, traceExplorerPage } from "../../lib/notebook/show-trace-explorer.js";
import { code } from "../../lib/notebook/trace-explorer-data.js";
import { speedAccuracyCurve } from "../../lib/trace/speed-accuracy-curve.js";
import { UserError } from "../../lib/util/errors.js";
import { folderOfTests } from "../temporary-folder.js";
import { traceOfProbabilities } from "../trace/made-traces.js";

/** Images of one colour each, of 2 x 2 pixels. */
function imagesOf(trace: TracedImages["trace"], classNames: readonly string[], cScores?: number[]) {
  const images = Uint8Array.from({ length: trace.examples * 12 }, (_, i) => 20 * Math.floor(i / 12));
  const { labels, ids } = trace;
  return {
    ...{ images, labels, ids, size: { height: 2, width: 2 }, classNames },
    ...(cScores && { cScores: Float32Array.from(cScores) }),
  };
}

/** Three images of three timesteps that believe in class 0 at first, in class 1 at the end. */
const CONFIDENCES = [
  [0.6, 0.55, 0.9],
  [0.8, 0.7, 0.9],
  [0.9, 0.95, 0.9],
];
const probabilities = CONFIDENCES.map((row, t) => row.map((p) => (t < 2 ? [p, 1 - p] : [1 - p, p])));
const trace = {
  ...traceOfProbabilities(probabilities, [0, 1, 1]),
  ids: Int32Array.of(7, 8, 9),
  model: "CascadedTD",
};
const images: TracedImages = {
  trace,
  images: imagesOf(trace, ["cat", "</script><b>dog"], [0.9, 0.1, 0.5]),
  signals: [{ name: "late", values: [0, 0, 0, 0, 0, 0, 1, 1, 1] }],
};

/** With names as long as those of photographs often are. */
const long: TracedImages = {
  trace,
  images: imagesOf(trace, ["automobile", "aquarium fish"], [0.9, 0.1, 0.5]),
};

after(closeBrowser);

async function explore(look: (page: Page) => Promise<void>, traced = images): Promise<void> {
  const html = await traceExplorerPage(traced);
  await withBrowser(async (browser) => {
    const page = await openIsolatedPage(browser);
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("request", (request) => {
      if (!/^(data|about):/.test(request.url())) faults.push(`asked for ${request.url()}`);
    });
    try {
      await page.setContent(html);
      await page.waitForSelector("body[data-ready]");
      await look(page);
      assert.deepEqual(faults, []);
    } finally {
      await page.close();
    }
  });
}

// As text, for the page's own types are not those of this program.
const text = async (page: Page, id: string): Promise<string> =>
  String(await page.evaluate(`document.getElementById(${JSON.stringify(id)}).textContent`));
const at = async (page: Page, selector: string, attribute: string): Promise<number> =>
  Number(
    await page.evaluate(
      `document.querySelector(${JSON.stringify(selector)}).getAttribute(${JSON.stringify(attribute)})`,
    ),
  );

test("moving the threshold moves the stop, the answer and the readout over all images", async () => {
  await explore(async (page) => {
    // Threshold 0.7: the images stop at 1, 1 and 0, all still for class 0, and one of them is right.
    assert.equal(await text(page, "stop"), "t = 1 of 2");
    assert.match(
      await text(page, "readout"),
      /^3 images stop after 0\.67 timesteps on average; 33\.3 % are right\.$/,
    );
    const before = await at(page, "#stop-line", "x1");
    await page.focus("#threshold");
    await page.keyboard.press("End");
    assert.equal(await text(page, "threshold-value"), "1.00");
    assert.equal(await text(page, "stop"), "t = 2 of 2");
    assert.match(await text(page, "answer"), /dog ✗$/);
    assert.match(await text(page, "readout"), /2\.00 timesteps on average; 66\.7 % are right/);
    assert.ok((await at(page, "#stop-line", "x1")) > before);
    await page.keyboard.press("ArrowDown");
    assert.equal(await text(page, "threshold-value"), "0.99");
  });
});

test("keys go through the images; filters, order and rule choose among them", async () => {
  await explore(async (page) => {
    const shown = async (): Promise<string[]> =>
      Promise.all(["id", "typical", "place"].map((id) => text(page, id)));
    assert.deepEqual(await shown(), ["no. 7", "0.90", "1 of 3, page 1 of 1"]);
    await page.keyboard.press("ArrowRight");
    assert.deepEqual(await shown(), ["no. 8", "0.10", "2 of 3, page 1 of 1"]);
    await page.keyboard.press("ArrowLeft");
    await page.select("#outcome", "wrong");
    assert.deepEqual(await shown(), ["no. 8", "0.10", "1 of 2, page 1 of 1"]);
    await page.select("#sort", "soonest");
    assert.match(await text(page, "id"), /^no\. 9/);
    await page.select("#outcome", "all");
    await page.select("#time", "1");
    assert.equal(await text(page, "place"), "1 of 2, page 1 of 1");
    await page.select("#typicality", "0");
    assert.deepEqual(await shown(), ["no. 8", "0.10", "1 of 1, page 1 of 1"]);
    assert.match(await text(page, "readout"), /^1 images stop after 1\.00 timesteps/);
    await page.select("#time", "all");
    await page.select("#signal", "3");
    assert.deepEqual(
      [await text(page, "stop"), await text(page, "place")],
      ["t = 2 of 2", "1 of 1, page 1 of 1"],
    );
  });
});

test("a click on the gallery and on a bar chooses what lies there", async () => {
  await explore(async (page) => {
    const box = await (await page.$("#gallery"))?.boundingBox();
    assert.ok(box);
    await page.mouse.click(box.x + (2.5 * box.width) / 8, box.y + 10);
    assert.match(await text(page, "id"), /^no\. 9/);
    await page.evaluate(`document.querySelectorAll("#times rect")[0].dispatchEvent(new Event("click"))`);
    assert.equal(await text(page, "place"), "1 of 1, page 1 of 1");
    assert.match(await text(page, "id"), /^no\. 9/);
  });
});

/** What of the page is cut, as the reader would find it: wider than its place, beside its column, or below the frame. */
const CUT = `(() => {
  const column = document.getElementById("curve").getBoundingClientRect().left;
  const isCut = (one) => {
    const { bottom, right } = one.getBoundingClientRect();
    if (one.matches("dd") && one.scrollWidth > one.clientWidth) return true;
    return bottom > innerHeight || (one.matches("#chart text") && right > column);
  };
  return [...document.querySelectorAll("dd, .note, #times, #chart text")].filter(isCut).map((one) => one.textContent);
})()`;

const FITS = `(() => {
  const chart = document.getElementById("chart");
  return Math.abs(chart.getBoundingClientRect().width - chart.viewBox.baseVal.width) < 1;
})()`;

test("all of it is in sight in the column of a notebook, on screens of 1,280 and of 1,920 pixels", async () => {
  await explore(async (page) => {
    for (const width of [828, 1050, 1400]) {
      await page.setViewport({ width, height: 558 });
      await page.waitForFunction(FITS); // letters of the chart have their own size
      assert.deepEqual(await page.evaluate(CUT), [], `${width} pixels`);
    }
  }, long);
});

test("accuracy and mean stopping time are those of the speed-accuracy curve at every threshold, over several sheets", async () => {
  const made = recipeTrace(6, 1003, 12).trace;
  const names = Array.from({ length: 12 }, (_, k) => `class ${k}`);
  await explore(
    async (page) => {
      for (const point of speedAccuracyCurve(made, {
        thresholds: [0, 0.07, 0.29, 0.5, 0.57, 0.58, 0.93, 1],
      })) {
        await page.evaluate(
          `{ const slider = document.getElementById("threshold"); slider.value = ${point.threshold}; slider.dispatchEvent(new Event("input")); }`,
        );
        assert.equal(
          await text(page, "readout"),
          `1,003 images stop after ${point.meanStoppingTime.toFixed(2)} timesteps on average; ${(100 * point.accuracy).toFixed(1)} % are right.`,
        );
      }
      assert.equal(await text(page, "curve-title"), "All 1,003 images");
    },
    { trace: made, images: imagesOf(made, names) },
  );
});

test("a value as it is kept reaches the same thresholds as the value itself", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.double({ min: 0, max: 1, noNaN: true }), (i, p) => {
      for (const value of [p, i / 100, Math.max(0, i / 100 - 1e-16), Math.min(1, i / 100 + 1e-16)])
        assert.equal(code(value) >= 2 * i, value >= i / 100, `${value} at ${i}/100`);
    }),
  );
});

test("few images unless told; a page in a file keeps the notebook small; viewers without frames have a figure", async () => {
  const jupyter = createRequire(import.meta.url)("tslab/dist/jupyter.js") as {
    lastWriteDisplayData: unknown;
  };
  const shown: Readonly<Record<string, string>>[] = [];
  jupyter.lastWriteDisplayData = ({ data }: { data: Record<string, string> }) => void shown.push(data);
  const made = { ...recipeTrace(4, 300, 3).trace, model: "<b>M" };
  const traced = { trace: made, images: imagesOf(made, ["a", "b", "c"]) };
  const file = join(folderOfTests("explorer"), "page.html");
  await showTraceExplorer(traced);
  await showTraceExplorer(traced, { count: Infinity, file });
  const [inside, beside] = shown;
  assert.match(inside?.["text/plain"] ?? "", /^Trace explorer: 200 of 300 images of <b>M, 0\.\d MB$/);
  for (const html of [inside?.["text/html"] ?? "", beside?.["text/html"] ?? ""]) {
    assert.match(html, /^<p[^>]*>\d00 of 300 images of &lt;b&gt;M/);
    assert.match(html, /<img alt="[^"]+" src="data:image\/svg\+xml;base64,/);
  }
  assert.match(inside?.["text/html"] ?? "", /trust the notebook[^]*<iframe/);
  assert.ok(beside?.["text/html"]?.includes(`open ${file}`) && !beside["text/html"].includes("<iframe"));
  assert.match(readFileSync(file, "utf8"), /"examples":300/);
  await assert.rejects(showTraceExplorer(traced, { count: 0 }), UserError);
});

test("images and trace must be of the same examples", async () => {
  const others = imagesOf({ ...trace, ids: Int32Array.of(7, 9, 8) }, ["cat", "dog"]);
  await assert.rejects(traceExplorerPage({ trace, images: others }), /not of the same examples/);
  const signals = [{ name: "short", values: [1] }];
  await assert.rejects(traceExplorerPage({ ...images, signals }), /"short" has 1 values; T x N = 3 x 3/);
});
