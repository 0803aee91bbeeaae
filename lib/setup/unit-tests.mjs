/** Runs every *.test.ts under test/, or those named, with Node's test runner; other arguments are passed on. */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT, inProject } from "./project.mjs";

/** Node 20's test runner takes no patterns. @returns {string[]} */
const testFiles = () =>
  readdirSync(inProject("test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .map((name) => join("test", name));

const given = process.argv.slice(2);
const files = given.some((argument) => argument.endsWith(".test.ts")) ? [] : testFiles();
const args = ["--import", "tsx", "--test", "--test-concurrency=2", ...given, ...files];
const child = spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
child.on("close", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128);
});
