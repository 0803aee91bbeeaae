import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import { archiveFiles } from "./archive.js";
import { walkFolder, type WalkedFile } from "./folder-walk.js";

/** A file met while reading a tree; `read` gives its content. */
export interface TreeFile {
  readonly path: string;
  readonly read: () => Promise<Buffer>;
}

/** Files and folders below one place, on disk or in an archive; hidden ones are left out. */
export interface FileTree {
  /** As the user wrote it. */
  readonly root: string;
  /** Paths relative to the root, with `/`. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** The files in `wanted`, in an order that is quick to read. */
  contents(wanted: ReadonlySet<string>): AsyncIterable<TreeFile> | Iterable<TreeFile>;
}

/** The tree of a folder or an archive; throws a UserError where there is none. */
export async function fileTree(path: string): Promise<FileTree> {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
  return found.isDirectory() ? folderTree(path) : archiveTree(path);
}

async function folderTree(root: string): Promise<FileTree> {
  const { folders, files } = await walkFolder(root);
  return {
    root,
    folders,
    files: files.map(({ path }) => path),
    contents: (wanted) =>
      files
        .filter(({ path }) => wanted.has(path))
        .map((file) => ({ path: file.path, read: reader(root, file) })),
  };
}

function reader(root: string, { path, broken }: WalkedFile): () => Promise<Buffer> {
  if (broken === undefined) return () => readFile(join(root, path));
  return () => Promise.reject(new UserError(`it is ${broken}`));
}

async function archiveTree(root: string): Promise<FileTree> {
  const folders: string[] = [];
  const files: string[] = [];
  const seen = new Set<string>();
  for await (const { path, kind } of archiveFiles(root, () => false)) {
    if (kind === "folder") folders.push(path);
    else if (seen.has(path)) throw new UserError(`${root} holds ${path} twice; pack it again`);
    else {
      seen.add(path);
      files.push(path);
    }
  }
  return { root, folders, files: files.sort(), contents: (wanted) => archiveContents(root, wanted) };
}

async function* archiveContents(root: string, wanted: ReadonlySet<string>): AsyncGenerator<TreeFile> {
  for await (const { path, content } of archiveFiles(root, (file) => wanted.has(file)))
    if (content !== undefined) yield { path, read: () => Promise.resolve(content) };
}
