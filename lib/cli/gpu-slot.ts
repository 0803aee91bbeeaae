import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import { FolderInUse, lockFolder } from "../util/folder-lock.js";
import { exitWithParent } from "../util/parent-watch.js";

/** This file is loaded before TensorFlow, which looks at once for what GPUs it may see: it must not import that. */

/** The variable that names the GPUs of this machine which trainings share out among them, as in "0,1,2,3". */
const SHARED = "CASCADE_GPUS";
const VISIBLE = "CUDA_VISIBLE_DEVICES";
const POLL_MS = 500;

/** The GPUs that are shared out; none where the variable is not set. */
export function sharedGpus(environment: NodeJS.ProcessEnv = process.env): string[] {
  const gpus = (environment[SHARED] ?? "").split(",").map((gpu) => gpu.trim());
  if (gpus.length === 1 && gpus[0] === "") return [];
  const wrong = gpus.find((gpu, i) => !/^[\w-]+$/.test(gpu) || gpus.indexOf(gpu) !== i);
  if (wrong !== undefined)
    throw new UserError(
      `${SHARED} is "${environment[SHARED] ?? ""}": it names each GPU once, by number or UUID, as in ${SHARED}=0,1`,
    );
  return gpus;
}

/**
 * Sees to it that a process sees the GPU that is its own, where GPUs are shared out: a training leases one that no other
 * training of this user on this machine has, and waits for one; a sweep or replication, which starts trainings, sees none.
 * A lease ends with its process, however that ends.
 */
export async function useSharedGpu(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
  folder?: string,
): Promise<void> {
  const gpus = sharedGpus(environment);
  if (gpus.length === 0) return;
  const [command] = words;
  if (command === "sweep" || command === "replicate") environment[VISIBLE] = "";
  if (command !== "run") return;
  const parent = Number(words[words.indexOf("--parent") + 1]);
  const stopWatching = words.includes("--parent") && parent > 0 ? exitWithParent({ pid: parent }) : undefined;
  environment[VISIBLE] = await leasedGpu(folder ?? leasesOfUser(), gpus);
  stopWatching?.();
}

/** By the user's number: not all have a name, in containers above all. */
const leasesOfUser = (): string => join(tmpdir(), `cascade-gpus-${process.getuid?.() ?? ""}`);

async function leasedGpu(folder: string, gpus: readonly string[]): Promise<string> {
  for (let tries = 0; ; tries++) {
    for (const gpu of gpus) if (await isLeased(join(folder, gpu))) return gpu;
    if (tries === 0) process.stderr.write(`waiting for one of the GPUs ${gpus.join(", ")}\n`);
    await sleep(POLL_MS);
  }
}

/** Whether this process has got the lease, which is the lock of a folder; false where a living process has it. */
async function isLeased(folder: string): Promise<boolean> {
  try {
    mkdirSync(folder, { recursive: true });
    await lockFolder(folder);
    return true;
  } catch (error) {
    if (error instanceof FolderInUse) return false;
    throw fileError(error, "write", folder);
  }
}
