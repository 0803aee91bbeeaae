import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import sharp from "sharp";
import type { ImageSet } from "../../lib/datasets/dataset.js";
import { valuesPerImage } from "../../lib/util/image-size.js";
import { loadDataset } from "../../lib/datasets/load.js";
import { testImages } from "../../lib/experiments/runs/image-splits.js";
import { trainingRun } from "../../lib/experiments/runs/training-run.js";
import { presetNamed } from "../../lib/experiments/specs/presets.js";
import type { RunSpec } from "../../lib/experiments/specs/spec.js";
import { readTrace } from "../../lib/trace/trace-file.js";
import type { Trace } from "../../lib/trace/trace.js";
import { tinyRunSpec } from "../experiments/tiny-run.js";
import { plainPng } from "../datasets/fixtures.js";

const project = resolve(import.meta.dirname, "..", "..");
const folder = await mkdtemp(join(tmpdir(), "cascade-cli-"));
const spec = tinyRunSpec("cascaded-ce");
let run = "";

interface Outcome {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Runs `cascade <words>` in the temporary folder. */
async function cascade(...words: string[]): Promise<Outcome> {
  const argv = [join(project, "lib/cli/cascade.mjs"), ...words];
  return promisify(execFile)(process.execPath, argv, { cwd: folder }).then(
    ({ stdout, stderr }) => ({ out: stdout, err: stderr, code: 0 }),
    (error: unknown) => {
      const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number };
      return { out: stdout, err: stderr, code };
    },
  );
}

/** Exit code 1, nothing on standard output, and on standard error one line with the message. */
async function refused(words: readonly string[], message: RegExp): Promise<void> {
  const { out, err, code } = await cascade(...words);
  assert.deepEqual({ code, out }, { code: 1, out: "" }, `${words.join(" ")}: ${err}`);
  const lines = err.trimEnd().split("\n");
  assert.equal(lines.length, 1, err);
  assert.match(lines[0] ?? "", /^cascade: /);
  assert.match(lines[0] ?? "", message);
}

/** As many at a time as there are usually cores. */
async function allRefused(
  cases: readonly (readonly [words: readonly string[], message: RegExp])[],
): Promise<void> {
  for (let i = 0; i < cases.length; i += 2)
    await Promise.all(cases.slice(i, i + 2).map(([words, message]) => refused(words, message)));
}

before(async () => {
  const compiler = join(project, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [compiler, "--build", "lib"], { cwd: project });
  run = await trainingRun(spec, { root: join(folder, "runs"), quiet: true });
});
after(() => rm(folder, { recursive: true }));

function writeSpec(name: string, value: unknown): string {
  writeFileSync(join(folder, name), JSON.stringify(value));
  return name;
}

/** The images as PNG files `<root>/<class>/<id>.png`. */
async function writeImages(root: string, { images, labels, ids, size, classNames }: ImageSet): Promise<void> {
  const values = valuesPerImage(size);
  for (const [n, label] of labels.entries()) {
    const path = join(root, classNames[label] ?? "", `${String(ids[n])}.png`);
    mkdirSync(dirname(path), { recursive: true });
    const pixels = images.subarray(n * values, (n + 1) * values);
    await sharp(pixels, { raw: { ...size, channels: 3 } })
      .png()
      .toFile(path);
  }
}

/** [T][K] logits and label of each example, by id: the order of the examples is the loader's own. */
function byId({ timesteps, examples, classes, logits, labels, ids }: Trace): Map<number, unknown> {
  return new Map(
    Array.from(ids, (id, n) => {
      const rows = Array.from({ length: timesteps }, (_, t) => {
        const start = (t * examples + n) * classes;
        return [...logits.subarray(start, start + classes)];
      });
      return [id, { label: labels[n], rows }];
    }),
  );
}

test("cascade run trains a spec file with overrides, prints where and how well, and a second call finds it done", async () => {
  const file = writeSpec("small.json", spec satisfies RunSpec);
  const words = ["run", file, "train.epochs=1", "seed=5", "--out", "trained"];
  const first = await cascade(...words);
  assert.equal(first.code, 0, first.err);
  const [directory = "", ...accuracies] = first.out.trimEnd().split("\n");
  assert.match(directory, /^trained\/ordinary-ce-[0-9a-f]{12}$/);
  assert.match(
    accuracies.join("\n"),
    /^CascadedCE: accuracy 10\.0 .* % at t = 0 \.\. 8\nSerialCE: accuracy 10\.0 /,
  );
  const done = readFileSync(join(folder, directory, "DONE.json"), "utf8");
  const second = await cascade(...words);
  assert.deepEqual([second.code, second.out], [0, first.out]);
  assert.equal(readFileSync(join(folder, directory, "DONE.json"), "utf8"), done);
  const resolved = await cascade("run", "cascaded-td", "network.depth=34", "data=procedural", "--print-spec");
  const { network, loss } = JSON.parse(resolved.out) as RunSpec;
  assert.deepEqual(network, {
    ...presetNamed("cascaded-td").network,
    depth: 34,
  });
  assert.equal(loss.lambda, 0);
});

test("cascade run of a training that diverges says where, with exit code 0: the run is done", async () => {
  const file = writeSpec("wild.json", spec satisfies RunSpec);
  const words = [
    "run",
    file,
    "train.learningRate=100",
    "train.weightDecay=1",
    "train.epochs=20",
    "--out",
    "wild",
  ];
  const { code, out, err } = await cascade(...words);
  assert.equal(code, 0, err);
  const [directory = "", told = "", ...more] = out.trimEnd().split("\n");
  assert.match(told, /^the training diverged: the [a-z ]+ became \S+ at step \d+, in epoch \d+/);
  assert.deepEqual(more, []);
  const again = await cascade(...words);
  assert.deepEqual([again.code, again.out], [0, out]);
  const refused = await cascade("trace", directory, "--out", "no.arrow");
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^cascade: \S+ gives no model, because its training diverged: [^\n]*\n$/);
});

