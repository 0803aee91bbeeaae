import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import { CIFAR_FORMATS, CIFAR_KINDS } from "./cifar.js";
import { resolveDatasetSource, type ResolvedDatasetSource } from "./source.js";
import { tarFiles } from "./tar-archive.js";
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
    if ((await stat(path)).isDirectory()) {
      const names = await readdir(path);
      return names.includes(CLASS_LIST) ? "tinyimagenet" : (cifarKindOf(names) ?? "folder");
    }
  } catch (error) {
    throw fileError(error, "read", path);
  }
  // The first file inside decides: CIFAR archives hold one folder of .bin and .txt files, the others images.
  for await (const file of tarFiles(path, () => false)) {
    if (basename(file.path) === CLASS_LIST || /(^|\/)n\d{8}(_boxes\.txt|\/images\/)/.test(file.path))
      return "tinyimagenet";
    const kind = cifarKindOf([file.path, basename(file.path)]);
    if (kind !== undefined) return kind;
    if (/\.(jpe?g|png)$/i.test(file.path)) return "folder";
  }
  throw new UserError(`${path} holds neither CIFAR batches nor .jpg or .png images`);
}

/** Which CIFAR set files or folders of these names belong to. */
function cifarKindOf(names: readonly string[]): "cifar10" | "cifar100" | undefined {
  return CIFAR_KINDS.find((kind) => {
    const { folder, files } = CIFAR_FORMATS[kind];
    return names.includes(folder) || files.some(({ file }) => names.includes(file));
  });
}
