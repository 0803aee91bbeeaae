import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { loadDataset } from "../../lib/datasets/load.js";
import { parseDatasetSource } from "../../lib/datasets/parse-source.js";
import { smallImageFolder, tarGz, writeTree } from "./fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

const silent = { cacheFolder: false, onReport: () => undefined } as const;
const files = await smallImageFolder();
const entries = Object.entries(files).map(([path, content]) => ({ path: `set/${path}`, content }));
const zipped = (contents: Readonly<Record<string, Uint8Array>>) => Buffer.from(zipSync({ ...contents }));

/** The tar archive through a program, or null where the program is not here. */
function through(program: string): Buffer | null {
  try {
    return execFileSync(program, ["-c"], { input: gunzipSync(tarGz(entries)) });
  } catch {
    return null;
  }
}

const ARCHIVES: Readonly<Record<string, Buffer | null>> = {
  zip: zipped(Object.fromEntries(entries.map(({ path, content }) => [path, content]))),
  tar: gunzipSync(tarGz(entries)),
  "tar.gz": tarGz(entries),
  "tar.bz2": through("bzip2"),
  "tar.xz": through("xz"),
  "tar.zst": through("zstd"),
};

for (const [kind, content] of Object.entries(ARCHIVES))
  test(
    `.${kind}: the data of the folder, whatever the archive is called; half of it is refused`,
    { skip: content === null ? "its program is not here" : false },
    async (context) => {
      const folder = await temporaryFolder(context);
      await writeTree(join(folder, "set"), files);
      const plain = await loadDataset({ kind: "folder", path: join(folder, "set") }, silent);
      for (const name of [`set.${kind}`, "download"]) {
        const path = join(folder, name);
        await writeFile(path, content ?? "");
        assert.equal((await parseDatasetSource(path)).kind, "folder");
        assert.equal((await loadDataset({ kind: "folder", path }, silent)).hash, plain.hash);
        const half = content?.subarray(0, content.length / 2) ?? "";
        await writeFile(path, half);
        await assert.rejects(loadDataset({ kind: "folder", path }, silent), {
          name: "UserError",
          message: new RegExp(`${name} is not a whole \\.${kind} archive \\(.+\\); get it again`),
        });
      }
    },
  );

test("where the program for a compression is missing, that is said, with what to do", async (context) => {
  const folder = await temporaryFolder(context);
  const path = join(folder, "set.tar.xz");
  await writeFile(path, Buffer.from("fd377a585a000004", "hex"));
  const before = process.env["PATH"];
  process.env["PATH"] = folder;
  context.after(() => (process.env["PATH"] = before));
  await assert.rejects(loadDataset({ kind: "folder", path }, silent), {
    name: "UserError",
    message:
      /set\.tar\.xz is a \.tar\.xz archive, which takes the program xz, .* install the package xz-utils, or unpack/,
  });
});

test("what is no archive, and zip archives that are hostile or damaged, are refused", async (context) => {
  const folder = await temporaryFolder(context);
  const image = files["train/cat/2.png"] ?? Buffer.alloc(0);
  const link = zipSync({ "train/cat/1.png": [image, { os: 3, attrs: 0o120777 * 2 ** 16 }] });
  const flipped = zipped({ "train/cat/1.png": image, "val/cat/1.png": image });
  // Stored content begins after the local header of 30 bytes and the name; images are too small to shrink.
  const stored = Buffer.from(zipSync({ "train/cat/1.png": image, "val/cat/1.png": image }, { level: 0 }));
  stored[30 + "train/cat/1.png".length + 50] = 255 - (stored[30 + "train/cat/1.png".length + 50] ?? 0);
  const bomb = zipped({ "train/cat/1.png": new Uint8Array(200 * 2 ** 20), "val/cat/1.png": image });
  const cases = [
    ["set.rar", Buffer.from("Rar!"), /is no archive that can be read; known are \.zip, \.tar, \.tar\.gz/],
    ["set.zip", Buffer.from("text"), /is not a whole \.zip archive \(it does not begin as one\)/],
    ["set.zip", zipped({ "../train/cat/1.png": image }), /invalid relative path: \.\.\/.*refused/],
    ["set.zip", zipped({ "/train/cat/1.png": image }), /absolute path: \/train.*refused/],
    ["set.zip", Buffer.from(link), /"train\/cat\/1\.png" is a SymbolicLink/],
    ["set.zip", flipped.subarray(0, flipped.length - 30), /is not a whole \.zip archive/],
    ["set.zip", stored, /"train\/cat\/1\.png" is damaged, its checksum is another/],
    ["set.zip", bomb, /expands to more than/],
  ] as const;
  for (const [name, content, message] of cases) {
    const path = join(folder, name);
    await writeFile(path, content);
    await assert.rejects(loadDataset({ kind: "folder", path }, silent), { name: "UserError", message });
  }
});

test("a tar that is cut between any two of its entries is refused", async (context) => {
  const path = join(await temporaryFolder(context), "set.tar");
  const whole = gunzipSync(tarGz(entries));
  // The last two blocks of 512 bytes are the end; one of them is enough.
  for (let blocks = 0; blocks < whole.length / 512 - 1; blocks++) {
    await writeFile(path, whole.subarray(0, 512 * blocks));
    await assert.rejects(loadDataset({ kind: "folder", path }, silent), {
      name: "UserError",
      message: /set\.tar is not a whole \.tar archive|set\.tar is empty/,
    });
  }
});
