import assert from "node:assert/strict";
import { test } from "node:test";
import type { Discussion } from "../../../lib/studies/replication/discussion.js";
import { reportHtml } from "../../../lib/studies/replication/report.js";
import type { RecordedFinding, StudyRecord } from "../../../lib/studies/replication/study-record.js";

const HOSTILE = `<script>alert("x" & 'y')</script>`;
const ESCAPED = "&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt;";

function found(
  statement: string,
  measured: string,
  outcome: "holds" | "does not hold" | "not decided",
  carries: boolean,
): RecordedFinding {
  const by = carries ? "paper" : "project";
  return { statement, measured, by, carries, contrasts: [], pValue: null, adjustedPValue: null, outcome };
}

function record(change: Partial<StudyRecord> = {}): StudyRecord {
  return {
    protocol: "reduced",
    data: { name: "cifar10", hash: "0", train: 45000, test: 5000 },
    study: { name: "small", title: "A title", claim: "A claim" },
    settings: { seeds: [0, 1], overrides: ["train.epochs=5"] },
    verdict: "in part",
    findings: [
      found("first", "1.5 against 1.2", "holds", true),
      found("second", "0.1 against 0.2", "does not hold", true),
      found("third", "5 of one seed", "not decided", false),
    ],
    tables: [{ name: "t", title: "A table", rows: [{ model: "A", accuracy: 0.123456 }, { model: "B" }] }],
    figures: [
      { name: "f", caption: "A caption", file: "small-f.svg" },
      { name: "g", caption: "Another caption", file: null },
    ],
    runs: [{ name: "cascaded-td", hash: "0123456789ab", seed: 0, trainingSeconds: 7200 }],
    analysisSeconds: 3,
    finishedAt: "2026-11-21T14:00:00.000Z",
    environment: { cpu: "a processor" },
    trainedIn: [],
    ...change,
  };
}

function report(
  records: readonly StudyRecord[],
  lists: { missing?: string[]; without?: string[]; discussion?: Discussion } = {},
): string {
  const sections = records.map((one) => ({
    record: one,
    drawings: new Map([["f", `<svg id="drawn"><style>@font-face{src:url(data:x)}</style><path/></svg>`]]),
  }));
  const { missing = [], without = [] } = lists;
  const discussion = lists.discussion ?? { parts: new Map(), stale: [] };
  return reportHtml({ protocol: "reduced", purpose: "p", sections, missing, without, discussion, fonts: "" });
}

test("each finding, table, figure and run is in it, and the verdicts stand first, in words", () => {
  const html = report([
    record(),
    record({ verdict: "reproduced", study: { name: "b", title: "B", claim: "" } }),
  ]);
  for (const text of [
    "✓ yes</span></td><td>first</td><td>1.5 against 1.2",
    "✗ no</span></td><td>second</td><td>0.1 against 0.2",
    "– not decided</td><td>third <small>(asked by this project)</small></td>",
    "1 of 2 end points hold; 0 of 1 other finding hold",
    `<td>A</td><td class="number">0.1235</td>`,
    `<td>B</td><td></td>`,
    `<figure><svg id="drawn"><path/></svg><figcaption><b>Figure 1.</b> A caption`,
    "This figure could not be drawn.",
    "<b>Figure 2.</b> A caption",
    "<b>Figure A2.</b> Another caption",
    "Table A2. A table",
    `<a href="#cifar10-small-more">1 other finding, 1 figure, 1 table, trainings</a>`,
    `id="cifar10-small-more"`,
    "<code>0123456789ab</code> (seed 0)",
    "2 seeds (0, 1)",
    "45,000 training images, those held out for validation among them, and 5,000 test images",
    "2.0 hours",
    "cpu a processor",
    `<nav aria-label="Contents"><ul><li><a href="#verdicts">`,
  ])
    assert.ok(html.includes(text), text);
  assert.ok(
    html.indexOf("<td>third") > html.indexOf('id="appendix"'),
    "what carries nothing stands in the appendix",
  );
  assert.ok(html.indexOf("<td>first") < html.indexOf('id="appendix"'));
  const first = html.indexOf("◐ in part");
  assert.ok(first > 0 && first < html.indexOf('<section class="study"'));
  assert.ok(html.includes("✓ reproduced<"));
  assert.equal(new Set(html.match(/ id="[^"]*small"| id="[^"]*-b"/g)).size, 2);
});

