import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { closeBrowser, describeBrowser } from "../../lib/figures/browser.js";
import { unpackChromium } from "../../lib/figures/chromium-package.js";
import { renderSvg } from "../../lib/figures/draw.js";
import { exportFigure } from "../../lib/figures/export.js";

const folder = mkdtempSync(join(tmpdir(), "export-test-"));
after(async () => {
  await closeBrowser();
  rmSync(folder, { recursive: true, force: true });
});

const browser = await describeBrowser().catch((error: unknown) => error);
const skip = typeof browser === "string" ? false : `no browser: ${String(browser)}`;

const figure = {
  data: [{ type: "scatter", x: [0, 1, 2], y: [0.1, 0.5, 0.7], name: "CascadedTD" }],
  layout: { width: 300, height: 200, xaxis: { title: { text: "<b>Timestep</b> λ" } } },
};
const at = (name: string): string => join(folder, name);

test("a figure is exported twice as the same files, whole in themselves", { skip }, async () => {
  await exportFigure(figure, { svg: at("a.svg"), pdf: at("a.pdf"), width: 84, height: 56 });
  await closeBrowser();
  await exportFigure(figure, { svg: at("b.svg"), pdf: at("b.pdf"), width: 84, height: 56 });
  const svg = readFileSync(at("a.svg"), "utf8");
  const pdf = readFileSync(at("a.pdf"));
  assert.equal(svg, readFileSync(at("b.svg"), "utf8"));
  assert.ok(pdf.equals(readFileSync(at("b.pdf"))));

  assert.match(svg, /^<svg [^>]*width="84mm" height="56mm"/);
  const references = [...svg.matchAll(/(?:href=|src=|url\()["']?([^"')]{0,20})/g)].map(
    (match) => match[1] ?? "",
  );
  assert.ok(
    references.every((target) => target.startsWith("#") || target.startsWith("data:")),
    references.join(),
  );
  assert.equal(svg.match(/@font-face/g)?.length, 2); // regular and bold, no italic
  assert.ok(svg.length < 100_000, `the faces' few characters, not 200 kB a face: ${svg.length}`);

  const text = pdf.toString("latin1");
  const [, width, height] = /MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(text) ?? [];
  assert.ok(
    Math.abs(Number(width) - (84 / 25.4) * 72) < 0.5 && Math.abs(Number(height) - (56 / 25.4) * 72) < 0.5,
  );
  assert.match(text, /OpenSans-Regular/);
  assert.doesNotMatch(text, /\/Subtype \/Image/); // vectors only
});

test("different figures name their parts differently, so that both fit into one page", { skip }, async () => {
  const ids = (svg: string): string[] => [...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1] ?? "");
  const first = new Set(ids(await renderSvg(figure)));
  const second = ids(await renderSvg({ ...figure, layout: { ...figure.layout, width: 310 } }));
  assert.ok(first.size > 0 && second.every((id) => !first.has(id)), second.join());
});

test("a size out of range is refused", async () => {
  await assert.rejects(
    exportFigure(figure, { svg: at("c.svg"), width: 3 }),
    /width of an exported figure is 3 mm; it must be from 10/,
  );
});

test("points of types that draw with WebGL, and in typed arrays, are all drawn", { skip }, async () => {
  const points = (svg: string): number => svg.match(/class="point"/g)?.length ?? 0;
  const x = Float32Array.from({ length: 7 }, (_, i) => i);
  const svg = await renderSvg({ data: [{ type: "scattergl", mode: "markers", x, y: x }], layout: {} });
  assert.equal(points(svg), 7);
  const polar = { type: "scatterpolargl", mode: "markers", r: [1, 2, 3], theta: [0, 90, 180] };
  assert.equal(points(await renderSvg({ data: [polar], layout: {} })), 3);
});

test("a figure that cannot be drawn is refused in one sentence", { skip }, async () => {
  const space = { type: "scatter3d", x: [1], y: [1], z: [1] };
  await assert.rejects(renderSvg({ data: [space], layout: {} }), {
    name: "UserError",
    message: /"scatter3d" has no form as vector graphics/,
  });
});

/** What `work` gives with these environment variables, in a browser of its own. */
async function withEnvironment<R>(changes: Record<string, string>, work: () => Promise<R>): Promise<R> {
  const before = { ...process.env };
  await closeBrowser();
  Object.assign(process.env, changes);
  try {
    return await work();
  } finally {
    await closeBrowser();
    process.env = before;
  }
}

test(
  "a browser is found on the path by its bare name; one that does not start is passed over",
  { skip },
  async () => {
    const { program } = await unpackChromium();
    const wrapper = (name: string, ...lines: string[]): string => {
      mkdirSync(at(name));
      const path = join(at(name), "google-chrome");
      writeFileSync(path, ["#!/bin/sh", ...lines, ""].join("\n"), { mode: 0o755 });
      return `${at(name)}:${process.env["PATH"] ?? ""}`;
    };
    const libraries = join(dirname(program), "lib");
    const good = wrapper(
      "good",
      `export LD_LIBRARY_PATH="${libraries}:$LD_LIBRARY_PATH"`,
      `exec "${program}" "$@"`,
    );
    assert.match(await withEnvironment({ PATH: good }, describeBrowser), /of the system$/);
    const stub = wrapper("stub", 'test "$1" = --version && echo "Google Chrome 1" && exit 0', "exit 1");
    assert.match(await withEnvironment({ PATH: stub }, describeBrowser), /^\w+.*\d of the/);
    assert.match(await withEnvironment({ TMPDIR: "/nowhere" }, describeBrowser), /of the/);
    await assert.rejects(withEnvironment({ CHROME_PATH: "no-such-browser" }, describeBrowser), {
      name: "UserError",
      message: /CHROME_PATH names no-such-browser/,
    });
  },
);
