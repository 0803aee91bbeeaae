import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { contentHash } from "../../util/content-hash.js";
import { canonicalJson } from "../../util/canonical-json.js";
import { fileError, sha256, writeFileAtomic } from "../../util/files.js";
import { parseJson } from "../../util/json-text.js";
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

const entrySchema = z.object({ version: z.string(), result: z.unknown(), sum: z.string() });

/**
 * The result of `compute`, cached in `folder` under the hash of `key`, which holds all that it depends on beside the
 * code, such as the hashes of the runs. One that was edited or damaged, that is under another's name, or of another
 * version of the code, is computed again, and `report` is told.
 */
export async function cachedAnalysis<Result>(
  folder: string,
  { name, module, schema }: Analysis<Result>,
  key: Readonly<Record<string, unknown>>,
  compute: () => Promise<Result> | Result,
  report: (message: string) => void,
): Promise<Result> {
  const id = contentHash({ analysis: name, ...key });
  const path = join(folder, `${id}.json`);
  const version = versionOf(module);
  if (existsSync(path)) {
    const entry = entrySchema.safeParse(await readJson(path));
    const result = schema.safeParse(entry.data?.result);
    const isWhole = entry.success && entry.data.sum === sumOf(id, entry.data);
    if (isWhole && entry.data.version === version && result.success) return result.data;
    const isStale = entry.success && entry.data.version !== version;
    report(
      `${name}: ${path} is ${isStale ? "of another version of the code" : "damaged"} and computed again`,
    );
  }
  const result = await compute();
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, "write", folder);
  });
  // As it will be read: the sum is over what is in the file.
  const stored = JSON.parse(JSON.stringify(result, namedNaN)) as unknown;
  const sum = sumOf(id, { version, result: stored });
  await writeFileAtomic(path, JSON.stringify({ version, result: stored, sum }));
  return result;
}

/** Of a result, what it is the result of, and the code that computed it. */
function sumOf(
  id: string,
  { version, result }: { readonly version: string; readonly result: unknown },
): string {
  return sha256(canonicalJson([id, version, result]));
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
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const namedNaN = (_key: string, value: unknown): unknown => (Number.isNaN(value) ? "NaN" : value);
