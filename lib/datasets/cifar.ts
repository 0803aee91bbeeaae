import { basename } from "node:path";
import { UserError } from "../util/errors.js";
import { CIFAR100_COARSE_CLASSES, CIFAR100_FINE_CLASSES, CIFAR10_CLASSES } from "./cifar-classes.js";
import { recordsOfPythonBatch } from "./cifar-python.js";
import type { ImageSet } from "./dataset.js";
import { fileTree } from "./file-tree.js";

const CIFAR_KINDS = ["cifar10", "cifar100"] as const;
export type CifarKind = (typeof CIFAR_KINDS)[number];

interface CifarFile {
  readonly file: string;
  readonly split: "train" | "test";
  readonly records: number;
}

/** What is published about each set: address, MD5 of the archive, files, their records, the label bytes. */
export interface CifarFormat {
  readonly url: string;
  readonly md5: string;
  /** Folder inside the archive. */
  readonly folder: string;
  readonly files: readonly CifarFile[];
  /** Classes of each label byte of a record, in order; the last one is the label proper. */
  readonly labelClasses: readonly (readonly string[])[];
  /** The version for Python, whose files go by the same names without ending: archive, folder, lists of labels. */
  readonly python: { readonly md5: string; readonly folder: string; readonly labels: readonly string[] };
}

const SIDE = 32;
const PIXELS = SIDE * SIDE;

export const CIFAR_FORMATS: Readonly<Record<CifarKind, CifarFormat>> = {
  cifar10: {
    url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    md5: "c32a1d4ab5d03f1284b67883e8d87530",
    folder: "cifar-10-batches-bin",
    files: [
      ...[1, 2, 3, 4, 5].map((i): CifarFile => ({
        file: `data_batch_${i}.bin`,
        split: "train",
        records: 10000,
      })),
      { file: "test_batch.bin", split: "test", records: 10000 },
    ],
    labelClasses: [CIFAR10_CLASSES],
    python: { md5: "c58f30108f718f92721af3b95e74349a", folder: "cifar-10-batches-py", labels: ["labels"] },
  },
  cifar100: {
    url: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    md5: "03b5dce01913d631647c71ecec9e9cb8",
    folder: "cifar-100-binary",
    files: [
      { file: "train.bin", split: "train", records: 50000 },
      { file: "test.bin", split: "test", records: 10000 },
    ],
    labelClasses: [CIFAR100_COARSE_CLASSES, CIFAR100_FINE_CLASSES],
    python: {
      md5: "eb9058c3a382ffc7106e4002c42a8d85",
      folder: "cifar-100-python",
      labels: ["coarse_labels", "fine_labels"],
    },
  },
};

