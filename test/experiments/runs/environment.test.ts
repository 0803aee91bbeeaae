import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { currentCommit, processorName } from "../../../lib/experiments/runs/environment.js";
import { folderOfTests } from "../../temporary-folder.js";

const folder = folderOfTests("commit");

test("a commit is dirty by its code, not by results that are being written", () => {
  assert.equal(currentCommit(folder), null);
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...args], {
      cwd: folder,
      encoding: "utf8",
    });
  for (const name of ["lib", "data"]) mkdirSync(join(folder, name));
  const write = (file: string, text: string): void => {
    writeFileSync(join(folder, file), text);
  };
  write("lib/code.ts", "1");
  write("data/result.json", "1");
  git("init", "--quiet");
  assert.equal(currentCommit(folder), null);
  git("add", ".");
  git("commit", "--quiet", "--message", "first");
  const commit = git("rev-parse", "HEAD").trim();
  write("data/result.json", "2");
  assert.equal(currentCommit(join(folder, "lib")), commit);
  write("lib/code.ts", "2");
  assert.equal(currentCommit(join(folder, "lib")), `${commit}-dirty`);
  write("lib/code.ts", "1");
  write("lib/more.ts", "1");
  assert.equal(currentCommit(join(folder, "lib")), `${commit}-dirty`);
});

test("generations of a processor that have one name are told apart where the system tells them", () => {
  const cpuinfo = (family: number): string =>
    `processor\t: 0\ncpu family\t: ${family}\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nstepping\t: 1\n`;
  assert.equal(processorName("AMD EPYC ", cpuinfo(25)), "AMD EPYC (family 25, model 17)");
  assert.notEqual(processorName("AMD EPYC", cpuinfo(25)), processorName("AMD EPYC", cpuinfo(26)));
  // Such a text of an ARM processor has neither, and other systems have no such text.
  assert.equal(processorName("Apple M4", "processor\t: 0\nCPU part\t: 0xd0c\n"), "Apple M4");
  assert.equal(processorName(" unknown", ""), "unknown");
});
