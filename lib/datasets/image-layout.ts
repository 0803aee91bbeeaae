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
  readonly foreign: readonly SkippedFile[];
}

/** Names that folders of each split go by; the first one found counts. */
const SPLIT_NAMES: Readonly<Record<"train" | "test", readonly string[]>> = {
  train: ["train", "training"],
  test: ["test", "val", "valid", "validation"],
};
const ALL_SPLIT_NAMES = Object.values(SPLIT_NAMES).flat();
const IMAGE_NAME = /\.(jpe?g|png)$/i;

/**
 * Finds the split's class folders: `<split>/<class>/<file>`, or, for a tree without any split, `<class>/<file>`
 * where `bare` allows it. One folder around everything, as archives have it, does not matter.
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
  const top = withoutWrapper(tree);
  const folder = splitFolder(tree, top, split, options.bare ?? false);
  const below = (paths: readonly string[]) =>
    paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));

  const inClass: string[] = [];
  const foreign: SkippedFile[] = [];
  for (const path of below(tree.files)) {
    const reason = foreignReason(path);
    if (reason === undefined) inClass.push(path);
    else foreign.push({ file: folder + path, reason });
  }

  const found = [...new Set([...below(tree.folders), ...inClass].map(classOf))].sort();
  const classNames = options.classNames ?? found;
  const unknown = found.find((name) => !classNames.includes(name));
  if (unknown !== undefined)
    throw new UserError(
      `${tree.root}/${folder}: class folder ${JSON.stringify(unknown)} is none of the classes allowed: ${classNames.join(", ")}`,
    );
  const empty = found.find((name) => !inClass.some((path) => classOf(path) === name));
  if (empty !== undefined)
    throw new UserError(
      `${tree.root}/${folder}${empty}: the class folder holds no .jpg or .png image; fill or remove it`,
    );
  if (inClass.length === 0)
    throw new UserError(`${tree.root}/${folder} holds no class folders with .jpg or .png images`);

  const rank = new Map(classNames.map((name, index) => [name, index]));
  const labelled = inClass.map((path) => ({ path, label: rank.get(classOf(path)) ?? 0 }));
  return { ...orderedLayout(folder, classNames, labelled), foreign };
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
    foreign: [],
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

function foreignReason(path: string): string | undefined {
  if (!IMAGE_NAME.test(path)) return "not a .jpg, .jpeg or .png file";
  return path.includes("/") ? undefined : "not inside a class folder";
}

/** `""`, or the path with `/` of the single folders around all classes or splits. */
function withoutWrapper(tree: FileTree): string {
  let top = "";
  for (;;) {
    const inside = [...tree.folders, ...tree.files].filter(
      (path) => path.startsWith(top) && path !== top.slice(0, -1),
    );
    const names = new Set(inside.map((path) => classOf(path.slice(top.length))));
    const [only] = names;
    if (names.size !== 1 || only === undefined || ALL_SPLIT_NAMES.includes(only)) return top;
    const wraps = tree.files.every((path) => path.slice(top.length).split("/").length >= 3);
    if (!wraps) return top;
    top += `${only}/`;
  }
}

function splitFolder(tree: FileTree, top: string, split: "train" | "test", bare: boolean): string {
  const names = new Set(
    [...tree.folders.map((path) => `${path}/`), ...tree.files]
      .filter((path) => path.startsWith(top) && path.indexOf("/", top.length) > 0)
      .map((path) => classOf(path.slice(top.length))),
  );
  const found = SPLIT_NAMES[split].find((name) => names.has(name));
  if (found !== undefined) return `${top}${found}/`;
  const hasSplits = ALL_SPLIT_NAMES.some((name) => names.has(name));
  if (bare && !hasSplits) return top;
  const present = names.size === 0 ? "no folders" : [...names].sort().slice(0, 12).join(", ");
  throw new UserError(
    `${tree.root} has no ${split} split: expected a folder named ${SPLIT_NAMES[split].join(" or ")}, found ${present}`,
  );
}
