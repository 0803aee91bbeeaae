import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { Header } from "tar";

/** Writes `contents` by path below `root`. */
export async function writeTree(
  root: string,
  contents: Readonly<Record<string, Uint8Array | string>>,
): Promise<void> {
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** A PNG of one colour. */
export function plainPng(colour: readonly [number, number, number], side = 8, width = side): Promise<Buffer> {
  const [r, g, b] = colour;
  return sharp({ create: { width, height: side, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();
}

/** Two classes in two splits, 8 x 8 pixels: the colour tells example and class. */
export async function smallImageFolder(): Promise<Record<string, Buffer>> {
  return {
    "train/cat/2.png": await plainPng([2, 0, 0]),
    "train/cat/10.png": await plainPng([10, 0, 0]),
    "train/dog/1.png": await plainPng([1, 0, 9]),
    "val/cat/0.png": await plainPng([0, 0, 0]),
    "val/dog/0.png": await plainPng([0, 0, 9]),
  };
}

export interface TarEntry {
  readonly path: string;
  readonly content?: Uint8Array;
  readonly type?: "File" | "Directory" | "SymbolicLink";
}

/** A `.tar.gz` with exactly these entries, harmless or not. */
export function tarGz(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, content = new Uint8Array(), type = "File" } of entries) {
    const link = type === "SymbolicLink" ? { linkpath: "elsewhere" } : {};
    const header = new Header({ path, size: content.length, type, mode: 0o644, mtime: new Date(0), ...link });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    blocks.push(block, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A `.npy` file of version 1 around raw little-endian data. */
export function npy(descr: string, shape: string, data: Uint8Array, version = 1): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + "\n";
  const length = version === 1 ? Buffer.alloc(2) : Buffer.alloc(4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from("NUMPY"), version, 0]),
    length,
    Buffer.from(header),
    data,
  ]);
}

/** The bytes of a typed array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** `count` CIFAR records: label bytes from `labelsOf`, then planes whose values tell record, channel and pixel. */
export function cifarRecords(count: number, labelsOf: (record: number) => readonly number[]): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, n) =>
      Buffer.from([
        ...labelsOf(n),
        ...Array.from({ length: 3072 }, (_, i) => (n * 31 + i * 7 + Math.floor(i / 1024)) % 256),
      ]),
    ),
  );
}

/** A pickle, protocol 2, of a batch of CIFAR's Python version as NumPy 2 under Python 3 writes it. */
export function pythonBatch(records: Buffer, labelNames: readonly string[]): Buffer {
  const recordBytes = labelNames.length + 3072;
  const count = records.length / recordBytes;
  const of = (n: number) => records.subarray(n * recordBytes, (n + 1) * recordBytes);
  const ns = [...Array(count).keys()];
  const data = Buffer.concat(ns.map((n) => of(n).subarray(labelNames.length)));
  const number32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const text = (value: string) => [Buffer.from("X"), number32(Buffer.byteLength(value)), Buffer.from(value)];
  const latin1 = (bytes: Buffer) => [
    Buffer.from("c_codecs\nencode\n"),
    ...text(bytes.toString("latin1")),
    ...text("latin1"),
    Buffer.from("\x86R", "latin1"),
  ];
  const number = (value: number) => [Buffer.from("J"), number32(value)];
  return Buffer.concat([
    Buffer.from("\x80\x02}(", "latin1"),
    ...latin1(Buffer.from("data")),
    Buffer.from("cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85", "latin1"),
    ...latin1(Buffer.from("b")),
    Buffer.from("\x87R(K\x01", "latin1"),
    ...number(count),
    ...number(3072),
    Buffer.from("\x86cnumpy\ndtype\n", "latin1"),
    ...text("u1"),
    Buffer.from("\x89\x88\x87R(K\x03", "latin1"),
    ...text("|"),
    Buffer.from("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89", "latin1"),
    ...latin1(data),
    Buffer.from("tb"),
    ...labelNames.flatMap((name, i) => [
      ...latin1(Buffer.from(name)),
      Buffer.from("]("),
      ...ns.flatMap((n) => number(of(n)[i] ?? 0)),
      Buffer.from("e"),
    ]),
    Buffer.from("u."),
  ]);
}