test("every text is escaped, and nothing is fetched from outside", () => {
  const names = { name: HOSTILE, title: HOSTILE, claim: HOSTILE };
  const html = report(
    [
      record({
        study: names,
        data: { name: HOSTILE, hash: "", train: 1, test: 1 },
        settings: { seeds: [0], overrides: [HOSTILE] },
        findings: [found(HOSTILE, HOSTILE, "holds", true), found(HOSTILE, HOSTILE, "not decided", false)],
        tables: [{ name: "", title: HOSTILE, rows: [{ [HOSTILE]: HOSTILE }] }],
        figures: [{ name: "f", caption: HOSTILE, file: null }],
        runs: [{ name: HOSTILE, hash: HOSTILE, seed: 0, trainingSeconds: 1 }],
        finishedAt: HOSTILE,
        environment: { cpu: HOSTILE },
        trainedIn: [HOSTILE],
      }),
    ],
    { missing: [HOSTILE], without: [HOSTILE] },
  );
  assert.equal(html.includes("<script"), false);
  assert.ok(html.split(ESCAPED).length > 15);
  assert.equal(/(?:src|href)="(?!#)|url\((?!data:)/.test(html), false);
});

test("a record by former rules is shown with its outcomes, and gets no verdict of today", () => {
  const former = record({
    verdict: "comes out in part",
    findings: [
      { statement: "old", measured: "2", comesOut: true },
      { statement: "older", measured: "1", comesOut: false },
    ],
  });
  const html = report([former]);
  for (const text of ["by former rules", "1 of 2 findings came out", "✓ yes</span></td><td>old</td>", "✗ no"])
    assert.ok(html.includes(text), text);
  assert.equal(/badge (held|part|not)"/.test(html), false);
});

test("a long table is folded, and says where its numbers are", () => {
  const rows = Array.from({ length: 25 }, (_, row) => ({ row }));
  const html = report([record({ tables: [{ name: "t", title: "Long", rows }] })]);
  assert.match(html, /<details><summary>Table A1\. Long \(25 rows, also in small\.json\)<\/summary>/);
  assert.ok(html.includes('<td class="number">24</td>'));
});

test("without results it says so, and what is missing", () => {
  const html = report([], { missing: ["noise on cifar10"], without: ["cifar100 (get it)"] });
  assert.match(html, /no results yet/);
  assert.match(html, /Not there yet.*noise on cifar10/);
  assert.match(html, /Done without.*cifar100 \(get it\)/);
});

test("what was written about results stands behind them, what is of others is named", () => {
  const parts = new Map([
    ["cifar10/small", ["Because of this.", HOSTILE]],
    ["all", ["Together."]],
  ]);
  const html = report([record()], { discussion: { parts, stale: ["It is of others"] } });
  assert.ok(html.includes(`<p>Because of this.</p>\n<p>${ESCAPED}</p>`));
  assert.ok(html.includes("<h2>Discussion</h2>\n<p>Together.</p>"));
  assert.ok(html.includes("<li>It is of others</li>"));
});

test("what decides nothing stands whole in the appendix where another study decides something, else before it", () => {
  const undecided = record({
    verdict: "not tested here",
    data: { name: "cifar100", hash: "1", train: 1, test: 1 },
    findings: [found("nothing yet", "one seed", "not decided", true)],
  });
  const html = report([undecided, record()]);
  const [before = "", appendix = ""] = html.split(`id="appendix"`);
  assert.ok(before.includes("<b>Figure 1.</b>") && !before.includes("<td>nothing yet"));
  assert.match(appendix, /<td>nothing yet<\/td><td>one seed<\/td>/);
  assert.match(appendix, /<b>Figure A1\.<\/b> A caption[^]*<b>Figure A2\.<\/b> Another caption/);
  const [, link = ""] = /<a href="#([^"]+)">A title<\/a><br>[^]*?<td>cifar100/.exec(before) ?? [];
  assert.ok(appendix.includes(`<section class="study" id="${link}">`), link);
  const [alone = ""] = report([undecided]).split(`id="appendix"`);
  assert.ok(alone.includes("<td>nothing yet"));
});

test("a claim that was told on other data is not told again, and its figures stand in the appendix", () => {
  const data = { name: "cifar100", hash: "1", train: 1, test: 1 };
  const findings = [found("first there too", "1.5 against 1.2", "holds", true)];
  const html = report([record(), record({ data, findings })]);
  const [before = "", appendix = ""] = html.split(`id="appendix"`);
  const [, main = ""] = before.split("<main>");
  assert.equal(main.split(`<p class="claim">`).length, 2);
  assert.ok(main.includes("<td>first there too") && main.includes("<h2>A title, cifar100 <span"));
  assert.ok(main.includes("<b>Figure 1.</b>") && !main.includes("<b>Figure 2.</b>"));
  assert.match(main, /<a href="#cifar100-small-more">2 figures, 1 table, trainings<\/a>/);
  const [, there = ""] = appendix.split(`id="cifar100-small-more"`);
  assert.match(there, /<b>Figure A\d\.<\/b> A caption[^]*<b>Figure A\d\.<\/b> Another caption/);
});