/** The batches of an archive or a folder, read but not yet looked into. */
export interface CifarBatches {
  readonly root: string;
  /** Records by the binary version's file name. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads the batches at `path`, an archive or a folder, wherever in it they lie: of the binary version, or where there
 * are none of it of the one for Python.
 */
export async function cifarBatches(kind: CifarKind, path: string): Promise<CifarBatches> {
  const { files, python } = CIFAR_FORMATS[kind];
  const tree = await fileTree(path);
  const among = (names: readonly string[]) =>
    new Set(tree.files.filter((file) => names.includes(basename(file))));
  const binaryNames = files.map(({ file }) => file);
  const binary = among(binaryNames);
  const wanted = binary.size > 0 ? binary : among(binaryNames.map(withoutEnding));
  const contents = new Map<string, Uint8Array>();
  for await (const file of tree.contents(wanted)) {
    const name = binary.size > 0 ? basename(file.path) : `${basename(file.path)}.bin`;
    if (contents.has(name)) throw new UserError(`${path} holds ${basename(file.path)} twice`);
    const content = await file.read();
    contents.set(
      name,
      binary.size > 0
        ? content
        : recordsOfPythonBatch(content, python.labels, 3 * PIXELS, `${path}: ${file.path}`),
    );
  }
  return { root: path, contents };
}

function withoutEnding(name: string): string {
  return name.slice(0, -".bin".length);
}

/** Which CIFAR set a place with files and folders of these names holds. */
export function cifarKindOf(files: readonly string[], folders: readonly string[]): CifarKind | undefined {
  return CIFAR_KINDS.find((kind) => {
    const { folder, files: batches, python } = CIFAR_FORMATS[kind];
    if (folders.includes(folder) || folders.includes(python.folder)) return true;
    if (batches.some(({ file }) => files.includes(file))) return true;
    // All of them: "train" alone may be anything.
    return batches.every(({ file }) => files.includes(withoutEnding(file)));
  });
}

/**
 * Decodes all batches to a training and a test split.
 *
 * `partial`: other numbers of records than the published ones are accepted.
 * Throws a UserError naming the file (and record) for a missing file, a size that is no whole number of
 * records, a wrong number of records and a label byte out of range.
 */
export function decodeCifar(
  kind: CifarKind,
  { root, contents }: CifarBatches,
  partial = false,
): { train: ImageSet; test: ImageSet } {
  const split = (name: CifarFile["split"]): ImageSet => {
    const files = CIFAR_FORMATS[kind].files.filter((file) => file.split === name);
    return decodeRecords(
      kind,
      files.map((file) => ({
        where: `${root}: ${file.file}`,
        content: checkedBatch(kind, root, file, contents, partial),
      })),
    );
  };
  return { train: split("train"), test: split("test") };
}

function checkedBatch(
  kind: CifarKind,
  root: string,
  { file, records }: CifarFile,
  contents: ReadonlyMap<string, Uint8Array>,
  partial: boolean,
): Uint8Array {
  const content = contents.get(file);
  if (content === undefined) throw new UserError(`${root}: ${file} is missing; it is no whole ${kind} set`);
  const recordBytes = CIFAR_FORMATS[kind].labelClasses.length + 3 * PIXELS;
  if (content.length === 0 || content.length % recordBytes !== 0)
    throw new UserError(
      `${root}: ${file} has ${content.length} bytes, not a whole number of ${recordBytes}-byte records; ` +
        `it is damaged or no ${kind} batch`,
    );
  if (!partial && content.length !== records * recordBytes)
    throw new UserError(
      `${root}: ${file} has ${content.length / recordBytes} records, the published one ${records}; ` +
        "get the whole file, or set partial to true to read it all the same",
    );
  return content;
}

/** Records of label bytes and `[3, 32, 32]` planes to labels and `[N, 32, 32, 3]`. */
function decodeRecords(kind: CifarKind, files: readonly { where: string; content: Uint8Array }[]): ImageSet {
  const { labelClasses } = CIFAR_FORMATS[kind];
  const labelBytes = labelClasses.length;
  const recordBytes = labelBytes + 3 * PIXELS;
  const count = files.reduce((sum, { content }) => sum + content.length / recordBytes, 0);
  const images = new Uint8Array(count * 3 * PIXELS);
  const labels = labelClasses.map(() => new Int32Array(count));
  let n = 0;
  for (const { where, content } of files) {
    for (let start = 0; start < content.length; start += recordBytes, n++) {
      for (const [i, classes] of labelClasses.entries()) {
        const label = content[start + i] as number;
        if (label >= classes.length)
          throw new UserError(
            `${where}: record ${start / recordBytes} has label ${label}, allowed are 0 to ${classes.length - 1}; ` +
              `the file is damaged or no ${kind} batch`,
          );
        (labels[i] as Int32Array)[n] = label;
      }
      const red = start + labelBytes;
      for (let p = 0, to = n * 3 * PIXELS; p < PIXELS; p++, to += 3) {
        images[to] = content[red + p] as number;
        images[to + 1] = content[red + PIXELS + p] as number;
        images[to + 2] = content[red + 2 * PIXELS + p] as number;
      }
    }
  }
  return {
    images,
    labels: labels.at(-1) as Int32Array,
    ids: Int32Array.from({ length: count }, (_, i) => i),
    size: { height: SIDE, width: SIDE },
    classNames: labelClasses.at(-1) ?? [],
    ...(labelBytes === 2 ? { coarseLabels: labels[0] as Int32Array } : {}),
  };
}
