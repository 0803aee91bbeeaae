import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../../lib/util/errors.js";
import { fileError, isOfFiles, removeFile, writeFileAtomic } from "../../lib/util/files.js";
import { folderOfTests } from "../temporary-folder.js";

const folder = folderOfTests("files-test");
const at = (name: string): string => join(folder, name);
const temporaryFiles = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tmp"));

test("a file that is replaced keeps its mode; another name of the old content keeps that content", async () => {
  writeFileSync(at("private"), "old");
  chmodSync(at("private"), 0o600);
  linkSync(at("private"), at("snapshot"));
  await writeFileAtomic(at("private"), "new");
  assert.equal(statSync(at("private")).mode & 0o7777, 0o600);
  assert.equal(readFileSync(at("private"), "utf8"), "new");
  assert.equal(readFileSync(at("snapshot"), "utf8"), "old");
  await writeFileAtomic(at("made/anew"), [Buffer.from("in "), Buffer.from("parts")]);
  assert.equal(readFileSync(at("made/anew"), "utf8"), "in parts");
});

test("of two writes of one file at a time the last to end is there, whole", async () => {
  await Promise.all(["one", "other"].map((text) => writeFileAtomic(at("twice"), text.repeat(10_000))));
  assert.match(readFileSync(at("twice"), "utf8"), /^(one){10000}$|^(other){10000}$/);
  assert.deepEqual(temporaryFiles(), []);
});

test("a link stays, and what it leads to is written, whether it is there or not", async () => {
  mkdirSync(at("far/away"), { recursive: true });
  symlinkSync("far/away", at("folder"));
  writeFileSync(at("far/target"), "old");
  // From far/away, where the first link leads, ".." is far.
  symlinkSync("folder/../target", at("one"));
  symlinkSync("one", at("two"));
  symlinkSync("far/not-yet", at("dangling"));
  await writeFileAtomic(at("two"), "new");
  await writeFileAtomic(at("dangling"), "made");
  assert.equal(readFileSync(at("far/target"), "utf8"), "new");
  assert.equal(readFileSync(at("far/not-yet"), "utf8"), "made");
  assert.deepEqual([readlinkSync(at("two")), readlinkSync(at("dangling"))], ["one", "far/not-yet"]);
  symlinkSync("b", at("a"));
  symlinkSync("a", at("b"));
  await assert.rejects(writeFileAtomic(at("a"), ""), {
    name: "UserError",
    message: /links lead in a circle/,
  });
  await assert.rejects(writeFileAtomic(at("far"), ""), { name: "UserError", message: /it is a folder/ });
  assert.deepEqual(temporaryFiles(), []);
});

test("a device and a pipe are written to and stay what they are", async () => {
  execFileSync("mkfifo", [at("pipe")]);
  const reader = spawn("cat", [at("pipe")]);
  let read = "";
  reader.stdout.on("data", (chunk: Buffer) => (read += chunk.toString()));
  const closed = new Promise((resolve) => reader.once("close", resolve));
  symlinkSync("pipe", at("to-pipe"));
  await writeFileAtomic(at("to-pipe"), [Buffer.from("a"), Buffer.from("b")]);
  await closed;
  assert.equal(read, "ab");
  assert.ok(lstatSync(at("pipe")).isFIFO());
  symlinkSync("/dev/null", at("to-null"));
  await writeFileAtomic(at("to-null"), "x");
  assert.ok(statSync("/dev/null").isCharacterDevice());
  if (existsSync("/dev/full"))
    await assert.rejects(writeFileAtomic("/dev/full", "x"), { name: "UserError", message: /disk is full/ });
});

test("/dev/stdout and /dev/fd are this process's own open files, whatever they are", () => {
  const program = `
    import { writeFileAtomic } from "${join(import.meta.dirname, "../../lib/util/files.ts")}";
    process.stdout.write("first ");
    await writeFileAtomic("/dev/stdout", "second ");
    await writeFileAtomic("/dev/fd/3", "elsewhere");
    process.stdout.write("third");
  `;
  writeFileSync(at("program.mts"), program);
  const node = `"${process.execPath}" --import tsx "${at("program.mts")}"`;
  const shell = (command: string): string =>
    execFileSync("sh", ["-c", command], { encoding: "utf8", cwd: join(import.meta.dirname, "../..") });
  shell(`${node} > "${at("out")}" 3> "${at("three")}"`);
  assert.equal(readFileSync(at("out"), "utf8"), "first second third");
  assert.equal(readFileSync(at("three"), "utf8"), "elsewhere");
  assert.equal(shell(`${node} 3> /dev/null | cat`), "first second third");
});

test("a file of somebody else keeps its owner", { skip: process.getuid?.() !== 0 }, async () => {
  writeFileSync(at("theirs"), "old");
  spawnSync("chown", ["12345:12345", at("theirs")]);
  await writeFileAtomic(at("theirs"), "new");
  assert.equal(statSync(at("theirs")).uid, 12345);
});

test("what the system refuses is one sentence; any other error stays as it is", () => {
  for (const code of ["EIO", "EPERM", "EMFILE", "ENFILE", "ENOSPC", "EDQUOT"]) {
    const error = fileError(Object.assign(new Error(code), { code }), "write", "some/file");
    assert.ok(error instanceof UserError && /^cannot write some\/file: [^\n]+$/.test(error.message), code);
  }
  // zlib numbers its errors too: its fifth is no EIO.
  for (const [code, errno] of [
    ["constructor", undefined],
    ["ESTRANGE", undefined],
    ["Z_BUF_ERROR", -5],
  ] as const) {
    const other = Object.assign(new Error(code), { code, errno });
    assert.equal(fileError(other, "read", "some/file"), other);
  }
});

test("an error that Node knows by its number alone is told all the same", () => {
  // As Node 20 gives that of a used-up quota, EDQUOT, 122 on Linux: of a call that is waited for, and of another.
  for (const code of ["UNKNOWN", "Unknown system error -122"]) {
    const told = fileError(Object.assign(new Error("write"), { code, errno: -122 }), "write", "a/b");
    assert.ok(told instanceof UserError);
    assert.match(told.message, /^cannot write a\/b: the disk quota is used up/);
  }
});

test("a file is removed, where there is one; what the system does not let go is named", async () => {
  writeFileSync(at("goes"), "");
  await removeFile(at("goes"));
  await removeFile(at("goes"));
  assert.equal(existsSync(at("goes")), false);
  mkdirSync(at("stays"));
  await assert.rejects(removeFile(at("stays")), {
    name: "UserError",
    message: `cannot remove ${at("stays")}: it is a folder, not a file`,
  });
});

test("what the system refuses for a reason of its own is named, and is no error that only files have", () => {
  const stale = Object.assign(new Error("x"), { code: "UNKNOWN", errno: -116, syscall: "fstat" });
  const told = fileError(stale, "read", "a/b");
  assert.ok(told instanceof UserError);
  assert.equal(told.message, "cannot read a/b: the system refuses it (ESTALE, fstat)");
  assert.equal(isOfFiles(stale), false);
  assert.equal(isOfFiles(Object.assign(new Error("x"), { code: "ENOSPC", errno: -28 })), true);
});