test("cascade run refuses what it cannot do in one line, with exit code 1", async () => {
  writeFileSync(join(folder, "broken.json"), '{ "seed": 1,');
  await allRefused([
    [
      ["run", "cascaded-td", "train.learnRate=1"],
      /preset cascaded-td: train\.learnRate is not a known field, did you mean learningRate\?/,
    ],
    [
      ["run", "serial-td", "network.width=5"],
      /network\.width is 5; allowed: a number \(above 0 and at most 4\)/,
    ],
    [
      ["run", "cascaded-td", "network.delay.kind=osd"],
      /network\.delay\.kind is "osd"; allowed: .*"oneStepDelay".*"exponentialSmoothing"/,
    ],
    [["run", "cascaded-dt"], /there is no preset "cascaded-dt"; there are cascaded-td, /],
    [["run", "broken.json"], /broken\.json is not valid JSON: /],
  ]);
  assert.equal(existsSync(join(folder, "data")), false);
  await refused(["run", "cascaded-td", "data=folder=nowhere"], /cannot read nowhere: there is no such file/);
});

test("cascade trace gives the run's stored trace again, for any of its models", async () => {
  const { out, code, err } = await cascade("trace", run, "--json", "--out", "again.arrow");
  assert.equal(code, 0, err);
  const stored = await readTrace(join(run, "trace-CascadedCE.arrow"));
  // The run's own says besides what images it is of.
  const { data, split } = stored;
  assert.deepEqual({ ...(await readTrace(join(folder, "again.arrow"))), data, split }, stored);
  const result = JSON.parse(out) as Record<string, unknown>;
  const { models } = (
    JSON.parse(readFileSync(join(run, "DONE.json"), "utf8")) as {
      summary: { models: { accuracy: number[]; area: number }[] };
    }
  ).summary;
  assert.equal(result["model"], "CascadedCE");
  assert.deepEqual([result["timesteps"], result["examples"], result["classes"]], [9, 20, 10]);
  assert.deepEqual(result["accuracy"], models[0]?.accuracy);
  assert.equal(result["area"], models[0]?.area);
  assert.deepEqual(result["multiplyAdds"], stored.cost?.multiplyAdds);

  const longer = await cascade(
    "trace",
    run,
    "--model",
    "SerialCE",
    "--timesteps",
    "12",
    "--out",
    "longer.arrow",
  );
  assert.equal(longer.code, 0, longer.err);
  assert.equal(longer.out.trimEnd().split("\n").length, 2 + 12);
  const serial = await readTrace(join(run, "trace-SerialCE.arrow"));
  const trace = await readTrace(join(folder, "longer.arrow"));
  assert.equal(trace.timesteps, 12);
  for (const [i, logit] of serial.logits.entries())
    assert.ok(Math.abs((trace.logits[i] ?? NaN) - logit) < 1e-5, `value ${i}`);
});

test("cascade trace takes a folder of images that it has not seen before", async () => {
  const images = testImages(spec, await loadDataset(spec.data));
  await writeImages(join(folder, "pictures"), images);
  const { out, code, err } = await cascade(
    "trace",
    run,
    "--data",
    "pictures",
    "--json",
    "--out",
    "pictures.arrow",
  );
  assert.equal(code, 0, err);
  assert.equal((JSON.parse(out) as { examples: number }).examples, 20);
  const stored = await readTrace(join(run, "trace-CascadedCE.arrow"));
  const given = byId(await readTrace(join(folder, "pictures.arrow")));
  const expected = byId(stored);
  assert.deepEqual([...given.keys()].sort(), [...expected.keys()].sort());
  for (const [id, { rows, label }] of expected as Map<number, { rows: number[][]; label: number }>) {
    const found = given.get(id) as { rows: number[][]; label: number };
    assert.equal(found.label, label);
    for (const [t, row] of rows.entries())
      for (const [k, logit] of row.entries())
        assert.ok(Math.abs((found.rows[t]?.[k] ?? NaN) - logit) < 1e-5, `id ${id}, t = ${t}, class ${k}`);
  }
});

test("cascade trace refuses what it cannot do in one line, with exit code 1", async () => {
  const zebra = join(folder, "foreign", "zebra");
  mkdirSync(zebra, { recursive: true });
  writeFileSync(join(zebra, "1.png"), await plainPng([1, 2, 3]));
  cpSync(run, join(folder, "damaged"), { recursive: true });
  const weights = join(folder, "damaged", "model.safetensors");
  const bytes = readFileSync(weights);
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  writeFileSync(weights, bytes);
  cpSync(run, join(folder, "unfinished"), { recursive: true });
  rmSync(join(folder, "unfinished", "DONE.json"));
  await allRefused([
    [["trace", run, "--data", "foreign"], /foreign.*zebra.*plain-disk/],
    [
      ["trace", run, "--data", "procedural"],
      /procedural has images of 32 x 32 pixels, CascadedCE was trained on 8 x 8/,
    ],
    [["trace", run, "--model", "CascadedTD"], /gives no model "CascadedTD"; it gives CascadedCE, SerialCE$/],
    [["trace", run, "--images", "21"], /the limit is 21 examples, allowed is 1 to 20/],
    [["trace", "damaged", "--out", "none.arrow"], /damaged\/model\.safetensors is damaged/],
    [
      ["trace", "unfinished"],
      /unfinished is not finished; call "cascade run unfinished\/spec\.json --out \."/,
    ],
  ]);
  assert.equal(existsSync(join(folder, "none.arrow")), false);
});
