import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test, type TestContext } from "node:test";
import { closeBrowser, describeBrowser, withBrowser } from "../../lib/figures/browser.js";
import { openIsolatedPage, renderSvg } from "../../lib/figures/draw.js";
import { plainFigure, plotText } from "../../lib/figures/figure.js";
import { outsideReference } from "../../lib/figures/self-contained.js";
import { visibleLines, visibleText } from "../../lib/util/visible-text.js";

after(closeBrowser);
const browser = await describeBrowser().catch((error: unknown) => error);
const skip = typeof browser === "string" ? false : `no browser: ${String(browser)}`;

const HOSTILE = [
  `<a href="http://127.0.0.1/x">cat</a>`,
  `<span style="background:url(http://127.0.0.1/y)">dog</span>`,
  `<img src=x onerror=alert(1)>`,
  `"><script>fetch("http://127.0.0.1/z")</script>`,
  `</style><style>@import "http://127.0.0.1/";`,
  `\\href{http://127.0.0.1}{frog} $\\input{x}$ & < > ' "`,
  `\u001b[31mred\u001b]0;title\u0007 \u202eesrever\u2066\n second line`,
];

test("names of every kind are drawn letter by letter, and the drawing leads nowhere", { skip }, async () => {
  const figure = {
    data: HOSTILE.map((name, i) => ({
      type: "scatter",
      x: [0, 1],
      y: [i, i],
      name: plotText(name),
      text: name,
    })),
    layout: {
      width: 600,
      height: 300,
      showlegend: true,
      title: { text: HOSTILE.join(" ") },
      annotations: HOSTILE.map((text, x) => ({ text, x, y: 1 })),
    },
  };
  const svg = await renderSvg(figure);
  assert.equal(outsideReference(svg), undefined);
  const shown = svg
    .replace(/<[^>]*>/g, "")
    .replaceAll("&#60;", "<")
    .replaceAll("&#62;", ">");
  for (const text of [HOSTILE[0] ?? "", `<script>`, "\\u001b[31mred", "\\u202eesrever", "\\href{http"])
    assert.ok(shown.includes(text), `${text} in ${shown}`);
  assert.doesNotMatch(svg, /\u001b|\u202e/);
});

test("a picture from elsewhere is left out of a drawing", { skip }, async () => {
  const images = [{ source: "http://127.0.0.1:9/a.png", x: 0, y: 1, sizex: 1, sizey: 1 }];
  const layout = { width: 200, height: 200, images };
  const svg = await renderSvg({ data: [{ type: "scatter", x: [0], y: [0] }], layout });
  assert.equal(outsideReference(svg), undefined);
  assert.doesNotMatch(svg, /127\.0\.0\.1/);
});

test("what leads out of an SVG text is found; what only says so is text", () => {
  const svg = (inside: string): string => `<svg xmlns="http://www.w3.org/2000/svg">${inside}</svg>`;
  for (const inside of [
    `<image href="http://x/a.png"/>`,
    `<image xlink:href='//x/a.png'/>`,
    `<a href="javascript:alert(1)">x</a>`,
    `<rect style="fill:url(http://x)"/>`,
    `<rect fill="url(&quot;http://x&quot;)"/>`,
    `<script>1</script>`,
    `<g onload="x()"/>`,
    `<foreignObject/>`,
    `<style>@import "x";</style>`,
    `<style>a{background:url(http://x)}</style>`,
  ])
    assert.notEqual(outsideReference(svg(inside)), undefined, inside);
  for (const inside of [
    `<use href="#a"/><rect clip-path="url(#b)" style="fill: url('#c')"/><rect fill="url(&quot;#d&quot;)"/>`,
    `<image href="data:image/png;base64,AA=="/>`,
    `<text>href="http://x" url(http://x) onload= &lt;script&gt;</text>`,
    `<style>@font-face{src:url(data:font/ttf;base64,AA)}</style>`,
  ])
    assert.equal(outsideReference(svg(inside)), undefined, inside);
});

test("what a terminal would obey is shown; letters of all scripts stay", () => {
  assert.equal(
    visibleText("\u001b[2J\u009b1m\u202e\u2066\u200f\n\r\u2028"),
    "\\u001b[2J\\u009b1m\\u202e\\u2066\\u200f\\u000a\\u000d\\u2028",
  );
  for (const text of ["日本語 עברית العربية नमस्ते 👩‍🔬 é ß", "می‌خواهم"]) assert.equal(visibleText(text), text);
  assert.equal(visibleLines("a\tb\n\u001bc"), "a\tb\n\\u001bc");
  assert.deepEqual(plainFigure({ data: [{ name: "<b>a</b><br><A HREF='x'>y</A>" }] }).data, [
    { name: "<b>a</b><br>&lt;A HREF='x'>y&lt;/A>" },
  ]);
});

/** A server on this machine that counts connections of every kind. */
async function listener(
  context: TestContext,
): Promise<{ readonly port: number; readonly count: () => number }> {
  let count = 0;
  const server = createServer((_request, response) => response.end()).on("connection", () => count++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => void server.close());
  return { port: (server.address() as AddressInfo).port, count: () => count };
}

test(
  "a page of the drawing browser reaches nothing: no request, no WebSocket, no frame",
  { skip },
  async (context) => {
    const { port, count } = await listener(context);
    await withBrowser(async (running) => {
      const page = await openIsolatedPage(running);
      await page.setContent("<!doctype html><body></body>");
      const outcome = await page.evaluate(`(async () => {
      const at = "127.0.0.1:${port}";
      const tries = [
        fetch("http://" + at).then(() => "fetched", () => "refused"),
        new Promise((resolve) => {
          const socket = new WebSocket("ws://" + at);
          socket.onopen = () => resolve("connected");
          socket.onerror = () => resolve("refused");
        }),
        new Promise((resolve) => {
          const image = new Image();
          image.onload = () => resolve("loaded");
          image.onerror = () => resolve("refused");
          image.src = "http://" + at + "/a.png";
        }),
      ];
      document.body.innerHTML = '<iframe src="http://' + at + '"></iframe><link rel="preconnect" href="http://' + at + '">';
      return Promise.all(tries);
    })()`);
      assert.deepEqual(outcome, ["refused", "refused", "refused"]);
      await page.close();
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(count(), 0);
  },
);
