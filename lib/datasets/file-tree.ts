import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError } from "../util/errors.js";
import { fileError, sha256, sha256OfFile } from "../util/files.js";
import { tarFiles } from "./tar-archive.js";

/** A file met while reading a tree; `read` gives its content. */
export interface TreeFile {
  readonly path: string;
  readonly read: () => Promise<Buffer>;
}

/** Files and folders below one place, on disk or in an archive; hidden ones (`.name`) are left out. */
export interface FileTree {
  /** As the user wrote it. */
  readonly root: string;
  /** Paths relative to the root, with `/`. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Changes when any file changes. */
  readonly fingerprint: string;
  /** The files in `wanted`, in an order that is quick to read. */
  contents(wanted: ReadonlySet<string>): AsyncIterable<TreeFile> | Iterable<TreeFile>;
}

/** Deeper trees are a mistake or a link that leads back into itself. */
const MAX_DEPTH = 8;

/** The tree of a folder or a `.tar.gz` archive; throws a UserError where there is none. */
export async function fileTree(path: string): Promise<FileTree> {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  return found.isDirectory() ? folderTree(path) : archiveTree(path);
}

async function folderTree(root: string): Promise<FileTree> {
  const folders: string[] = [];
  const files: string[] = [];
  const stamps: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) throw new UserError(`${join(root, folder)} lies too deep for an image folder`);
    const names = (await readdir(join(root, folder))).filter((name) => !name.startsWith(".")).sort();
    const found = await Promise.all(names.map((name) => stat(join(root, folder, name))));
    for (const [i, name] of names.entries()) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const at = found[i];
      if (at?.isDirectory()) {
        folders.push(path);
        await walk(path, depth + 1);
      } else if (at?.isFile()) {
        files.push(path);
        stamps.push(`${path}\0${at.size}\0${at.mtimeMs}`);
      }
    }
  };
  try {
    await walk("", 0);
  } catch (error) {
    throw fileError(error, "read", root);
  }
  return {
    root,
    folders,
    files,
    fingerprint: sha256([resolve(root), ...folders, ...stamps].join("\n")),
    contents: (wanted) => files.filter((path) => wanted.has(path)).map((path) => fileOnDisk(root, path)),
  };
}

function fileOnDisk(root: string, path: string): TreeFile {
  return { path, read: () => readFile(join(root, path)) };
}

async function archiveTree(root: string): Promise<FileTree> {
  const folders: string[] = [];
  const files: string[] = [];
  const seen = new Set<string>();
  for await (const { path, kind } of tarFiles(root, () => false)) {
    if (path === "" || isHidden(path)) continue;
    if (kind === "folder") folders.push(path);
    else if (seen.has(path)) throw new UserError(`${root} holds ${path} twice; pack it again`);
    else {
      seen.add(path);
      files.push(path);
    }
  }
  return {
    root,
    folders,
    files: files.sort(),
    fingerprint: await sha256OfFile(root),
    contents: (wanted) => archiveContents(root, wanted),
  };
}

async function* archiveContents(root: string, wanted: ReadonlySet<string>): AsyncGenerator<TreeFile> {
  for await (const { path, content } of tarFiles(root, (file) => wanted.has(file)))
    if (content !== undefined) yield { path, read: () => Promise.resolve(content) };
}

function isHidden(path: string): boolean {
  return path.split("/").some((part) => part.startsWith("."));
}
