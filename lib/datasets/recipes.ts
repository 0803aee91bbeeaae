import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { UserError } from "../util/errors.js";
import type { Recipe } from "./cache.js";
import { CIFAR_FORMATS, cifarBatches, decodeCifar } from "./cifar.js";
import { DECODER } from "./decode.js";
import { download } from "./download.js";
import { fileTree } from "./file-tree.js";
import { decodeSplits } from "./image-folder.js";
import { layoutOfSplit } from "./image-layout.js";
import { proceduralCode, proceduralSplit } from "./procedural.js";
import type { LoadOptions } from "./progress.js";
import type {
  CifarSource,
  FolderSource,
  ProceduralSource,
  ResolvedDatasetSource,
  TinyImageNetSource,
} from "./source.js";
import { sourceFiles } from "./source-files.js";
import { tinyImageNetLayouts } from "./tiny-imagenet-layout.js";

const SPLITS = ["train", "test"] as const;
const DEFAULT_DOWNLOADS = join("data", "downloads");

export type DatasetRecipe = Recipe<"train" | "test">;

/** How the splits of a source are made; `mayDownload` gets an archive that is not there yet. */
export async function datasetRecipe(
  source: ResolvedDatasetSource,
  options: LoadOptions,
  mayDownload: boolean,
): Promise<DatasetRecipe> {
  switch (source.kind) {
    case "procedural":
      return proceduralRecipe(source);
    case "folder":
      return folderRecipe(source, options);
    case "tinyimagenet":
      return tinyImageNetRecipe(source, options);
    default:
      return cifarRecipe(source, source.path ?? (await cifarArchive(source, options, mayDownload)));
  }
}

/** Images made by rule are as old as the rule: the program's own text takes the place of the files. */
function proceduralRecipe(source: ProceduralSource): DatasetRecipe {
  return {
    source: { stamp: proceduralCode, fingerprint: proceduralCode },
    settings: source,
    names: SPLITS,
    decode: () =>
      Promise.resolve({
        splits: { train: proceduralSplit(source, "train"), test: proceduralSplit(source, "test") },
        skipped: [],
      }),
  };
}

function folderRecipe({ path, size, onBroken }: FolderSource, options: LoadOptions): DatasetRecipe {
  return {
    source: sourceFiles(path),
    settings: ["folder", size, onBroken, DECODER],
    names: SPLITS,
    decode: async () => {
      const tree = await fileTree(path);
      const train = layoutOfSplit(tree, "train");
      const test = layoutOfSplit(tree, "test", { classNames: train.classNames });
      return decodeSplits(
        tree,
        { train, test },
        { size: square(size), onBroken, onProgress: options.onProgress },
      );
    },
  };
}

function tinyImageNetRecipe({ path, onBroken }: TinyImageNetSource, options: LoadOptions): DatasetRecipe {
  return {
    source: sourceFiles(path),
    settings: ["tinyimagenet", onBroken, DECODER],
    names: SPLITS,
    decode: async () => {
      const tree = await fileTree(path);
      return decodeSplits(tree, await tinyImageNetLayouts(tree), {
        onBroken,
        onProgress: options.onProgress,
      });
    },
  };
}

function cifarRecipe({ kind, partial }: CifarSource, path: string): DatasetRecipe {
  return {
    source: sourceFiles(path),
    settings: [kind, partial],
    names: SPLITS,
    decode: async () => ({
      splits: decodeCifar(kind, await cifarBatches(kind, path), partial),
      skipped: [],
    }),
  };
}

async function cifarArchive(
  { kind, download: isAllowed }: CifarSource,
  options: LoadOptions,
  mayDownload: boolean,
): Promise<string> {
  if (!isAllowed)
    throw new UserError(`${kind} needs the path of its archive or folder, or download set to true`);
  const { url, md5 } = CIFAR_FORMATS[kind];
  const path = join(options.downloadFolder ?? DEFAULT_DOWNLOADS, basename(url));
  if (mayDownload) await download(url, path, md5, options);
  else if (!existsSync(path)) throw new UserError(`${path} is not downloaded`);
  return path;
}

/** One split of the tree at `path` against the classes allowed. */
export function splitRecipe(
  path: string,
  split: "train" | "test",
  {
    classNames,
    size,
    onBroken,
  }: {
    readonly classNames: readonly string[];
    readonly size: number | undefined;
    readonly onBroken: "fail" | "skip";
  },
  options: LoadOptions,
): Recipe<"only"> {
  return {
    source: sourceFiles(path),
    settings: ["split", split, classNames, size, onBroken, DECODER],
    names: ["only"],
    decode: async () => {
      const tree = await fileTree(path);
      const only = layoutOfSplit(tree, split, { classNames, bare: true });
      return decodeSplits(tree, { only }, { size: square(size), onBroken, onProgress: options.onProgress });
    },
  };
}

function square(side: number | undefined): { height: number; width: number } | undefined {
  return side === undefined ? undefined : { height: side, width: side };
}
