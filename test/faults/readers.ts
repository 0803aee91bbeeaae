import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { z } from "zod";
import { parseOverrides } from "../../lib/cli/overrides.js";
import { archiveFiles } from "../../lib/datasets/archive.js";
import { readCScores } from "../../lib/datasets/c-scores.js";
import { decodeCifar } from "../../lib/datasets/cifar.js";
import { recordsOfPythonBatch } from "../../lib/datasets/cifar-python.js";
import { decodeImage } from "../../lib/datasets/decode.js";
import { parseNpy } from "../../lib/datasets/npy.js";
import { checkReference } from "../../lib/experiments/parity/parity.js";
import { parseReferenceCase } from "../../lib/experiments/parity/reference-case.js";
import { readDone, summed } from "../../lib/experiments/runs/done-record.js";
import { presetNamed } from "../../lib/experiments/specs/presets.js";
import { changedSpec } from "../../lib/experiments/specs/spec-change.js";
import { parseRunSpec } from "../../lib/experiments/specs/spec.js";
import { parseNotebook } from "../../lib/notebook/notebook-file.js";
import { readStudyRecord, writeStudyRecord } from "../../lib/studies/replication/study-record.js";
import { decodeTrace, encodeTrace } from "../../lib/trace/trace-file.js";
import { decodeJson } from "../../lib/util/json-file.js";
import { decodeJsonLines } from "../../lib/util/json-lines.js";
import { decodeSafetensors, encodeSafetensors } from "../../lib/util/safetensors.js";
import { bytesOf, cifarRecords, npy, plainPng, pythonBatch, tarGz } from "../datasets/fixtures.js";
import { json, mutatedBytes } from "./mutations.js";
import type { Reader } from "./reader.js";
import { at, cachedEntry, checkpointEntry } from "./stored-entries.js";

const parsed = (input: Uint8Array): unknown => decodeJson(Buffer.from(input).toString(), "x", z.unknown());
const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** Every reader of files; those that read from a path are given one in `folder`. */
export async function readers(folder: string): Promise<readonly Reader[]> {
  return [...(await dataReaders(folder)), ...(await recordReaders(folder))];
}

async function dataReaders(folder: string): Promise<readonly Reader[]> {
  const labels = npy("<i8", "(5,)", bytesOf(BigInt64Array.of(0n, 1n, 2n, 1n, 0n)));
  const scores = npy("<f4", "(5,)", bytesOf(Float32Array.of(0.5, 0.25, 1, 0, 0.75)));
  const npz = zipSync({ "labels.npy": labels, "scores.npy": scores });
  const png = await plainPng([10, 20, 30]);
  const entries = ["train/a/0.png", "train/b/1.png"].map((path) => ({ path, content: png }));
  const packed = tarGz([{ path: "train", type: "Directory" }, ...entries]);
  const zip = zipSync(Object.fromEntries(entries.map(({ path, content }) => [path, content])));
  const records = cifarRecords(3, (n) => [n]);
  const batch = pythonBatch(records, ["labels"]);
  const trace = {
    timesteps: 3,
    examples: 4,
    classes: 3,
    logits: Float32Array.from({ length: 36 }, (_, i) => Math.sin(i)),
    labels: Int32Array.of(0, 1, 2, 1),
    ids: Int32Array.of(7, 8, 9, 10),
    cost: { multiplyAdds: [0, 1, 2] },
    model: "CascadedTD",
  };
  const archive = (path: string) => async (): Promise<unknown> => {
    const found: unknown[] = [];
    for await (const file of archiveFiles(path, () => true)) found.push(file);
    return found;
  };
  const bytes = { mutate: mutatedBytes };
  const tensors = new Map([
    ["a", { dtype: "F32" as const, shape: [2, 3], data: new Float32Array(6).fill(0.5) }],
  ]);
  const batches = [
    "data_batch_1",
    "data_batch_2",
    "data_batch_3",
    "data_batch_4",
    "data_batch_5",
    "test_batch",
  ];
  return [
    { name: "npy", samples: [labels, scores], ...bytes, read: (input) => parseNpy(input, "x.npy") },
    {
      name: "npz",
      samples: [npz],
      ...bytes,
      isSummed: true,
      read: at(join(folder, "x.npz"), () => readCScores(join(folder, "x.npz"))),
    },
    {
      name: "trace (Arrow)",
      samples: [encodeTrace(trace, "x")],
      ...bytes,
      isSummed: true,
      read: (input) => decodeTrace(input, "x.arrow").trace,
    },
    {
      name: "safetensors",
      samples: [Buffer.concat(encodeSafetensors(tensors, { a: "b" }))],
      ...bytes,
      read: (input) => decodeSafetensors(Uint8Array.from(input), "x"),
    },
    {
      name: "CIFAR",
      samples: [records],
      ...bytes,
      read: (content) =>
        decodeCifar(
          "cifar10",
          { root: "x", contents: new Map(batches.map((file) => [`${file}.bin`, content])) },
          true,
        ),
    },
    {
      name: "CIFAR pickle",
      samples: [batch],
      ...bytes,
      read: (input) => recordsOfPythonBatch(Buffer.from(input), ["labels"], 3072, "x"),
    },
    {
      name: "tar",
      samples: [gunzipSync(packed)],
      ...bytes,
      read: at(join(folder, "x.tar"), archive(join(folder, "x.tar"))),
    },
    {
      name: "tar.gz",
      samples: [packed],
      ...bytes,
      read: at(join(folder, "x.tgz"), archive(join(folder, "x.tgz"))),
    },
    {
      name: "zip",
      samples: [zip],
      ...bytes,

      read: at(join(folder, "x.zip"), archive(join(folder, "x.zip"))),
    },
    {
      name: "image",
      samples: [png, await jpeg()],
      ...bytes,
      read: (input) =>
        decodeImage({ read: () => Promise.resolve(Buffer.from(input)) }, { height: 8, width: 8 }),
    },
  ];
}

