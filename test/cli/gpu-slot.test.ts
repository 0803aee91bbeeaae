import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { sharedGpus, useSharedGpu } from "../../lib/cli/gpu-slot.js";
import { NAMELESS, noNameless } from "../nameless-user.js";
import { temporaryFolder } from "../temporary-folder.js";
import { userError } from "../user-error.js";

const MODULE = join(import.meta.dirname, "../../lib/cli/gpu-slot.ts");

interface Worker {
  readonly process: ChildProcess;
  /** The GPU that it sees, once it has one. */
  readonly gpu: Promise<string>;
}

/** A worker of pretended GPUs: it leases one, says which, and lives until it is ended. */
function startWorker(context: TestContext, folder: string, gpus: string): Worker {
  const script = `
    import { useSharedGpu } from ${JSON.stringify(MODULE)};
    await useSharedGpu(["run", "spec.json", "--parent", "${process.pid}"], process.env, ${JSON.stringify(folder)});
    console.log(process.env.CUDA_VISIBLE_DEVICES);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    env: { ...process.env, CASCADE_GPUS: gpus },
    stdio: ["ignore", "pipe", "ignore"],
  });
  context.after(() => child.kill("SIGKILL"));
  const gpu = once(createInterface(child.stdout), "line").then(([line]) => String(line));
  return { process: child, gpu };
}

test("each worker has a GPU of its own; a killed worker's goes to the one that waits", async (context) => {
  const folder = await temporaryFolder(context);
  const workers = Array.from({ length: 4 }, () => startWorker(context, folder, "0,1,GPU-7f"));
  const asked = workers.map(({ gpu }, i) => gpu.then((got) => ({ i, got })));
  // Three of the four get one; whichever is left has to wait.
  const first = new Map<number, string>();
  while (first.size < 3) {
    const { i, got } = await Promise.race(asked.filter((_, at) => !first.has(at)));
    first.set(i, got);
  }
  assert.deepEqual([...first.values()].sort(), ["0", "1", "GPU-7f"]);
  const [victim, freed] = [...first][1] as [number, string];
  workers[victim]?.process.kill("SIGKILL");
  const waiting = workers.findIndex((_, i) => !first.has(i));
  assert.equal((await asked[waiting])?.got, freed);
});

test("whoever starts trainings sees no GPU, other commands see what they saw; a list that makes no sense is refused", async () => {
  const seen = async (command: string, gpus?: string): Promise<string | undefined> => {
    const environment = { CUDA_VISIBLE_DEVICES: "5", ...(gpus !== undefined && { CASCADE_GPUS: gpus }) };
    await useSharedGpu([command], environment);
    return environment.CUDA_VISIBLE_DEVICES;
  };
  assert.deepEqual(
    await Promise.all([seen("sweep", "0,1"), seen("replicate", "0"), seen("bench", "0,1"), seen("run")]),
    ["", "", "5", "5"],
  );
  assert.deepEqual(sharedGpus({ CASCADE_GPUS: " 0, MIG-a1 " }), ["0", "MIG-a1"]);
  for (const gpus of ["0,0", "0,,1", "../x", "0;1"])
    assert.throws(
      () => sharedGpus({ CASCADE_GPUS: gpus }),
      userError(/CASCADE_GPUS is .* names each GPU once/),
    );
});

test(
  "a user without a name, as containers have them, leases GPUs too",
  { skip: noNameless },
  async (context) => {
    const folder = await temporaryFolder(context);
    await chmod(folder, 0o777);
    const script = `
      import { useSharedGpu } from ${JSON.stringify(MODULE)};
      await useSharedGpu(["run"]);
      console.log(process.env.CUDA_VISIBLE_DEVICES);`;
    const lease = async (gpus: string): Promise<string> => {
      const env = { ...process.env, TMPDIR: folder, CASCADE_GPUS: gpus, CUDA_VISIBLE_DEVICES: "5" };
      const argv = ["--import", "tsx", "--input-type=module", "-e", script];
      return (await promisify(execFile)(process.execPath, argv, { env, uid: NAMELESS })).stdout;
    };
    assert.deepEqual([await lease(""), await lease("3")], ["5\n", "3\n"]);
  },
);
