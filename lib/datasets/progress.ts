import { warnOnStandardError } from "../util/warn.js";
import { join } from "node:path";

/** How far a long step has come. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  readonly unit: "images" | "bytes" | "files";
}

export type OnProgress = (progress: Progress) => void;

export const DEFAULT_CACHE = join("data", "cache");

/** Where decoded data is kept, and who is told what happens meanwhile. */
export interface LoadOptions {
  /** Folder of the decoded images; `false` decodes anew and keeps nothing. Default `data/cache`. */
  readonly cacheFolder?: string | false;
  /** Folder of downloaded archives. Default `data/downloads`. */
  readonly downloadFolder?: string;
  readonly onProgress?: OnProgress;
  /** Receives one line about each thing worth knowing; default: standard error. */
  readonly onReport?: (line: string) => void;
}

/** The report of `options`, or standard error. */
export function reportTo(options: LoadOptions): (line: string) => void {
  return options.onReport ?? warnOnStandardError;
}
