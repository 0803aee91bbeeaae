import { UserError } from "../util/errors.js";
import type { SkippedFile } from "./dataset.js";
import type { FileTree } from "./file-tree.js";

/** The image files of one split, in order of class and path, before any is opened. */
export interface SplitLayout {
  readonly classNames: readonly string[];
  /** `[N]` paths in the tree. */
  readonly files: readonly string[];
  /** `[N]` paths relative to the split's folder: `<class>/.../<file>`. */
  readonly paths: readonly string[];
  /** `[N]` positions in `classNames`. */
  readonly labels: Int32Array;
  /** `[N]` original index, see ImageSet. */
  readonly ids: Int32Array;
  /** What lies in the split's folder and is no image in a class folder. */
  readonly skipped: readonly SkippedFile[];
}

/** Names that folders of each split go by, in any case; the first one found counts. */
const SPLIT_NAMES: Readonly<Record<"train" | "test", readonly string[]>> = {
  train: ["train", "training"],
  test: ["test", "testing", "val", "valid", "validation"],
};
export const IMAGE_NAME = /\.(jpe?g|png)$/i;
export const NO_IMAGE = "not a .jpg, .jpeg or .png file";

/**
 * Finds the split's class folders: `<split>/<class>/<file>`, or, for a tree without any split, `<class>/<file>`
 * where `bare` allows it. Folders around everything, as archives have them, do not matter, nor what else lies there.
 *
 * `classNames`: the classes allowed, in their order; by default those found, in alphabetical order.
 * Throws a UserError for a missing split, a class that is not allowed and a class without images.
 */
export function layoutOfSplit(
  tree: FileTree,
  split: "train" | "test",
  options: { readonly classNames?: readonly string[]; readonly bare?: boolean } = {},
): SplitLayout {
  if (tree.files.length === 0) throw new UserError(`${tree.root} is empty: no files in it`);
  const folder = splitFolder(tree, split, options);
  const below = (paths: readonly string[]) =>
    paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));

  const inClass: string[] = [];
  const skipped: SkippedFile[] = [];
  for (const path of below(tree.files)) {
    const reason = skippedReason(path);
    if (reason === undefined) inClass.push(path);
    else skipped.push({ file: folder + path, reason });
  }

  const filled = [...new Set(inClass.map(classOf))].sort();
  const found = [...new Set([...below(tree.folders).map(classOf), ...filled])].sort();
  const classNames = options.classNames ?? found;
  const rank = new Map(classNames.map((name, index) => [name, index]));
  const unknown = filled.find((name) => !rank.has(name));
  if (unknown !== undefined)
    throw new UserError(
      `${tree.root}/${folder}: class folder ${JSON.stringify(unknown)} is none of the classes allowed: ${shortList(classNames)}`,
    );
  const isFilled = new Set(filled);
  const empty = found.find((name) => rank.has(name) && !isFilled.has(name));
  if (empty !== undefined)
    throw new UserError(
      `${tree.root}/${folder}${empty}: the class folder holds no .jpg or .png image; fill or remove it`,
    );
  if (inClass.length === 0)
    throw new UserError(`${tree.root}/${folder} holds no class folders with .jpg or .png images`);

  const labelled = inClass.map((path) => ({ path, label: rank.get(classOf(path)) ?? 0 }));
  return { ...orderedLayout(folder, classNames, labelled), skipped };
}

/** The images `labelled` of the split's `folder`, paths relative to it, in order of label and path. */
export function orderedLayout(
  folder: string,
  classNames: readonly string[],
  labelled: readonly { readonly path: string; readonly label: number }[],
): SplitLayout {
  const ordered = [...labelled].sort((a, b) => a.label - b.label || (a.path < b.path ? -1 : 1));
  const paths = ordered.map(({ path }) => path);
  return {
    classNames,
    files: paths.map((path) => folder + path),
    paths,
    labels: Int32Array.from(ordered, ({ label }) => label),
    ids: idsOf(paths),
    skipped: [],
  };
}

