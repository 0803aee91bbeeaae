import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { describeBackend } from "../../nn/backend/kernel-level.js";
import { COMPARED_BATCH, type BenchmarkCase, TimedNetwork } from "./benchmark.js";
import { TimedAnswers } from "./few-images.js";

/**
 * Is the other program of a comparison (benchmark-peer.ts): says that it is ready, then answers each line of `commands`,
 * "train" or "eval", with the milliseconds that the case took, until "quit" or the end.
 */
export async function answerAsPeer(
  spec: BenchmarkCase,
  commands: Readable,
  write: (line: string) => void,
): Promise<void> {
  const answer = (values: Readonly<Record<string, unknown>>): void => {
    write(JSON.stringify(values));
  };
  const timed = spec.batch === COMPARED_BATCH ? new TimedNetwork(spec) : new TimedAnswers(spec);
  answer({ ready: true, case: spec.name, batch: spec.batch, backend: describeBackend() });
  try {
    for await (const line of createInterface({ input: commands })) {
      const command = line.trim();
      if (command === "quit") return;
      if (command === "eval") answer({ ms: timed instanceof TimedNetwork ? timed.evaluate() : timed.all() });
      else if (command === "train" && timed instanceof TimedNetwork) answer({ ms: timed.train() });
      else answer({ problem: `"${command}" is no command for ${spec.name}` });
    }
  } finally {
    timed.dispose();
  }
}
