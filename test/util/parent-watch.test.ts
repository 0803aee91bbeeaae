import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, processIdentity } from "../../lib/util/process-identity.js";

const CHILD = `
  import { exitWithParent } from "./lib/util/parent-watch.ts";
  exitWithParent({ everySeconds: 0.05 });
  setInterval(() => {}, 1000);
  console.log(process.pid);`;
const PARENT = `
  require("node:child_process").spawn(process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", ${JSON.stringify(CHILD)}], { stdio: ["ignore", "inherit", "ignore"] });`;

test("a child ends when its parent is killed", { timeout: 60_000 }, async () => {
  const parent = spawn(process.execPath, ["--eval", PARENT], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
  const child = processIdentity(Number(line));
  assert.ok(child !== null);
  await sleep(200);
  assert.equal(isAlive(child), true);
  parent.kill("SIGKILL");
  while (isAlive(child) !== false) await sleep(20);
});

test("a process is told from a later one with the same pid, and from one of another machine", () => {
  const self = processIdentity(process.pid);
  assert.ok(self !== null);
  assert.equal(isAlive(self), true);
  assert.equal(isAlive({ ...self, startTime: "1" }), false);
  assert.equal(isAlive({ ...self, machine: "another" }), null);
});
