import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UserError } from "../util/errors.js";
import { fileError, isOfFiles } from "../util/files.js";
import { clearLeftLock, type FolderLock, lockOnceFree } from "../util/folder-lock.js";
import { BusyServer, request } from "./http-request.js";
import { type LoadOptions, reportTo } from "./progress.js";

const PROGRESS_BYTES = 2 ** 20;

/** How long to wait for what, in milliseconds, and how much to take. */
export interface DownloadLimits {
  /** Without a byte, until the connection counts as broken. */
  readonly stallMs: number;
  /** In all. */
  readonly totalMs: number;
  /** How often to ask again without having got a byte more. */
  readonly attempts: number;
  /** The first pause before that; each is twice the one before. */
  readonly pauseMs: number;
  /** The longest pause that a busy server may ask for. */
  readonly longestPauseMs: number;
  /** No data set that is downloaded is larger. */
  readonly bytes: number;
}

const LIMITS: DownloadLimits = {
  stallMs: 30_000,
  totalMs: 6 * 3_600_000,
  attempts: 4,
  pauseMs: 500,
  longestPauseMs: 120_000,
  bytes: 256 * 2 ** 20,
};

/**
 * Downloads `url` to `path`, unless it is there. What has arrived is kept in `<path>.part`: a broken download
 * goes on where it stopped. The file gets its name only once its MD5 is the published one. Of several
 * processes that want it at once one downloads it, and the others wait for that.
 *
 * Throws a UserError when the address cannot be reached, when it gives more than the limits allow, and when the
 * checksum is wrong.
 */
export async function download(
  url: string,
  path: string,
  md5: string,
  options: LoadOptions = {},
  limits: DownloadLimits = LIMITS,
): Promise<void> {
  // A folder is what can be locked; this one is the archive's alone.
  const folder = `${path}.lock`;
  try {
    if (await exists(path)) {
      // Of a process that was killed when all was there, but for the end of its lock.
      await clearLeftLock(folder);
      return;
    }
    const lock = await lockArchive(folder, path, options);
    try {
      // Another process may have got it while this one waited.
      if (!(await exists(path))) await fetchChecked(url, path, md5, options, limits);
    } finally {
      await lock.release();
    }
  } finally {
    await rmdir(folder).catch(() => undefined);
  }
}

async function lockArchive(folder: string, path: string, options: LoadOptions): Promise<FolderLock> {
  try {
    return await lockOnceFree(folder, () => {
      reportTo(options)(`another process downloads ${basename(path)}; waiting for it`);
    });
  } catch (error) {
    throw fileError(error, "write", folder);
  }
}

/** By one process alone. */
async function fetchChecked(
  url: string,
  path: string,
  md5: string,
  options: LoadOptions,
  limits: DownloadLimits,
): Promise<void> {
  const part = `${path}.part`;
  try {
    await fetchWhole(url, part, options, limits);
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

/** Asks again where the connection breaks or the server is busy, as long as that leads anywhere. */
async function fetchWhole(
  url: string,
  part: string,
  options: LoadOptions,
  limits: DownloadLimits,
): Promise<void> {
  const deadline = AbortSignal.timeout(limits.totalMs);
  let failures = 0;
  for (;;) {
    const before = await sizeOf(part);
    try {
      await fetchRest(url, part, options, limits, deadline);
      return;
    } catch (error) {
      if (error instanceof UserError || isOfFiles(error)) throw error;
      failures = (await sizeOf(part)) > before ? 1 : failures + 1;
      const reason = deadline.aborted
        ? `it took more than ${limits.totalMs / 3_600_000} hours`
        : reasonOf(error);
      if (failures === limits.attempts || deadline.aborted)
        throw new UserError(
          `cannot download ${url}: ${reason}; run it again to go on where it stopped, or give a local file`,
          { cause: error },
        );
      reportTo(options)(`download of ${basename(url)} broke off (${reason}); going on`);
      await wait(pauseOf(error, failures, limits));
    }
  }
}

function pauseOf(error: unknown, failures: number, { pauseMs, longestPauseMs }: DownloadLimits): number {
  const wanted = error instanceof BusyServer ? error.waitMs : undefined;
  return Math.min(wanted ?? pauseMs * 2 ** (failures - 1), longestPauseMs);
}

/** Appends to `part` what is still missing of `url`. */
async function fetchRest(
  url: string,
  part: string,
  { onProgress }: LoadOptions,
  { stallMs, bytes }: DownloadLimits,
  deadline: AbortSignal,
): Promise<void> {
  const stall = new AbortController();
  const stalled = (): void => {
    stall.abort(new Error(`nothing came for ${stallMs / 1000} seconds`));
  };
  let timer = setTimeout(stalled, stallMs);
  const signal = AbortSignal.any([stall.signal, deadline]);
  const have = await sizeOf(part);
  let file: FileHandle | undefined;
  try {
    const response = await request(url, have, signal);
    // The server has nothing beyond what is here: the file is whole, or its checksum will tell.
    if (response.status === 416 || response.body === null) return;
    const resumed = response.status === 206;
    if (resumed) assertResumes(response.headers.get("content-range"), have);
    let done = resumed ? have : 0;
    const total = Number(response.headers.get("content-length") ?? 0) + done;
    if (total > bytes) throw tooLarge(url, bytes);
    file = await open(part, resumed ? "a" : "w");
    let told = done;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
      done += chunk.length;
      if (done > bytes) throw tooLarge(url, bytes);
      await file.writeFile(chunk);
      if (done - told < PROGRESS_BYTES && done !== total) continue;
      told = done;
      onProgress?.({ stage: "download", done, total, unit: "bytes" });
    }
    await file.sync();
  } catch (error) {
    throw stall.signal.aborted ? stall.signal.reason : error;
  } finally {
    clearTimeout(timer);
    stall.abort();
    await file?.close();
  }
}

/** A server that goes on elsewhere than asked would leave a hole, or bytes twice. */
function assertResumes(range: string | null, have: number): void {
  if (Number(/^bytes (\d+)-/.exec(range ?? "")?.[1] ?? NaN) === have) return;
  throw new Error(`the server went on at ${JSON.stringify(range)} where byte ${have} was due`);
}

function tooLarge(url: string, bytes: number): UserError {
  return new UserError(
    `cannot download ${url}: it gives more than ${bytes / 2 ** 20} MiB, which is not the data set; give a local file`,
  );
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

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
