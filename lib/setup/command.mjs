import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "./errors.mjs";
import { LOG, ROOT } from "./project.mjs";
import { forgetChild, noteChild } from "./setup-lock.mjs";

/** Lines of a failed command's output that are shown; the rest is in the log. */
const SHOWN_LINES = 12;

/** Standard output of a quick question to a program, or undefined where it cannot be run or fails. */
export function ask(/** @type {string} */ command, /** @type {readonly string[]} */ args) {
  const answer = spawnSync(command, args, {
    encoding: "utf8",
    cwd: ROOT,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return answer.status === 0 ? answer.stdout.trim() : undefined;
}

/**
 * Runs a program to its end, its output going to the log. It has a process group of its own, written in the
 * set-up's lock, so that a set-up that follows a killed one can end what that one left running.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, attempts?: number }} [options]
 */
export async function runCommand(command, args, { env = {}, attempts = 1 } = {}) {
  for (let attempt = 1; ; attempt++) {
    const { code, output } = await runOnce(command, args, env);
    if (code === 0) return;
    if (attempt >= attempts) throw new SetupError(failure(command, args, code, output));
    await sleep(2000 * attempt);
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} env
 * @returns {Promise<{ code: number | string, output: string }>}
 */
function runOnce(command, args, env) {
  mkdirSync(dirname(LOG), { recursive: true });
  appendFileSync(LOG, `\n$ ${[command, ...args].join(" ")}\n`);
  return new Promise((resolve) => {
    let output = "";
    // It begins when it is noted: killed in between, a set-up would leave a command that nobody knows of.
    const child = spawn("sh", ["-c", 'read -r go && exec "$@" </dev/null', "sh", command, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: "pipe",
      detached: true,
    });
    noteChild(child.pid);
    child.stdin.on("error", () => {
      // It has ended already; its code says why.
    });
    child.stdin.end("\n");
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-20_000);
      appendFileSync(LOG, chunk);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const end = (/** @type {number | string} */ code) => {
      forgetChild(child.pid);
      resolve({ code, output });
    };
    child.on("error", (error) => {
      end(error.message);
    });
    child.on("close", (code, signal) => {
      end(code ?? signal ?? "unknown");
    });
  });
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number | string} code
 * @param {string} output
 */
function failure(command, args, code, output) {
  if (/ENOSPC|No space left on device/i.test(output))
    return "the disk is full; free some space and try again";
  const tail = output.trim().split("\n").slice(-SHOWN_LINES).join("\n    ");
  const call = [command, ...args].join(" ").replaceAll(`${ROOT}/`, "");
  return `\`${call}\` failed (${String(code)}; whole output in data/cache/setup.log):\n    ${tail}`;
}
