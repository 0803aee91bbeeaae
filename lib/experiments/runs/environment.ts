import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { usableMemory, usableProcessors } from "../../util/machine-share.mjs";

/** What a run's numbers may depend on besides its spec. */
export interface Environment {
  readonly node: string;
  /** Versions of the project and of the TensorFlow package; null for one that is not installed. */
  readonly project: string | null;
  readonly tensorflowPackage: string | null;
  /** Commit of the project, with "-dirty" if its code differs from it; null outside a repository. */
  readonly commit: string | null;
  /** As `processorName` has it. */
  readonly cpu: string;
  /** That the process may use, as of the memory. */
  readonly cores: number;
  readonly memoryGiB: number;
  /** That share one TensorFlow operation; the last bits of sums may depend on it. */
  readonly threads: number;
  readonly [extra: string]: unknown;
}

/** The environment of this process; `extra` adds what the caller knows, such as the backend. */
export function currentEnvironment(extra: Readonly<Record<string, unknown>> = {}): Environment {
  return {
    node: process.version,
    project: packageVersion("anytime-cascade"),
    tensorflowPackage: packageVersion("@tensorflow/tfjs-node-gpu"),
    commit: currentCommit(import.meta.dirname),
    cpu: processor(),
    cores: usableProcessors(),
    memoryGiB: Number((usableMemory() / 2 ** 30).toFixed(1)),
    threads: threads(),
    ...extra,
  };
}

function processor(): string {
  const name = cpus()[0]?.model ?? "unknown";
  try {
    return processorName(name, readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return processorName(name, "");
  }
}

/**
 * A processor by its name and, where the system's text about it has them, family and model: virtual machines call several
 * generations, of different speed, by one name.
 */
export function processorName(name: string, cpuinfo: string): string {
  const number = (field: string): string | undefined =>
    new RegExp(`^${field}\\s*: (\\d+)$`, "m").exec(cpuinfo)?.[1];
  const [family, model] = [number("cpu family"), number("model")];
  return family === undefined || model === undefined
    ? name.trim()
    : `${name.trim()} (family ${family}, model ${model})`;
}

function packageVersion(name: string): string | null {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const { version } = JSON.parse(readFileSync(path, "utf8")) as { version?: string };
    return version ?? null;
  } catch {
    return null;
  }
}

/** Data and notebooks do not count: the very results that are being written lie there. */
const CODE = [":/", ":(exclude,top)data", ":(exclude,top)notebooks"];

/** Commit of the repository that `folder` lies in, as an Environment has it. */
export function currentCommit(folder: string): string | null {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed = git("status", "--porcelain", "--", ...CODE) !== "";
    return `${git("rev-parse", "HEAD")}${changed ? "-dirty" : ""}`;
  } catch {
    return null;
  }
}

/** TensorFlow takes this variable where it is set, else lib/nn/tensorflow.ts sets it. */
const THREADS = "TF_NUM_INTRAOP_THREADS";

function threads(): number {
  return Number(process.env[THREADS] ?? usableProcessors());
}

/** What to add to a child's environment variables so that its TensorFlow computes with `threads` threads. */
export function threadLimit(threads: number): Readonly<Record<string, string>> {
  // Operations run one after the other here, so a second queue of them would only be in the way.
  return { [THREADS]: String(threads), TF_NUM_INTEROP_THREADS: "1" };
}
