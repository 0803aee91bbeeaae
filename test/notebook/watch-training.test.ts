import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { trainingRun } from "../../lib/experiments/runs/training-run.js";
import { notebookWatch } from "../../lib/notebook/watch-training.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { folderOfTests } from "../temporary-folder.js";

interface Shown {
  readonly data: Readonly<Record<string, unknown>>;
  readonly transient: { readonly display_id?: string };
}

const jupyter = createRequire(import.meta.url)("tslab/dist/jupyter.js") as { lastWriteDisplayData: unknown };
const root = folderOfTests("watch-test");

test("in a notebook trainings are shown in one place, which is replaced; one that stopped goes on with its curve", async () => {
  const shown: (Shown & { readonly update: boolean })[] = [];
  jupyter.lastWriteDisplayData = (content: Shown, update = false) => void shown.push({ ...content, update });
  const spec = tinyRunSpec("cascaded-td", { train: { epochs: 12 } });
  const stop = new AbortController();
  const watch = notebookWatch();
  assert.ok(watch);
  const stopping = trainingRun(spec, {
    root,
    signal: stop.signal,
    watch: (training) => {
      const view = watch(training);
      return {
        update: (record) => {
          view.update(record);
          stop.abort();
        },
        stop: () => {
          view.stop();
        },
      };
    },
  });
  await assert.rejects(stopping, /stopped after step/);
  const before = String(shown.at(-1)?.data["text/plain"]);
  assert.match(
    before,
    /^cascaded-td[^|]* \d+\/48 \| loss [\d.]+ \| accuracy % [\d/]+ \| images\/s \d+ \| stopped after \d+s$/,
  );
  // Without being told: the kernel's library leaves its view where trainings look for it.
  await trainingRun(spec, { root, warn: () => undefined });
  const last = shown.at(-1);
  assert.match(String(last?.data["text/plain"]), / 48\/48 .* \| trained in \d+s$/);
  const points = /<polyline points="([^"]*)"/.exec(String(last?.data["text/html"]))?.[1]?.split(" ") ?? [];
  // The steps of both calls: the first recorded, and the last, over the 290 pixels of all.
  assert.ok(Number(points[0]?.split(",")[0]) <= (10 / 48) * 290 + 0.1);
  assert.equal(Number(points.at(-1)?.split(",")[0]), 290);
  assert.deepEqual(shown.map(({ update }) => update)[0], false);
  const displays = new Set(shown.map(({ transient }) => transient.display_id));
  assert.equal(displays.size, 2);
  assert.equal(shown.filter(({ update }) => !update).length, 2);
});
