import { existsSync, readFileSync } from "node:fs";
import { arch, cpus, platform, release } from "node:os";
import process from "node:process";

/** Instruction sets that the kernels or TensorFlow make something of, as /proc/cpuinfo names them. */
const FLAGS = /^(?:sse4_2|avx|avx2|fma|avx512\w*|avx_vnni|amx\w*|asimd\w*|sve\w*)$/;

/** The value of a line "name=value" or "name : value" of a text file, without quotes; null where there is none. */
function lineOf(/** @type {string} */ file, /** @type {string} */ name) {
  if (!existsSync(file)) return null;
  const [, value = null] =
    new RegExp(`^${name}\\s*[=:]\\s*"?([^"\\n]*)`, "m").exec(readFileSync(file, "utf8")) ?? [];
  return value;
}

/** The C library, as Node knows it; null where it is another one than glibc. */
function glibc() {
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header.glibcVersionRuntime ?? null;
}

/** What a reader of a report must know of the machine: nothing that tells whose it is. */
export function machine() {
  const flags = lineOf("/proc/cpuinfo", "(?:flags|Features)") ?? "";
  return {
    system: lineOf("/etc/os-release", "PRETTY_NAME") ?? platform(),
    kernel: `${platform()} ${release()} ${arch()}`,
    glibc: glibc(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    flags: flags.split(" ").filter((flag) => FLAGS.test(flag)),
    locale: process.env["LC_ALL"] ?? process.env["LANG"] ?? null,
  };
}
