import { existsSync } from "node:fs";
import { CIFAR_FORMATS } from "./cifar.js";
import type { ImageSize } from "../util/image-size.js";
import { decodeImage } from "./decode.js";
import { fileTree, type FileTree } from "./file-tree.js";
import { layoutOfSplit, type SplitLayout } from "./image-layout.js";
import type { ResolvedDatasetSource } from "./source.js";
import { tinyImageNetLayouts } from "./tiny-imagenet-layout.js";

/** What a data set will be, told without decoding it: enough to foretell what training on it costs. */
export interface SourceShape {
  readonly train: number;
  readonly test: number;
  readonly classes: number;
  /** Height of the images in pixels. */
  readonly side: number;
}

const TINY_IMAGENET_SHAPE: SourceShape = { train: 100000, test: 10000, classes: 200, side: 64 };

/** Numbers of images and classes and the size of a source's images, for CIFAR those published; a UserError where it cannot be read. */
export async function sourceShape(source: ResolvedDatasetSource): Promise<SourceShape> {
  switch (source.kind) {
    case "procedural": {
      const { train, test, classes, size } = source;
      return { train, test, classes, side: size };
    }
    case "cifar10":
    case "cifar100":
      return cifarShape(source.kind, source.kind === "cifar100" && source.labels === "coarse");
    case "tinyimagenet": {
      // As for CIFAR, a plan can be made before the data are there.
      if (!existsSync(source.path)) return TINY_IMAGENET_SHAPE;
      const tree = await fileTree(source.path);
      return layoutsShape(tree, await tinyImageNetLayouts(tree), undefined);
    }
    case "folder": {
      const tree = await fileTree(source.path);
      const train = layoutOfSplit(tree, "train");
      const test = layoutOfSplit(tree, "test", { classNames: train.classNames });
      return layoutsShape(tree, { train, test }, source.size);
    }
  }
}

function cifarShape(kind: "cifar10" | "cifar100", coarse: boolean): SourceShape {
  const { files, labelClasses } = CIFAR_FORMATS[kind];
  const count = (split: "train" | "test"): number =>
    files.reduce((sum, file) => sum + (file.split === split ? file.records : 0), 0);
  const classes = (coarse ? labelClasses[0] : labelClasses.at(-1))?.length ?? 0;
  return { train: count("train"), test: count("test"), classes, side: 32 };
}

async function layoutsShape(
  tree: FileTree,
  { train, test }: Readonly<Record<"train" | "test", SplitLayout>>,
  size: number | undefined,
): Promise<SourceShape> {
  return {
    train: train.files.length,
    test: test.files.length,
    classes: train.classNames.length,
    side: size ?? (await firstImageSize(tree, train.files)).height,
  };
}

async function firstImageSize(tree: FileTree, files: readonly string[]): Promise<ImageSize> {
  for await (const file of tree.contents(new Set(files.slice(0, 1)))) return (await decodeImage(file)).size;
  return { height: 0, width: 0 };
}
