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

/** Bytes of memory that this process may use: the machine's, or as many as its control groups have. */
export function usableMemory() {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity, memoryLimit());
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
  const texts = groups(root, membership, "cpu").map(({ folder, version }) =>
    version === 2
      ? read(`${folder}/cpu.max`)
      : `${read(`${folder}/cpu.cfs_quota_us`).trim()} ${read(`${folder}/cpu.cfs_period_us`)}`,
  );
  const quotas = texts.map((text) => {
    const [, quota, period] = /^(\d+) (\d+)\s*$/.exec(text) ?? [];
    return quota === undefined ? Infinity : Number(quota) / Number(period);
  });
  return Math.max(1, Math.floor(Math.min(Infinity, ...quotas)));
}

/**
 * Bytes of memory that the control groups of a process have; Infinity without a limit. Node knows the limit of its own group
 * alone, where schedulers of clusters set that of a group above. Arguments as of `processorQuota`.
 */
export function memoryLimit(root = "/sys/fs/cgroup", membership = "/proc/self/cgroup") {
  const limits = groups(root, membership, "memory").map(({ folder, version }) =>
    Number(read(`${folder}/${version === 2 ? "memory.max" : "memory.limit_in_bytes"}`).trim() || "max"),
  );
  return Math.min(Infinity, ...limits.filter((limit) => limit > 0));
}

/**
 * Folders of the groups of a process that have a controller, its own and all above them.
 *
 * @param {string} root
 * @param {string} membership
 * @param {string} controller
 * @returns {{ folder: string, version: 1 | 2 }[]}
 */
function groups(root, membership, controller) {
  return read(membership)
    .split("\n")
    .flatMap((line) => {
      const [, controllers = "", group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (group === undefined) return [];
      const version = controllers === "" ? 2 : 1;
      if (version === 1 && !controllers.split(",").includes(controller)) return [];
      const top = version === 2 ? root : `${root}/${controller}`;
      return upwards(group).map((path) => ({ folder: `${top}${path}`, version }));
    });
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
