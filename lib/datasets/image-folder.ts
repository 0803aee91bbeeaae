import { UserError } from "../util/errors.js";
import { decodeImages, type DecodeOptions, type EncodedImage } from "./decode.js";
import type { ImageSet, SkippedFile } from "./dataset.js";
import type { ImageSize } from "../util/image-size.js";
import type { FileTree } from "./file-tree.js";
import type { SplitLayout } from "./image-layout.js";
import type { OnProgress } from "./progress.js";

/** Splits of a data set, decoded, with what was left out, by its path below the data's root. */
export interface DecodedSplits<Name extends string = string> {
  readonly splits: Readonly<Record<Name, ImageSet>>;
  readonly skipped: readonly SkippedFile[];
}

/**
 * Decodes the given splits of an image folder or an archive of one; all images get one size.
 *
 * Throws a UserError that names the file which is broken (`onBroken: "fail"`) or has another size.
 */
export async function decodeSplits<Name extends string>(
  tree: FileTree,
  layouts: Readonly<Record<Name, SplitLayout>>,
  options: DecodeOptions,
): Promise<DecodedSplits<Name>> {
  const skipped: SkippedFile[] = [];
  const splits: Partial<Record<Name, ImageSet>> = {};
  let size: ImageSize | undefined = options.size;
  for (const [name, layout] of Object.entries(layouts) as [Name, SplitLayout][]) {
    const decoded = await decodeImages(encodedImages(tree, layout), layout.files.length, {
      ...options,
      ...(options.onProgress === undefined ? {} : { onProgress: named(name, options.onProgress) }),
      size: options.size,
    });
    size ??= decoded.size;
    if (decoded.size.height !== size.height || decoded.size.width !== size.width)
      throw new UserError(
        `${tree.root}: the images of split ${name} have ${decoded.size.height} x ${decoded.size.width} pixels, those ` +
          `before ${size.height} x ${size.width}; give a size that all are resized to`,
      );
    const set = imageSet(layout, decoded.images, decoded.indices, size);
    requireEveryClass(tree, name, layout, set);
    splits[name] = set;
    const below = decoded.skipped.map(({ file, reason }) => ({
      file: file.slice(tree.root.length + 1),
      reason,
    }));
    skipped.push(...layout.skipped, ...below);
  }
  return { splits: splits as Record<Name, ImageSet>, skipped };
}

async function* encodedImages(tree: FileTree, layout: SplitLayout): AsyncGenerator<EncodedImage> {
  const index = new Map(layout.files.map((file, i) => [file, i]));
  for await (const { path, read } of tree.contents(new Set(layout.files)))
    yield { index: index.get(path) ?? 0, file: `${tree.root}/${path}`, read };
}

function imageSet(layout: SplitLayout, images: Uint8Array, kept: Int32Array, size: ImageSize): ImageSet {
  return {
    images,
    labels: kept.map((i) => layout.labels[i] ?? 0),
    ids: kept.map((i) => layout.ids[i] ?? 0),
    size,
    classNames: layout.classNames,
    paths: Array.from(kept, (i) => layout.paths[i] ?? ""),
  };
}

function requireEveryClass(tree: FileTree, split: string, layout: SplitLayout, set: ImageSet): void {
  const left = new Set(set.labels);
  const lost = layout.labels.find((label) => !left.has(label));
  if (lost !== undefined)
    throw new UserError(
      `${tree.root}: every image of class ${layout.classNames[lost] ?? lost} in split ${split} is broken`,
    );
}

function named(split: string, onProgress: OnProgress): OnProgress {
  return (progress) => {
    onProgress({ ...progress, stage: `${progress.stage} ${split}` });
  };
}
