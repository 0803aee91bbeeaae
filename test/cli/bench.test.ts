import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { z } from "zod";
import { BenchmarkPeer } from "../../lib/experiments/benchmark/benchmark-peer.js";
import { inProject } from "../../lib/setup/project.mjs";
import { userError } from "../user-error.js";

const run = promisify(execFile);
const CASCADE = inProject("lib", "cli", "cascade.mjs");
const bench = async (args: readonly string[]): Promise<string> =>
  (await run(process.execPath, [CASCADE, "bench", ...args])).stdout;

const spread = z.object({
  median: z.number().positive(),
  min: z.number().positive(),
  max: z.number().positive(),
});
const resultSchema = z.object({
  comparisons: z.array(
    z.object({
      case: z.string(),
      greeting: z.object({ ready: z.literal(true), case: z.string(), batch: z.number() }),
      comparisons: z.array(z.object({ what: z.string(), own: spread, peer: spread, ratio: spread })),
      peerPeakMemory: z.number().min(2 ** 20),
    }),
  ),
  measurements: z.array(z.object({ case: z.string(), what: z.string(), milliseconds: spread })),
});

test("cascade bench times itself against another program, which cascade bench may be, in turn", async () => {
  const name = "quarter, serial";
  const peer = `${process.execPath} ${CASCADE} bench --answer '${name}'`;
  const stdout = await bench(["--only", name, "--rounds", "1", "--peer", peer, "--json"]);
  const { comparisons, measurements } = resultSchema.parse(JSON.parse(stdout));
  const [compared] = comparisons;
  assert.equal(comparisons.length, 1);
  assert.equal(compared?.case, name);
  assert.deepEqual(compared.greeting, { ready: true, case: name, batch: 128 });
  assert.deepEqual(
    compared.comparisons.map(({ what }) => what),
    ["training step", "evaluation"],
  );
  for (const { own, peer: other, ratio } of compared.comparisons)
    assert.ok(Math.abs(ratio.median - other.median / own.median) < 1e-9);
  assert.ok(measurements.length >= 2);
});

test("a peer that fails, or that says what is not agreed, is one sentence; so is a case that is none", async () => {
  const sentence = async (args: readonly string[]): Promise<string> => {
    const failed = await bench(args).then(
      () => assert.fail("it succeeded"),
      (error: unknown) => z.object({ code: z.literal(1), stderr: z.string() }).parse(error),
    );
    return failed.stderr.trim();
  };
  const only = ["--only", "quarter, batch 1", "--rounds", "1", "--peer"];
  const [ended, nonsense, nameless] = await Promise.all([
    sentence([...only, "echo gone >&2; false"]),
    sentence([...only, "echo hello"]),
    sentence(["--answer", "half"]),
  ]);
  assert.match(ended, /^cascade: the peer "echo gone >&2; false" ended: gone$/m);
  assert.match(nonsense, /^cascade: the peer answered "hello", which is no JSON line as agreed$/m);
  assert.match(nameless, /^cascade: no case is named "half"; there are full; full, mixed; /m);
});

test("a peer that takes no command after its greeting is one sentence, too", async () => {
  const command = `sh -c 'exec 0<&-; echo "{}"; sleep 0.5; echo lost >&2'`;
  const { peer } = await BenchmarkPeer.start(command);
  await assert.rejects(peer.time("train"), userError(/^the peer "sh -c .*" ended: lost$/));
  peer.stop();
});
