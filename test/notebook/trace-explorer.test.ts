import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Page } from "puppeteer-core";
import { closeBrowser, withBrowser } from "../../lib/figures/browser.js";
import { openIsolatedPage } from "../../lib/figures/draw.js";
import type { TracedImages } from "../../lib/figures/traced-image.js";
import { traceExplorerPage } from "../../lib/notebook/show-trace-explorer.js";
import { UserError } from "../../lib/util/errors.js";

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Image n of three timesteps: believes in class 0 at first, in class 1 at the end. */
function example(
  id: number,
  label: number,
  confidences: readonly number[],
): TracedImages["examples"][number] {
  const probs = confidences.map((p, t) => (t < 2 ? [p, 1 - p] : [1 - p, p]));
  const late = { name: "late", values: [0, 0, 1] };
  return { id, label, image: PIXEL, probs, signals: [{ name: "confidence", values: confidences }, late] };
}

const images: TracedImages = {
  model: "CascadedTD",
  classNames: ["cat", "</script><b>dog"],
  examples: [
    example(7, 0, [0.6, 0.8, 0.9]),
    example(8, 1, [0.55, 0.7, 0.95]),
    example(9, 1, [0.9, 0.9, 0.9]),
  ],
};

after(closeBrowser);

async function explore(look: (page: Page) => Promise<void>): Promise<void> {
  const html = await traceExplorerPage(images);
  await withBrowser(async (browser) => {
    const page = await openIsolatedPage(browser);
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("request", (request) => {
      if (!/^(data|about):/.test(request.url())) faults.push(`asked for ${request.url()}`);
    });
    try {
      await page.setContent(html);
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
      /^3 images stop after 0\.67 timesteps on average; 33 % are right\.$/,
    );
    const before = await at(page, "#stop-line", "x1");
    await page.focus("#threshold");
    await page.keyboard.press("End");
    assert.equal(await text(page, "threshold-value"), "1.00");
    assert.equal(await text(page, "stop"), "t = 2 of 2");
    assert.match(await text(page, "answer"), /dog ✗$/);
    assert.match(await text(page, "readout"), /2\.00 timesteps on average; 67 % are right/);
    assert.ok((await at(page, "#stop-line", "x1")) > before);
    await page.keyboard.press("ArrowDown");
    assert.equal(await text(page, "threshold-value"), "0.99");
  });
});

test("keys go through the images; filters, order and rule choose among them", async () => {
  await explore(async (page) => {
    assert.equal(await text(page, "id"), "no. 7");
    await page.keyboard.press("ArrowRight");
    assert.deepEqual([await text(page, "id"), await text(page, "place")], ["no. 8", "2 of 3"]);
    await page.keyboard.press("ArrowLeft");
    await page.select("#outcome", "wrong");
    assert.deepEqual([await text(page, "id"), await text(page, "place")], ["no. 8", "1 of 2"]);
    await page.select("#sort", "soonest");
    assert.equal(await text(page, "id"), "no. 9");
    await page.select("#signal", "1");
    assert.deepEqual([await text(page, "stop"), await text(page, "place")], ["t = 2 of 2", "1 of 1"]);
    await page.select("#class", "1");
    assert.equal(await text(page, "place"), "none");
  });
});

test("there must be something to explore", async () => {
  await assert.rejects(traceExplorerPage({ ...images, examples: [] }), UserError);
});
