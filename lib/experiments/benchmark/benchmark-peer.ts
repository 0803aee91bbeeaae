import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UserError } from "../../util/errors.js";

const answerSchema = z.looseObject({ ms: z.number().optional(), ready: z.boolean().optional() });

/**
 * Another program to be timed against, started once: it takes a command a line on standard input ("train", "eval",
 * "quit") and answers each with one line of JSON that holds the milliseconds it took.
 */
export class BenchmarkPeer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #closed: Promise<unknown>;
  #complaints = "";

  private constructor(readonly command: string) {
    // `exec` keeps the peer's own process, whose memory is read, in the place of the shell's.
    this.#child = spawn("bash", ["-c", command.replace(/^((?:\w+=\S+ )*)/, "$1exec ")]);
    this.#closed = once(this.#child, "close").catch((error: unknown) => {
      this.#complaints += String(error);
    });
    // It ended and reads no more: that is told where its answer is waited for.
    this.#child.stdin.on("error", () => undefined);
    this.#child.stderr.on("data", (chunk: Buffer) => (this.#complaints += chunk.toString()));
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Starts the peer and waits until it says that it is ready; a UserError if it does not. */
  static async start(
    command: string,
  ): Promise<{ peer: BenchmarkPeer; greeting: Readonly<Record<string, unknown>> }> {
    const peer = new BenchmarkPeer(command);
    return { peer, greeting: await peer.#answer() };
  }

  /** Milliseconds that the peer took for a command. */
  async time(what: "train" | "eval"): Promise<number> {
    this.#child.stdin.write(`${what}\n`);
    const { ms } = await this.#answer();
    if (ms === undefined) throw new UserError(`the peer did not say how long "${what}" took`);
    return ms;
  }

  /** Largest resident memory of the peer so far, in bytes; undefined where the system does not tell. */
  peakMemory(): number | undefined {
    try {
      const status = readFileSync(`/proc/${String(this.#child.pid)}/status`, "utf8");
      const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
      return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
    } catch {
      return undefined;
    }
  }

  stop(): void {
    this.#child.stdin.end("quit\n");
    this.#reader.close();
  }

  async #answer(): Promise<z.output<typeof answerSchema>> {
    for (;;) {
      const line = await this.#lines.next();
      if (line.done === true) {
        // What it said on standard error may still be on its way.
        await Promise.race([this.#closed, sleep(1000)]);
        throw new UserError(
          `the peer "${this.command}" ended: ${this.#complaints.trim().split("\n").at(-1) ?? ""}`,
        );
      }
      if (line.value.trim() === "") continue;
      try {
        return answerSchema.parse(JSON.parse(line.value));
      } catch {
        throw new UserError(`the peer answered "${line.value}", which is no JSON line as agreed`);
      }
    }
  }
}