/** The number that is the file's whole name before its ending, if it is one. */
export function numberOfFile(path: string): number | undefined {
  const digits = /(?:^|\/)(\d{1,9})\.[^./]+$/.exec(path)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function idsOf(paths: readonly string[]): Int32Array {
  const numbers = paths.map(numberOfFile);
  const areIds = !numbers.includes(undefined) && new Set(numbers).size === numbers.length;
  return Int32Array.from(numbers, (number, i) => (areIds && number !== undefined ? number : i));
}

function classOf(path: string): string {
  return path.split("/", 1)[0] ?? "";
}

function skippedReason(path: string): string | undefined {
  if (!IMAGE_NAME.test(path)) return NO_IMAGE;
  return path.includes("/") ? undefined : "not inside a class folder";
}

/** The split's folder with `/`; `""` or the path of a folder around the classes where there are no splits. */
function splitFolder(
  tree: FileTree,
  split: "train" | "test",
  { classNames, bare = false }: { readonly classNames?: readonly string[]; readonly bare?: boolean },
): string {
  const images = tree.files.filter((path) => IMAGE_NAME.test(path));
  const allowed = classNames && new Set(classNames);
  const classesIn = (folder: string): ReadonlySet<string> =>
    new Set(
      images
        .filter((path) => path.startsWith(folder) && path.includes("/", folder.length))
        .map((path) => classOf(path.slice(folder.length))),
    );
  if (bare) {
    // Before any split is looked for: "train" is also a class of CIFAR-100.
    const top = folderAround(images);
    const names = [...classesIn(top)];
    if (names.length > 0 && names.every((name) => allowed?.has(name))) return top;
  }
  const top = folderOfSplits(tree.root, images);
  if (top === undefined && bare) return folderAround(images);
  const around = top ?? folderAround(images);
  const names = new Set(
    [...tree.folders.map((path) => `${path}/`), ...tree.files]
      .filter((path) => path.startsWith(around) && path.includes("/", around.length))
      .map((path) => classOf(path.slice(around.length))),
  );
  const candidates = SPLIT_NAMES[split].flatMap((name) =>
    [...names].filter((present) => present.toLowerCase() === name).map((present) => `${around}${present}/`),
  );
  // A "test" without labels, its images in no folder or in one called "images", leaves the word to "val".
  const isLabelled = (folder: string): boolean =>
    [...classesIn(folder)].some((name) => allowed?.has(name) ?? true);
  const found = candidates.find(isLabelled) ?? candidates[0];
  if (found !== undefined) return found;
  const present = names.size === 0 ? "no folders" : shortList([...names].sort());
  throw new UserError(
    `${tree.root} has no ${split} split: expected a folder named ${SPLIT_NAMES[split].join(" or ")}, found ${present}`,
  );
}

const LONGEST_LIST = 12;

function shortList(names: readonly string[]): string {
  const left = names.length - LONGEST_LIST;
  return `${names.slice(0, LONGEST_LIST).join(", ")}${left > 0 ? ` and ${left} more` : ""}`;
}

/**
 * `""` or the path, with `/`, of the outermost folder with folders named as splits in which there are images;
 * undefined where there is none. A UserError where several hold both splits, and so are data sets of their own.
 */
function folderOfSplits(root: string, images: readonly string[]): string | undefined {
  const splitsIn = new Map<string, Set<string>>();
  for (const path of images) {
    const folders = path.split("/").slice(0, -1);
    for (const [depth, name] of folders.entries()) {
      const split = splitNamed(name);
      if (split === undefined) continue;
      const parent = folders.slice(0, depth).join("/");
      splitsIn.set(parent, (splitsIn.get(parent) ?? new Set()).add(split));
      break;
    }
  }
  const whole = [...splitsIn].filter(([, splits]) => splits.size === 2).map(([parent]) => parent);
  const [first, second] = (whole.length > 0 ? whole : [...splitsIn.keys()]).sort(
    (a, b) => depthOf(a) - depthOf(b),
  );
  if (first !== undefined && second !== undefined && depthOf(first) === depthOf(second))
    throw new UserError(
      `${root} holds several folders with splits of their own, such as ${first} and ${second}; give one of them`,
    );
  return first === undefined || first === "" ? first : `${first}/`;
}

function splitNamed(name: string): string | undefined {
  return Object.entries(SPLIT_NAMES).find(([, names]) => names.includes(name.toLowerCase()))?.[0];
}

function depthOf(folder: string): number {
  return folder === "" ? 0 : folder.split("/").length;
}

/** `""`, or the path with `/` of the single folders around all class folders. */
function folderAround(images: readonly string[]): string {
  let top = "";
  for (;;) {
    const inside = images.map((path) => path.slice(top.length).split("/"));
    const names = new Set(inside.map(([name]) => name));
    const [only] = names;
    if (names.size !== 1 || only === undefined || inside.some((parts) => parts.length < 3)) return top;
    top += `${only}/`;
  }
}