async function jpeg(): Promise<Buffer> {
  const { default: sharp } = await import("sharp");
  return sharp(await plainPng([200, 100, 50], 16))
    .jpeg()
    .toBuffer();
}

async function recordReaders(folder: string): Promise<readonly Reader[]> {
  const project = join(import.meta.dirname, "..", "..");
  const preset = presetNamed("cascaded-td");
  const committed = readStudyRecord(join(project, "data/results/reduced/cifar10/precision.json"));
  const record = join(folder, "r.json");
  if (committed !== undefined) await writeStudyRecord(record, committed);
  const analyses = readFileSync(join(project, "test/reference/analyses.json"));
  const networkCase = readFileSync(join(project, "test/reference/parallel-ews.json"), "utf8");
  const done = summed({
    hash: "0123456789ab",
    finishedAt: "2026-01-01T00:00:00.000Z",
    summary: { accuracy: [0.1, 0.9] },
    files: { "spec.json": "0", "environment.json": "1", "metrics.jsonl": "2" },
  });
  const cached = await cachedEntry(folder);
  const checkpoint = await checkpointEntry(folder);
  const lines = [1, 2, 3].map((step) => JSON.stringify({ step, loss: "NaN" })).join("\n");
  const own = { mutate: json };
  return [
    {
      name: "spec",
      samples: [text(preset)],
      ...own,
      read: (input) => parseRunSpec(parsed(input), "x"),
    },
    {
      name: "overrides",
      samples: [
        "train.epochs=3",
        "data.kind=procedural",
        'network.delay={"kind":"oneStepDelay"}',
        "seed=1",
      ].map((one) => Buffer.from(one)),
      mutate: mutatedBytes,
      read: (input) => changedSpec(preset, parseOverrides([Buffer.from(input).toString()])),
    },
    {
      name: "notebook",
      samples: [readFileSync(join(project, "notebooks/01-the-cascade.ipynb"))].map((one) =>
        text(shortened(one)),
      ),
      ...own,
      read: (input) => parseNotebook("x", Buffer.from(input).toString()),
    },
    {
      name: "study record",
      samples: [readFileSync(record)],
      ...own,
      read: at(record, () => readStudyRecord(record)),
    },
    {
      name: "DONE.json",
      samples: [text(done)],
      ...own,
      read: at(join(folder, "DONE.json"), () => readDone(folder)),
    },
    {
      name: "metrics",
      samples: [Buffer.from(`${lines}\n`)],
      mutate: mutatedBytes,
      read: (input) => decodeJsonLines(Buffer.from(input), "x").records,
    },
    cached,
    checkpoint,
    {
      name: "parity, analyses",
      samples: [analyses],
      ...own,
      read: (input) => checkReference(parsed(input), "x", "float32"),
    },
    {
      name: "parity, network",
      samples: [Buffer.from(networkCase)],
      ...own,
      read: (input) => parseReferenceCase(parsed(input), "x"),
    },
  ];
}

/** Outputs, which are long, are looked at by nobody here. */
function shortened(notebook: Uint8Array): unknown {
  const { cells, ...rest } = JSON.parse(Buffer.from(notebook).toString()) as { cells: object[] };
  return { ...rest, cells: cells.slice(0, 4).map((cell) => ({ ...cell, outputs: [] })) };
}
