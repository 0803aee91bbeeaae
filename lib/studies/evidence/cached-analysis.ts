import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { contentHash } from "../../util/content-hash.js";
import { fileError, writeFileAtomic } from "../../util/files.js";
import { moduleVersion } from "../../util/module-version.js";

/** A computation whose results are cached. */
export interface Analysis<Result> {
  readonly name: string;
  /** `import.meta.url` of the module that computes: a result of other code is computed again. */
  readonly module: string;
  /** What is read back must be. */
  readonly schema: z.ZodType<Result>;
}

/** A number in a result, which may be none: JSON has no NaN, so it is cached by its name. */
export const cachedNumber = z.union([z.number(), z.literal("NaN").transform(() => NaN)]);

const entrySchema = z.object({ version: z.string(), result: z.unknown() });

/**
 * The result of `compute`, cached in `folder` under the hash of `key`, which holds all that it depends on beside the
 * code, such as the hashes of the runs. One that is damaged, or of another version of the code, is computed again, and
 * `report` is told.
 */
export async function cachedAnalysis<Result>(
  folder: string,
  { name, module, schema }: Analysis<Result>,
  key: Readonly<Record<string, unknown>>,
  compute: () => Promise<Result> | Result,
  report: (message: string) => void,
): Promise<Result> {
  const path = join(folder, `${contentHash({ analysis: name, ...key })}.json`);
  const version = versionOf(module);
  if (existsSync(path)) {
    const entry = entrySchema.safeParse(await readJson(path));
    const result = schema.safeParse(entry.data?.result);
    if (entry.data?.version === version && result.success) return result.data;
    const isStale = entry.success && entry.data.version !== version;
    report(
      `${name}: ${path} is ${isStale ? "of another version of the code" : "damaged"} and computed again`,
    );
  }
  const result = await compute();
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, "write", folder);
  });
  await writeFileAtomic(path, JSON.stringify({ version, result }, namedNaN));
  return result;
}

const versions = new Map<string, string>();

/** Read once: a process goes on with the code that it has loaded, whatever becomes of the files. */
function versionOf(module: string): string {
  const version = versions.get(module) ?? moduleVersion(module);
  versions.set(module, version);
  return version;
}

/** What the file holds; undefined where that is no JSON. */
async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const namedNaN = (_key: string, value: unknown): unknown => (Number.isNaN(value) ? "NaN" : value);
