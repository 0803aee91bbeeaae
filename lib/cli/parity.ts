import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { checkReference } from "../experiments/parity/parity.js";
import type { ParityRow } from "../experiments/parity/parity-row.js";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";
import { readJson } from "../util/json-file.js";
import { writeOut } from "./output.js";

/** `cascade parity <file or folder>`: holds the project to numbers that the authors' implementation computed. */
export function parityCommand(): Command {
  return new Command("parity")
    .description(
      "compare network, gradients, optimizer and analyses with reference numbers; exit 1 if any is over its limit",
    )
    .argument("<path>", "a reference file, or a folder of them")
    .option(
      "--fast",
      "sum convolutions in float32, as training does: a ReLU near zero may flip, and limits be passed",
    )
    .option("--json", "print the rows as JSON")
    .action(async (path: string, options: { fast?: true; json?: true }) => {
      const precision = options.fast === true ? "float32" : "float64Sums";
      const rows: ParityRow[] = [];
      for (const file of await referenceFiles(path)) {
        const found = checkReference(readJson(file, z.unknown()), file, precision);
        rows.push(...found);
        if (options.json !== true) for (const row of found) writeOut(rowText(row));
      }
      const failed = rows.filter((row) => !row.passed);
      if (options.json === true) {
        writeOut(JSON.stringify({ passed: failed.length === 0, rows: rows.map(finiteErrors) }, null, 2));
      } else {
        writeOut(`${rows.length - failed.length} passed, ${failed.length} failed`);
      }
      if (failed.length > 0) process.exitCode = 1;
    });
}

/** JSON has no infinity: an error that could not be computed is null, and has not passed. */
function finiteErrors(row: ParityRow): Omit<ParityRow, "error"> & { error: number | null } {
  return { ...row, error: Number.isFinite(row.error) ? row.error : null };
}

function rowText(row: ParityRow): string {
  const limit = row.limit === null ? "(no limit)" : `limit ${row.limit.toExponential(2)}`;
  const verdict = row.passed ? "ok  " : "OVER";
  return `${verdict} ${row.case.padEnd(34)} ${row.quantity.padEnd(36)} ${row.error.toExponential(2)}  ${limit}`;
}

async function referenceFiles(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const files = (await readdir(path, { recursive: true })).filter((name) => name.endsWith(".json")).sort();
    if (files.length === 0) throw new UserError(`${path} holds no reference files (*.json)`);
    return files.map((name) => join(path, name));
  } catch (error) {
    throw fileError(error, "read", path);
  }
}
