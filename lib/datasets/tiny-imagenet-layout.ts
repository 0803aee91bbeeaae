import { UserError } from "../util/errors.js";
import type { FileTree } from "./file-tree.js";
import { IMAGE_NAME, NO_IMAGE, orderedLayout, type SplitLayout } from "./image-layout.js";

/** The file that only TinyImageNet has: one WordNet id a line, in the order of the labels. */
export const CLASS_LIST = "wnids.txt";
export const TINY_IMAGENET_URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip";

const CLASS_NAMES = "words.txt";
const ANNOTATIONS = "val/val_annotations.txt";

/**
 * The two splits of TinyImageNet (200 classes, 64 x 64 pixels) as it is published: `train/<wnid>/images/*.JPEG`, and
 * `val/images/*.JPEG` with their classes in `val/val_annotations.txt`, which serve as the test split; the published
 * `test/` has no labels and is left alone. `val` may also be sorted into folders of classes, as `train` is, and the
 * folders `images` left out. Label k is line k of `wnids.txt`; `words.txt` gives the names.
 *
 * Throws a UserError for a list that is missing or damaged, and for images and annotations that do not match.
 */
export async function tinyImageNetLayouts(tree: FileTree): Promise<Record<"train" | "test", SplitLayout>> {
  const top = topOf(tree);
  const lists = await textsOf(tree, top);
  const ids = linesOf(lists.get(CLASS_LIST) ?? "").map(([id = ""]) => id);
  const labelOf = new Map(ids.map((id, label) => [id, label]));
  if (ids.length < 2 || labelOf.size < ids.length)
    throw new UserError(`${tree.root}: ${CLASS_LIST} must name at least two classes, each once`);
  const classNames = namesOf(ids, lists.get(CLASS_NAMES));
  return {
    train: sortedLayout(tree, `${top}train/`, labelOf, classNames),
    test: tree.files.some((file) => file.startsWith(`${top}val/images/`) && IMAGE_NAME.test(file))
      ? validationLayout(tree, `${top}val/`, lists.get(ANNOTATIONS), labelOf, classNames)
      : sortedLayout(tree, `${top}val/`, labelOf, classNames),
  };
}

/** `""`, or the folders around everything with `/`. */
function topOf(tree: FileTree): string {
  const [list] = tree.files
    .filter((path) => path === CLASS_LIST || path.endsWith(`/${CLASS_LIST}`))
    .sort((a, b) => a.length - b.length);
  if (list === undefined)
    throw new UserError(
      `${tree.root} holds no ${CLASS_LIST}, so it is no TinyImageNet; give its archive, or unpack ${TINY_IMAGENET_URL} and give its folder tiny-imagenet-200`,
    );
  return list.slice(0, -CLASS_LIST.length);
}

/** The lists that there are, by name. */
async function textsOf(tree: FileTree, top: string): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set([CLASS_LIST, CLASS_NAMES, ANNOTATIONS].map((name) => top + name));
  const texts = new Map<string, string>();
  for await (const { path, read } of tree.contents(wanted))
    texts.set(path.slice(top.length), (await read()).toString("utf8"));
  return texts;
}

/** The fields of each line that is not empty. */
function linesOf(text: string): string[][] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map((line) => line.split("\t").map((field) => field.trim()));
}

/** The first word for each class; its id where there is none or where two classes share it. */
function namesOf(ids: readonly string[], words = ""): string[] {
  const firstWord = new Map(
    linesOf(words).map(([id = "", names = ""]) => [id, names.split(",", 1)[0] ?? ""]),
  );
  const names = ids.map((id) => firstWord.get(id) ?? "");
  return ids.map((id, k) => {
    const name = names[k] ?? "";
    return name === "" || names.indexOf(name) !== names.lastIndexOf(name) ? id : name;
  });
}

type Labels = ReadonlyMap<string, number>;

/** Images in a folder for each class. */
function sortedLayout(
  tree: FileTree,
  folder: string,
  labelOf: Labels,
  classNames: readonly string[],
): SplitLayout {
  const labelled: { path: string; label: number }[] = [];
  for (const file of tree.files) {
    const path = file.slice(folder.length);
    const [, id = ""] = /^([^/]+)\/(?:images\/)?[^/]+$/.exec(path) ?? [];
    if (!file.startsWith(folder) || id === "" || !IMAGE_NAME.test(path)) continue;
    const label = labelOf.get(id);
    if (label === undefined)
      throw new UserError(`${tree.root}: ${folder}${id} is no class that ${CLASS_LIST} names`);
    labelled.push({ path, label });
  }
  const filled = new Set(labelled.map(({ label }) => label));
  for (const [id, label] of labelOf)
    if (!filled.has(label))
      throw new UserError(
        `${tree.root}: ${folder}${id}/images holds no .JPEG image of a class that ${CLASS_LIST} names`,
      );
  return orderedLayout(folder, classNames, labelled);
}

function validationLayout(
  tree: FileTree,
  folder: string,
  annotations: string | undefined,
  labelOf: Labels,
  classNames: readonly string[],
): SplitLayout {
  if (annotations === undefined)
    throw new UserError(
      `${tree.root}: ${ANNOTATIONS} is missing, and with it the classes of the images in val`,
    );
  const where = `${tree.root}: ${ANNOTATIONS}`;
  const inside = tree.files.filter((file) => file.startsWith(`${folder}images/`));
  const images = new Set(
    inside.filter((file) => IMAGE_NAME.test(file)).map((file) => file.slice(folder.length)),
  );
  const labels = new Map<string, number>();
  for (const [line, [name = "", id = ""]] of linesOf(annotations).entries()) {
    const path = `images/${name}`;
    const label = labelOf.get(id);
    if (label === undefined)
      throw new UserError(`${where}: entry ${line + 1} has class "${id}", which ${CLASS_LIST} does not name`);
    if (!images.has(path))
      throw new UserError(`${where}: entry ${line + 1} names ${name}, which is not in val/images`);
    if (labels.has(path)) throw new UserError(`${where}: entry ${line + 1} names ${name} a second time`);
    labels.set(path, label);
  }
  const without = [...images].find((path) => !labels.has(path));
  if (without !== undefined) throw new UserError(`${where} has no entry for val/${without}`);
  const labelled = Array.from(labels, ([path, label]) => ({ path, label }));
  const skipped = inside.filter((file) => !IMAGE_NAME.test(file));
  return {
    ...orderedLayout(folder, classNames, labelled),
    skipped: skipped.map((file) => ({ file, reason: NO_IMAGE })),
  };
}
