/**
 * JupyterLab driven as a person does, in the project's browser: `npm run test:lab`. Not part of npm test, for it takes
 * minutes. Pictures of the screen are left in data/cache/lab-test. NOTEBOOKS=00,03 runs these of the committed
 * notebooks through (00 and 01 unless told); all are opened and looked at.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "puppeteer-core";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { type Lab, LabPage, openBrowser, startLab } from "./lab-page.js";

const project = join(import.meta.dirname, "../..");
const FOLDER = "data/cache/lab-test";
const RUN = (process.env["NOTEBOOKS"] ?? "00,01").split(",");

let lab: Lab;
let browser: Browser;
before(async () => {
  rmSync(join(project, FOLDER), { recursive: true, force: true });
  mkdirSync(join(project, FOLDER), { recursive: true });
  lab = await startLab();
  browser = await openBrowser();
});
after(async () => {
  await lab.stop();
  await browser.close();
});

function writeNotebook(name: string, sources: readonly string[]): string {
  const kernelspec = { name: "cascade", display_name: "TypeScript (cascade)", language: "typescript" };
  const cells = sources.map((source, i) => ({
    id: `c${i}`,
    cell_type: "code",
    metadata: {},
    source,
    execution_count: null,
    outputs: [],
  }));
  const path = `${FOLDER}/${name}.ipynb`;
  writeFileSync(
    join(project, path),
    JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }),
  );
  return path;
}

/** A page in a window of its own; what is on it is kept as a picture, whatever comes of the work. */
async function inLab(picture: string, work: (page: LabPage) => Promise<void>): Promise<void> {
  const page = await browser.newPage();
  await page.setViewport({ width: 1500, height: 1000 });
  try {
    await work(new LabPage(page, lab));
  } finally {
    // What went wrong on the page is told, not that it has no picture then.
    await page.screenshot({ path: join(project, FOLDER, `${picture}.png`) }).catch(() => undefined);
    await page.close().catch(() => undefined);
  }
}

const FIGURE = ".jp-Cell .js-plotly-plot .main-svg";

void test("a figure is hovered over, a parameter changed, all run again, saved and opened again", async () => {
  const notebook = writeNotebook("figure", [
    "let n = 3;",
    'import { show } from "anytime-cascade";',
    'const y = Array.from({ length: n }, (_, i) => i);\nawait show({ data: [{ type: "scatter", mode: "markers", y, marker: { size: 30 } }] });',
    "y.map((value) => ({ value, squared: value ** 2 }))",
    "const wrong = {};\n\nthrow new RangeError('on purpose');",
  ]);
  await inLab("figure", async (page) => {
    await page.open(notebook);
    await page.runAll();
    await page.see(FIGURE);
    assert.equal(await page.count(".jp-OutputArea table tbody tr"), 3);
    assert.match(await page.text(".jp-OutputArea-output"), /RangeError: on purpose\s+at cell-5:3:7/);
    const point = await page.page.$(".js-plotly-plot .point");
    await point?.hover();
    await page.see(".js-plotly-plot .hoverlayer .hovertext");
    await page.rewrite(0, "let n = 5;");
    await page.runAll();
    await page.until('document.querySelectorAll(".jp-OutputArea table tbody tr").length === 5');
    await page.press("restart");
    await page.confirm();
    await sleep(1000);
    await page.idle();
    await page.runAll();
    assert.equal(await page.count(".jp-OutputArea table tbody tr"), 5);
    await page.press("save");
    await sleep(2000);
    await page.open(notebook);
    await page.until(`document.querySelectorAll(".jp-Cell .js-plotly-plot .point").length === 5`);
  });
  const saved = readFileSync(join(project, notebook), "utf8");
  assert.ok(saved.includes("image/svg+xml") && saved.includes("let n = 5;"));
});

void test("a training is watched in one place, interrupted, and goes on when its cell is run again", async () => {
  const spec = tinyRunSpec("cascaded-td", { train: { epochs: 4000 } });
  const notebook = writeNotebook("training", [
    'import { trainingRun, parseRunSpec } from "anytime-cascade";',
    `const spec = parseRunSpec(${JSON.stringify(spec)});`,
    `await trainingRun(spec, { root: "${FOLDER}/runs" });`,
  ]);
  const title = ".jp-RenderedHTML p";
  await inLab("training", async (page) => {
    await page.open(notebook);
    await page.runCell(0);
    await page.runCell(1);
    await page.runCell(2);
    await page.busy();
    await page.until(`/ \\d+\\/16000 \\| loss/.test(document.querySelector("${title}")?.textContent ?? "")`);
    const first = await page.text(title);
    await page.until(`document.querySelector("${title}").textContent !== ${JSON.stringify(first)}`);
    assert.equal(await page.count(".jp-RenderedHTML svg"), 1);
    await page.press("interrupt");
    await page.idle();
    assert.match(await page.text(title), /stopped after/);
    const [, step = "none"] =
      /stopped after step (\d+) of 16000/.exec(await page.text(".jp-OutputArea-output")) ?? [];
    await page.runCell(2);
    await page.until(
      `[...document.querySelectorAll(".jp-OutputArea-output")].some((output) => output.textContent.includes("goes on after step ${step} of"))`,
    );
    await page.busy();
    await page.press("interrupt");
    await page.idle();
  });
});

const notebooks = readdirSync(join(project, "notebooks")).filter((name) => name.endsWith(".ipynb"));
for (const name of notebooks)
  void test(`${name} shows its figures when it is opened${RUN.includes(name.slice(0, 2)) ? ", and when it is run" : ""}`, async () => {
    const text = readFileSync(join(project, "notebooks", name), "utf8");
    const figures = text.split('"application/vnd.plotly.v1+json"').length - 1;
    await inLab(name.replace(".ipynb", ""), async (page) => {
      await page.open(`notebooks/${name}`);
      if (figures > 0) {
        await page.page.evaluate(
          `document.querySelector(".jp-RenderedPlotly, .js-plotly-plot")?.scrollIntoView({ block: "center" })`,
        );
        await page.see(FIGURE);
      }
      if (text.includes("Trace explorer")) {
        await page.page.evaluate(
          `document.querySelector('iframe[title="Trace explorer"]')?.scrollIntoView()`,
        );
        await page.see('iframe[title="Trace explorer"]');
      }
      if (!RUN.includes(name.slice(0, 2))) return;
      await page.runAll(600);
      assert.equal(
        await page.count('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]'),
        0,
      );
      if (figures > 0) await page.see(FIGURE);
    });
    assert.ok(existsSync(join(project, FOLDER, `${name.replace(".ipynb", "")}.png`)));
  });
