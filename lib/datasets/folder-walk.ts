import type { BigIntStats } from "node:fs";
import { lstat, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";

/** A file, with what the file system says of it; or why it cannot be one. */
export interface WalkedFile {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly stats: BigIntStats;
  /** Where it is a link that leads to no file: what it is. */
  readonly broken?: string;
}

export interface WalkedFolder {
  readonly folders: readonly string[];
  readonly files: readonly WalkedFile[];
}

const MAX_DEPTH = 16;
/** What systems leave beside people's files: archives made on a Mac, Synology's and Windows' own folders. */
const LEFT_BEHIND = new Set([
  "__MACOSX",
  "@eaDir",
  "lost+found",
  "$RECYCLE.BIN",
  "System Volume Information",
]);

/** Whether a file or folder of this name belongs to a system or a tool and not to the data. */
export function isHiddenName(name: string): boolean {
  return name.startsWith(".") || LEFT_BEHIND.has(name);
}

/**
 * All files and folders below `root`, in order; hidden ones are left out, links are followed.
 *
 * A link to nothing, as git-annex, DVC and datalad leave them, and a link that leads back into a folder around it are
 * files with their trouble in `broken`: what it means is for the reader to say. Throws a UserError for a folder that
 * cannot be read.
 */
export async function walkFolder(root: string): Promise<WalkedFolder> {
  const folders: string[] = [];
  const files: WalkedFile[] = [];
  const walk = async (folder: string, around: readonly string[]): Promise<void> => {
    const at = join(root, folder);
    if (around.length > MAX_DEPTH) throw new UserError(`${at} lies too deep for an image folder`);
    const names = (await listed(at)).filter((name) => !isHiddenName(name)).sort();
    const found = await Promise.all(names.map((name) => followed(join(at, name))));
    for (const [i, name] of names.entries()) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const { stats, broken } = found[i] as Followed;
      if (broken !== undefined) files.push({ path, stats, broken });
      else if (stats.isDirectory()) {
        if (around.includes(identity(stats)))
          files.push({ path, stats, broken: "a link back to a folder around it" });
        else {
          folders.push(path);
          await walk(path, [...around, identity(stats)]);
        }
      } else if (stats.isFile()) files.push({ path, stats });
    }
  };
  await walk("", [identity((await followed(root)).stats)]);
  return { folders, files };
}

type Followed = Pick<WalkedFile, "stats" | "broken">;

async function followed(path: string): Promise<Followed> {
  try {
    return { stats: await stat(path, { bigint: true }) };
  } catch (error) {
    const own = await lstat(path, { bigint: true }).catch(() => undefined);
    if (own?.isSymbolicLink() !== true) throw fileError(error, "read", path);
    return { stats: own, broken: `a link to ${await readlink(path)}, where there is no file` };
  }
}

function listed(path: string): Promise<string[]> {
  return readdir(path).catch((error: unknown) => {
    throw fileError(error, "read", path);
  });
}

/** The same for a folder and every link to it. */
function identity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
