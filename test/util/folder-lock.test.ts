import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { lockFolder, signHeldLocks } from "../../lib/util/folder-lock.js";
import { processIdentity } from "../../lib/util/process-identity.js";
import { temporaryFolder } from "../temporary-folder.js";
import { userError } from "../user-error.js";

const FAR_AHEAD = new Date(Date.now() + 365 * 86_400_000);
const LONG_AGO = new Date(Date.now() - 86_400_000);

/** A lock as another process left it. */
function leaveLock(folder: string, owner: object, date: Date): void {
  mkdirSync(join(folder, ".lock"));
  writeFileSync(join(folder, ".lock-owner.json"), JSON.stringify(owner));
  utimesSync(join(folder, ".lock"), date, date);
}

test(
  "a guard that a killed process left is taken over soon, dated in the future too: the clock may have been set back",
  { timeout: 20_000 },
  async (t) => {
    const folder = await temporaryFolder(t);
    mkdirSync(join(folder, ".lock-guard"));
    utimesSync(join(folder, ".lock-guard"), FAR_AHEAD, FAR_AHEAD);
    const lock = await lockFolder(folder);
    await lock.release();
    assert.deepEqual(readdirSync(folder), []);
  },
);

test(
  "a lock of a dead process is taken over at once, one of a living one never, whatever their dates",
  { timeout: 20_000 },
  async (t) => {
    const self = processIdentity(process.pid);
    assert.ok(self !== null);
    for (const date of [FAR_AHEAD, LONG_AGO]) {
      const dead = await temporaryFolder(t);
      leaveLock(dead, { ...self, startTime: "1" }, date);
      await (await lockFolder(dead)).release();

      const alive = await temporaryFolder(t);
      leaveLock(alive, self, date);
      await assert.rejects(lockFolder(alive), userError(new RegExp(`is in use by process ${process.pid};`)));
    }
  },
);

test("who has patience gets the lock of a living process once it ends", { timeout: 30_000 }, async (t) => {
  const folder = await temporaryFolder(t);
  const other = spawn("sleep", ["600"]);
  t.after(() => other.kill());
  const owner = processIdentity(other.pid ?? 0);
  assert.ok(owner !== null);
  leaveLock(folder, owner, new Date());
  await assert.rejects(lockFolder(folder, { patienceMs: 300 }), userError(/is in use by process/));
  const waiting = lockFolder(folder, { patienceMs: 20_000 });
  assert.equal(await Promise.race([waiting, sleep(500, "waits")]), "waits");
  other.kill();
  await (await waiting).release();
});

test("elsewhere silence decides: an old lock is dead, a fresh one not, one from the future is watched", async (t) => {
  const elsewhere = { pid: 1, startTime: "1", machine: "another" };
  for (const [date, isDead] of [
    [LONG_AGO, true],
    [new Date(), false],
    [FAR_AHEAD, true],
  ] as const) {
    const folder = await temporaryFolder(t);
    leaveLock(folder, elsewhere, date);
    if (isDead) await (await lockFolder(folder)).release();
    else await assert.rejects(lockFolder(folder), userError(/is in use by process 1 on another machine/));
  }
});

test(
  "touching a lock does no harm; deleting it, its owner or the folder, or another owner, loses it at once",
  { timeout: 20_000 },
  async (t) => {
    const folder = await temporaryFolder(t);
    const touched = await lockFolder(folder);
    utimesSync(join(folder, ".lock"), LONG_AGO, LONG_AGO);
    touched.assertHeld();
    await touched.release();
    const owner = join(folder, ".lock-owner.json");
    for (const harm of [
      () => {
        rmSync(join(folder, ".lock"), { recursive: true });
      },
      () => {
        rmSync(owner);
      },
      () => {
        writeFileSync(owner, readFileSync(owner, "utf8").replace(/"startTime":"/, "$&9"));
      },
      () => {
        rmSync(folder, { recursive: true });
      },
    ]) {
      mkdirSync(folder, { recursive: true });
      const lock = await lockFolder(folder);
      lock.assertHeld();
      harm();
      assert.throws(
        () => {
          lock.assertHeld();
        },
        userError(/the lock of .* was lost/),
      );
      await lock.release();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test(
  "a lock that cannot be removed at the end of its process ends it without a word, and is free",
  { timeout: 30_000 },
  async (t) => {
    const folder = await temporaryFolder(t);
    const script = `
      import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      import { lockFolder, signHeldLocks } from "./lib/util/folder-lock.ts";
      await lockFolder(${JSON.stringify(folder)});
      fs.rmSync = () => { throw Object.assign(new Error("EBUSY: busy"), { code: "EBUSY" }); };
      syncBuiltinESMExports();
      process.exit(0);`;
    const arguments_ = ["--import", "tsx", "--input-type=module", "-e", script];
    const { stderr } = await promisify(execFile)(process.execPath, arguments_);
    assert.equal(stderr, "");
    assert.ok(existsSync(join(folder, ".lock")), "the process could remove its lock after all");
    await (await lockFolder(folder)).release();
    assert.deepEqual(readdirSync(folder), []);
  },
);

test("who computes without giving way gives signs of life of its own locks, and of no others", async (t) => {
  const [folder, lost] = [await temporaryFolder(t), await temporaryFolder(t)];
  const [own, taken] = [await lockFolder(folder), await lockFolder(lost)];
  writeFileSync(
    join(lost, ".lock-owner.json"),
    JSON.stringify({ ...processIdentity(process.pid), machine: "another" }),
  );
  const silentSince = (of: string): number => Math.round(statSync(join(of, ".lock")).mtimeMs);
  for (const of of [folder, lost]) utimesSync(join(of, ".lock"), LONG_AGO, LONG_AGO);
  signHeldLocks();
  assert.equal(silentSince(folder), LONG_AGO.getTime(), "not at every call");
  const later = performance.now() + 6_000;
  t.mock.method(performance, "now", () => later);
  signHeldLocks();
  t.mock.restoreAll();
  assert.ok(Date.now() - silentSince(folder) < 10_000);
  assert.equal(silentSince(lost), LONG_AGO.getTime());
  await Promise.all([own.release(), taken.release()]);
});
