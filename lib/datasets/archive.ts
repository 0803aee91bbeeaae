import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import type { ArchiveFile } from "./archive-file.js";
import { archiveKind } from "./archive-kind.js";
import { isHiddenName } from "./folder-walk.js";
import { tarFiles } from "./tar-archive.js";
import { zipFiles } from "./zip-archive.js";

/**
 * The files and folders of a zip archive or of a tar archive, compressed in any common way, in the archive's own
 * order, without writing anything to disk; hidden ones are left out. What it is tells its content, not its name.
 *
 * Throws a UserError for a file that is no archive, is truncated or damaged, expands as only a bomb does, or holds an
 * absolute path, a `..`, a link, a device, or a wanted file too large.
 */
export async function* archiveFiles(
  path: string,
  wanted: (file: string) => boolean,
): AsyncGenerator<ArchiveFile, void, undefined> {
  const kind = await archiveKind(path);
  const files = kind === "zip" ? zipFiles(path, wanted) : tarFiles(path, kind, wanted);
  try {
    for await (const file of files)
      if (file.path !== "" && !file.path.split("/").some(isHiddenName)) yield file;
  } catch (error) {
    const known = fileError(error, "read", path);
    if (known instanceof UserError) throw known;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`${path} is not a whole .${kind} archive (${reason}); get it again`, {
      cause: error,
    });
  }
}
