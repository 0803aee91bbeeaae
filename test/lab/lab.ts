/**
 * JupyterLab driven as a person does, in the project's browser: `npm run test:lab`. Not part of npm test, for it takes
 * a quarter of an hour. Pictures of the screen are left in data/cache/lab-test. NOTEBOOKS=00,03 looks at these of the
 * committed notebooks alone, NOTEBOOKS= at none; WIDTH=1920 at another width of the window.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "puppeteer-core";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { type Lab, LabPage, openBrowser, startLab } from "./lab-page.js";

const project = join(import.meta.dirname, "../..");
const FOLDER = "data/cache/lab-test";
const WIDTH = Number(process.env["WIDTH"] ?? 1500);
const NOTEBOOKS = readdirSync(join(project, "notebooks"))
  .filter((name) => name.endsWith(".ipynb"))
  .filter((name) =>
    (process.env["NOTEBOOKS"] ?? name).split(",").some((start) => start !== "" && name.startsWith(start)),
  );

let lab: Lab;
let browser: Browser;
before(async () => {
  rmSync(join(project, FOLDER), { recursive: true, force: true });
  mkdirSync(join(project, FOLDER), { recursive: true });
  lab = await startLab(join(project, FOLDER, "workspaces"));
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
  await page.setViewport({ width: WIDTH, height: 1000 });
  try {
    await work(new LabPage(page, lab));
  } finally {
    // What went wrong on the page is told, not that it has no picture then.
    await page.screenshot({ path: join(project, FOLDER, `${picture}.png`) }).catch(() => undefined);
    await page.close().catch(() => undefined);
  }
}

const PLOTLY = '"application/vnd.plotly.v1+json"';
const EXPLORER = '<iframe title=\\"Trace explorer';
const FIGURE = ".jp-Cell .js-plotly-plot .main-svg";
const POINT = ".jp-Cell .js-plotly-plot .point";
const TABLE_ROW = ".jp-OutputArea table tbody tr";
const thereAre = (count: number, selector: string): string =>
  `document.querySelectorAll(${JSON.stringify(selector)}).length === ${count}`;

void test("code is explained and completed; a figure is hovered over, a parameter changed, and the notebook opened again", async (t) => {
  const notebook = writeNotebook("figure", [
    "let n = 3;",
    'import { show, showTable, tdLoss } from "anytime-cascade";',
    'const y = Array.from({ length: n }, (_, i) => i);\nawait show({ data: [{ type: "scatter", mode: "markers", y, marker: { size: 30 } }] });',
    "y.map((value) => ({ value, squared: value ** 2 }))",
    "tdLoss",
    "await sho",
    "const wrong = {};\n\nthrow new RangeError('on purpose');",
  ]);
  const [explained, completed] = [4, 5];
  await inLab("figure", async (page) => {
    await page.open(notebook);
    for (const cell of [0, 1]) await page.runCell(cell);
    await page.until(`document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")[1].textContent === "[2]:"`);
    await sleep(1000); // as long as a reader takes to go on
    const explanation = await page.explanation(explained);
    assert.match(explanation.text, /logits: ArrayLike<number>[^]*TD\(lambda\) loss, and its gradient/);
    const completions = await page.completions(completed);
    assert.match(completions.text, /show\nshowTable/);
    t.diagnostic(
      `explained after ${explanation.milliseconds.toFixed(0)} ms, completed after ${completions.milliseconds.toFixed(0)} ms`,
    );
    await page.rewrite(completed, "");
    await page.runAll();
    await page.see(FIGURE);
    await page.until(thereAre(3, TABLE_ROW));
    assert.match(await page.text(".jp-OutputArea-output"), /RangeError: on purpose\s+at cell-\d+:3:7/);
    await (await page.page.$(POINT))?.hover();
    await page.see(".js-plotly-plot .hoverlayer .hovertext");
    await page.rewrite(0, "let n = 5;");
    await page.runAll();
    await page.until(thereAre(5, TABLE_ROW));
    await page.press("restart");
    await page.confirm();
    await page.idle();
    await page.runAll();
    await page.until(thereAre(5, TABLE_ROW));
    await page.save();
    await page.open(notebook);
    await page.until(thereAre(5, POINT));
  });
  const saved = readFileSync(join(project, notebook), "utf8");
  assert.ok(saved.includes("image/svg+xml") && saved.includes("let n = 5;"));
  assert.ok(!saved.includes("image/png"), "the lab has added pictures of the figures");
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

/** How often a notebook has this text. */
const countIn = (path: string, text: string): number =>
  readFileSync(join(project, path), "utf8").split(text).length - 1;

/** Looks at a notebook, and keeps pictures of it. Explorers are there in a notebook that is trusted, else their stills. */
async function assertReadable(page: LabPage, notebook: string, picture: string): Promise<void> {
  const isTrusted = await page.isTrusted();
  const { figures, missing, explorers, stills, errors, broken, wide } = await page.readThrough();
  await page.pictures(join(project, FOLDER, picture));
  assert.deepEqual(errors, []);
  assert.deepEqual(broken, []);
  assert.deepEqual({ figures, missing }, { figures: countIn(notebook, PLOTLY), missing: 0 });
  const shown = countIn(notebook, EXPLORER);
  assert.deepEqual(
    { explorers, stills },
    isTrusted ? { explorers: shown, stills: 0 } : { explorers: 0, stills: shown },
  );
  assert.deepEqual(wide, [], "what is wider than its column");
}

/** A committed notebook as somebody else might send it, in a folder two further down. */
function untrustedCopy(name: string): string {
  const text = readFileSync(join(project, "notebooks", name), "utf8").replaceAll("](../", "](../../../");
  const notebook = JSON.parse(text) as { metadata: object };
  return JSON.stringify({ ...notebook, metadata: { ...notebook.metadata, sender: randomUUID() } });
}

for (const name of NOTEBOOKS)
  void test(`${name} is opened, and run from its first cell to its last`, async () => {
    const notebook = `${FOLDER}/${name}`;
    writeFileSync(join(project, notebook), untrustedCopy(name));
    const short = name.slice(0, 2);
    await inLab(`${short}-screen`, async (page) => {
      await page.open(notebook);
      assert.equal(await page.isTrusted(), false);
      await assertReadable(page, notebook, `${short}-opened`);
      await page.runAll(1800);
      await page.save();
      await assertReadable(page, notebook, `${short}-run`);
    });
  });
