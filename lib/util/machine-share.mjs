/**
 * How much of the machine this process may use: a container sees all processors and all memory of its machine, but may be
 * given the time of few and a part. JavaScript, since set-up asks before anything is compiled.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import process from "node:process";

/** Processors that this process may compute with, at least one: those that it may run on, within its groups' quota of time. */
export function usableProcessors() {
  return Math.min(availableParallelism(), processorQuota());
}

/** Bytes of memory that this process may use: the machine's, or as many as its control group has. */
export function usableMemory() {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}

/**
 * Processors' time that the control groups of a process have, in whole processors, at least one; Infinity without a quota.
 * A group has no more than those above it. Source: the kernel's documentation, cgroup-v2 ("<quota> <period>" in cpu.max)
 * and sched-bwc (version 1, a file for each).
 *
 * @param {string} root - where the groups are mounted
 * @param {string} membership - a file that says which groups are the process's
 */
export function processorQuota(root = "/sys/fs/cgroup", membership = "/proc/self/cgroup") {
  const quotas = read(membership)
    .split("\n")
    .flatMap((line) => {
      const [, controllers = "", group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (group === undefined) return [];
      if (controllers === "") return upwards(group).map((path) => read(`${root}${path}/cpu.max`));
      if (!controllers.split(",").includes("cpu")) return [];
      return upwards(group).map((path) => {
        const file = `${root}/cpu${path}/cpu.cfs`;
        return `${read(`${file}_quota_us`).trim()} ${read(`${file}_period_us`)}`;
      });
    })
    .map((text) => /^(\d+) (\d+)\s*$/.exec(text))
    .map((match) => (match === null ? Infinity : Number(match[1]) / Number(match[2])));
  return Math.max(1, Math.floor(Math.min(Infinity, ...quotas)));
}

/**
 * A group and all above it, the root as "": in a container the path may be that of the machine, of which the root alone is
 * there.
 *
 * @returns {string[]}
 */
function upwards(/** @type {string} */ group) {
  const path = group.replace(/\/+$/, "");
  return path === "" ? [""] : [path, ...upwards(path.slice(0, path.lastIndexOf("/")))];
}

/** The text of a file of the system's; none where it cannot be read. */
function read(/** @type {string} */ path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
