import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import { type LoadOptions, reportTo } from "./progress.js";

/** How often a broken connection is taken up again before giving up, and the first pause in milliseconds. */
const ATTEMPTS = 4;
const FIRST_PAUSE = 500;
const PROGRESS_BYTES = 2 ** 20;

/**
 * Downloads `url` to `path`, unless it is there. What has arrived is kept in `<path>.part`: a broken download
 * goes on where it stopped. The file gets its name only once its MD5 is the published one.
 *
 * Throws a UserError when the address cannot be reached or the checksum is wrong.
 */
export async function download(
  url: string,
  path: string,
  md5: string,
  options: LoadOptions = {},
): Promise<void> {
  if (await exists(path)) return;
  const part = `${path}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    for (let attempt = 1; ; attempt++) {
      try {
        await fetchRest(url, part, options);
        break;
      } catch (error) {
        if (error instanceof UserError || isDiskError(error)) throw error;
        if (attempt === ATTEMPTS)
          throw new UserError(
            `cannot download ${url}: ${reasonOf(error)}; run it again to go on where it stopped, or give a local file`,
            { cause: error },
          );
        reportTo(options)(`download of ${basename(path)} broke off (${reasonOf(error)}); going on`);
        await wait(FIRST_PAUSE * 2 ** (attempt - 1));
      }
    }
    const found = await md5OfFile(part);
    if (found !== md5) {
      await rm(part, { force: true });
      throw new UserError(
        `${url} arrived with MD5 ${found}, published is ${md5}; it was thrown away, try again`,
      );
    }
    await rename(part, path);
  } catch (error) {
    throw fileError(error, "write", part);
  }
}

/** Appends to `part` what is still missing of `url`. */
async function fetchRest(url: string, part: string, { onProgress }: LoadOptions): Promise<void> {
  const have = (await exists(part)) ? (await stat(part)).size : 0;
  const response = await fetch(url, have > 0 ? { headers: { Range: `bytes=${have}-` } } : {});
  // The server has nothing beyond what is here: the file is whole, or its checksum will tell.
  if (response.status === 416) return;
  if (!response.ok || response.body === null)
    throw new UserError(
      `cannot download ${url}: the server answers ${response.status} ${response.statusText}`,
    );
  const resumed = response.status === 206;
  const total = Number(response.headers.get("content-length") ?? 0) + (resumed ? have : 0);
  const file = await open(part, resumed ? "a" : "w");
  let done = resumed ? have : 0;
  let told = done;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      await file.writeFile(chunk);
      done += chunk.length;
      if (done - told < PROGRESS_BYTES && done !== total) continue;
      told = done;
      onProgress?.({ stage: "download", done, total, unit: "bytes" });
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** MD5 of a file's content, in lower-case hexadecimal: the checksum that old data sets are published with. */
export async function md5OfFile(path: string): Promise<string> {
  const hash = createHash("md5");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw fileError(error, "read", path);
  }
  return hash.digest("hex");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isDiskError(error: unknown): boolean {
  return fileError(error, "write", "") instanceof UserError;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
