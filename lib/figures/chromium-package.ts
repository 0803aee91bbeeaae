import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { createReadStream, createWriteStream } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar";
import { fileError } from "../util/files.js";
import { clearLeftovers, ownMark } from "../util/own-temporary.js";

/** What the browser that comes as an npm package unpacks to. */
export interface UnpackedChromium {
  readonly program: string;
  /** Libraries that a machine without a desktop may lack (NSS). */
  readonly libraries: string;
  /** Open Sans, as TrueType files. */
  readonly fonts: string;
}

/**
 * Unpacks the browser and the fonts of npm's @sparticuz/chromium beside their archives, once: the folder gets its
 * name when it is whole. The package's own unpacking takes any file of the right name in the system's temporary
 * folder for the browser, a half-written one too.
 */
export async function unpackChromium(): Promise<UnpackedChromium> {
  const archives = join(packageFolder(), "bin");
  const folder = join(packageFolder(), "unpacked");
  if (!existsSync(folder)) {
    const temporary = `${folder}.${ownMark()}.tmp`;
    try {
      await clearLeftovers(packageFolder(), "unpacked.", ".tmp");
      await mkdir(temporary, { recursive: true });
      await Promise.all([
        unpackFile(join(archives, "chromium.br"), join(temporary, "chromium")),
        unpackFolder(join(archives, "al2023.tar.br"), temporary),
        unpackFolder(join(archives, "fonts.tar.br"), temporary),
      ]);
      await chmod(join(temporary, "chromium"), 0o755);
      await rename(temporary, folder);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      if (!existsSync(folder)) throw fileError(error, "write", folder); // else another process was faster
    }
  }
  return {
    program: join(folder, "chromium"),
    libraries: join(folder, "lib"),
    fonts: join(folder, "fonts", "Open_Sans"),
  };
}

const packageFolder = (): string =>
  dirname(dirname(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium")))));

async function unpackFile(archive: string, file: string): Promise<void> {
  await pipeline(createReadStream(archive), createBrotliDecompress(), createWriteStream(file));
}

async function unpackFolder(archive: string, folder: string): Promise<void> {
  await pipeline(createReadStream(archive), createBrotliDecompress(), extract({ cwd: folder }));
}
