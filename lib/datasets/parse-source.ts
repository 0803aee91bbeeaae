import { type Dirent, existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import { archiveFiles } from "./archive.js";
import { cifarKindOf } from "./cifar.js";
import { isHiddenName } from "./folder-walk.js";
import { resolveDatasetSource, type ResolvedDatasetSource } from "./source.js";
import { CLASS_LIST } from "./tiny-imagenet-layout.js";

const FORMS =
  "procedural, cifar10, cifar100, cifar10=<path>, cifar100=<path>, tinyimagenet=<path>, folder=<path> or a path";

/**
 * The data source that a short text stands for: `procedural`, `cifar10` and `cifar100` (downloaded once),
 * `cifar10=<path>`, `cifar100=<path>`, `tinyimagenet=<path>`, `folder=<path>`, or a path whose content tells what it
 * is. The path after `cifar10=` and `cifar100=` may also be that set as an image folder or an archive of one.
 *
 * Throws a UserError where the path is missing or its content is none of these.
 */
export async function parseDatasetSource(text: string): Promise<ResolvedDatasetSource> {
  if (text === "procedural") return resolveDatasetSource({ kind: text });
  if (text === "cifar10" || text === "cifar100") return resolveDatasetSource({ kind: text, download: true });
  const [, kind, path] = /^(cifar10|cifar100|tinyimagenet|folder)=(.+)$/s.exec(text) ?? [];
  if (kind !== undefined && path !== undefined) {
    const asImages = kind.startsWith("cifar") && existsSync(path) && (await kindOfPath(path)) === "folder";
    return resolveDatasetSource({ kind: asImages ? "folder" : kind, path });
  }
  if (/^\w+=/.test(text)) throw new UserError(`no such data source: ${text}; use ${FORMS}`);
  return resolveDatasetSource({ kind: await kindOfPath(text), path: text });
}

async function kindOfPath(path: string): Promise<ResolvedDatasetSource["kind"]> {
  try {
    if ((await stat(path)).isDirectory()) return (await kindOfFolder(path)) ?? "folder";
  } catch (error) {
    throw fileError(error, "read", path);
  }
  // The first telling file inside decides: CIFAR archives hold one folder of .bin and .txt files, the others images.
  for await (const file of archiveFiles(path, () => false)) {
    if (basename(file.path) === CLASS_LIST || /(^|\/)n\d{8}(_boxes\.txt|\/images\/)/.test(file.path))
      return "tinyimagenet";
    const kind = cifarKindOf([basename(file.path)], file.path.split("/"));
    if (kind !== undefined) return kind;
    if (/\.(jpe?g|png)$/i.test(file.path)) return "folder";
  }
  throw new UserError(`${path} holds neither CIFAR batches nor .jpg or .png images`);
}

/** More folders beside each other are classes, not something around the data. */
const MOST_AROUND = 3;

/** What the names in a folder tell, or else those in the folders inside, where it is only a folder around the data. */
async function kindOfFolder(path: string, around = 0): Promise<ResolvedDatasetSource["kind"] | undefined> {
  const entries = await readdir(path, { withFileTypes: true });
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of entries) ((await isFolder(path, entry)) ? folders : files).push(entry.name);
  const inside = folders.filter((name) => !isHiddenName(name));
  if (files.includes(CLASS_LIST)) return "tinyimagenet";
  const kind = cifarKindOf(files, inside);
  if (kind !== undefined) return kind;
  if (around === MOST_AROUND || inside.length > MOST_AROUND) return undefined;
  for (const name of inside) {
    const found = await kindOfFolder(join(path, name), around + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Links are followed, as they are where the data is read; one to nothing is a file. */
async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(join(path, entry.name)).then(
    (target) => target.isDirectory(),
    () => false,
  );
}
