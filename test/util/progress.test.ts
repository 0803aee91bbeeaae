import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { startProgress } from "../../lib/util/progress.js";

function collector(properties: object): { stream: PassThrough; text: () => string } {
  const stream = Object.assign(new PassThrough(), properties);
  return { stream, text: () => (stream.read() as Buffer | null)?.toString() ?? "" };
}

test("without a terminal: a line at most every n seconds, the last state, the time left", () => {
  const { stream, text } = collector({});
  let milliseconds = 0;
  const progress = startProgress({
    label: "epoch 1/2",
    total: 1000,
    initial: 100,
    everySeconds: 10,
    stream,
    now: () => milliseconds,
  });
  for (let done = 100; done <= 1000; done += 100) {
    progress.update(done, { loss: String(done / 1000), accuracy: "0.5" });
    milliseconds += 4000;
  }
  progress.stop();
  progress.stop();
  assert.deepEqual(text().split("\n"), [
    "epoch 1/2 100/1000 | loss 0.1 | accuracy 0.5",
    "epoch 1/2 400/1000 | 24s left | loss 0.4 | accuracy 0.5",
    "epoch 1/2 700/1000 | 12s left | loss 0.7 | accuracy 0.5",
    "epoch 1/2 1000/1000 | 0s left | loss 1 | accuracy 0.5",
    "",
  ]);
});

test("long times are told in minutes and hours", () => {
  const { stream, text } = collector({});
  let milliseconds = 0;
  const progress = startProgress({
    label: "run",
    total: 101,
    everySeconds: 0,
    stream,
    now: () => milliseconds,
  });
  milliseconds = 1870;
  progress.update(1);
  milliseconds = 75_000;
  progress.update(1);
  assert.deepEqual(text().split("\n"), ["run 1/101 | 3m07s left", "run 1/101 | 2h05m left", ""]);
});

const terminal = (columns: number) => ({
  isTTY: true,
  columns,
  cursorTo: () => true,
  clearLine: () => true,
  moveCursor: () => true,
});

test("on a terminal one bar is drawn over itself", () => {
  const { stream, text } = collector(terminal(120));
  const progress = startProgress({ label: "epoch 1/2", total: 4, stream, now: () => 0 });
  progress.update(2, { loss: "0.25" });
  progress.stop();
  assert.match(text(), /epoch 1\/2 █{5}░{5} 2\/4 \| 0s left \| loss 0\.25/);
});

test("a terminal is told no more than it has room for, the time left first", () => {
  const { stream, text } = collector(terminal(60));
  let milliseconds = 0;
  const progress = startProgress({ label: "cascaded-td", total: 210, stream, now: () => milliseconds });
  milliseconds = 16_000;
  progress.update(105, { loss: "14.732", "accuracy %": "9/20/22" });
  progress.stop();
  assert.match(text(), /cascaded-td █{5}░{5} 105\/210 \| 16s left \| loss 14\.732(?! \|)/);
});
