import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from "node:fs";
import { UserError } from "./errors.js";
import { type Extent, fileError } from "./files.js";
import { parseJson } from "./json-text.js";

/** What a JSON Lines file holds. */
export interface JsonLines {
  readonly records: readonly unknown[];
  /** Bytes of the whole lines, all before what a kill cut short. */
  readonly wholeBytes: number;
  /** Bytes after the last whole line: a record that was being written at a kill or crash. */
  readonly tornBytes: number;
}

const NON_FINITE: ReadonlyMap<unknown, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

/** One record as one line; NaN and infinities, which JSON lacks, become the texts "NaN", "Infinity", "-Infinity". */
export function encodeJsonLine(record: unknown): string {
  const json = JSON.stringify(record, (_key, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
  return `${json}\n`;
}

function decodeJsonLine(line: string): unknown {
  return parseJson(line, (_key, value) => NON_FINITE.get(value) ?? value);
}

/**
 * The records of a JSON Lines file from its bytes. A last line that is cut short (no line end, or no JSON) is left out
 * and counted in `tornBytes`; any other damaged line is a UserError that names it.
 */
export function decodeJsonLines(bytes: Buffer, path: string): JsonLines {
  const records: unknown[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    try {
      records.push(decodeJsonLine(bytes.toString("utf8", start, end)));
    } catch {
      if (bytes.indexOf(0x0a, end + 1) < 0) break;
      throw new UserError(
        `${path} is damaged: line ${records.length + 1} is not JSON; restore the file or delete the run`,
      );
    }
    start = end + 1;
  }
  return { records, wholeBytes: start, tornBytes: bytes.length - start };
}

/** Bytes that hold at least one record of a training run, and many of them. */
const TAIL_BYTES = 64 * 1024;

/** The last whole record of a JSON Lines file, read from its end; undefined if there is none yet. */
export function lastJsonLine(path: string): unknown {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const lines = tail.toString("utf8").split("\n");
    // Of a file that is being written the last line may be cut short, and the first one here is cut in most cases.
    for (const line of lines.slice(0, -1).reverse()) {
      try {
        return decodeJsonLine(line);
      } catch {
        continue;
      }
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return Buffer.alloc(0);
    throw fileError(error, "read", path);
  }
}

/** A JSON Lines file open for appending. */
export interface JsonLinesWriter {
  /** Appends one record; when the disk is full nothing of it stays behind and a UserError says so. */
  append(record: unknown): void;
  /** Makes all that was appended survive a power cut; gives what the file holds then, if nobody else changed it. */
  sync(): Extent;
  close(): void;
}

/** Opens `path` for appending, cutting off a torn last line and reporting it to `warn`. */
export function openJsonLines(path: string, warn: (message: string) => void): JsonLinesWriter {
  const before = readOrEmpty(path);
  const { wholeBytes, tornBytes } = decodeJsonLines(before, path);
  const hash = createHash("sha256").update(before.subarray(0, wholeBytes));
  let length = wholeBytes;
  const writing = <Result>(action: () => Result): Result => {
    try {
      return action();
    } catch (error) {
      throw fileError(error, "write", path);
    }
  };
  const file = writing(() => openSync(path, "a"));
  if (tornBytes > 0) {
    writing(() => {
      ftruncateSync(file, wholeBytes);
    });
    warn(`${path} ended in a record of ${tornBytes} bytes that was never completed; it was cut off`);
  }
  return {
    append(record) {
      const line = Buffer.from(encodeJsonLine(record));
      writing(() => {
        appendWhole(file, line);
      });
      hash.update(line);
      length += line.length;
    },
    sync() {
      writing(() => {
        fsyncSync(file);
      });
      return { bytes: length, sha256: hash.copy().digest("hex") };
    },
    close() {
      closeSync(file);
    },
  };
}

/** A full disk may take a part of the bytes: that part is taken back, lest the next record be glued to it. */
function appendWhole(file: number, bytes: Buffer): void {
  const before = fstatSync(file).size;
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
  } catch (error) {
    ftruncateSync(file, before);
    throw error;
  }
}
