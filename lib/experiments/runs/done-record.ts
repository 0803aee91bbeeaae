import { join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../../util/canonical-json.js";
import { UserError } from "../../util/errors.js";
import { sha256 } from "../../util/files.js";
import { readJson } from "../../util/json-file.js";

export const SPEC = "spec.json";
export const ENVIRONMENT = "environment.json";
export const METRICS = "metrics.jsonl";
export const DONE = "DONE.json";

const contentSchema = z.object({
  hash: z.string(),
  finishedAt: z.string(),
  summary: z.unknown(),
  files: z.record(z.string(), z.string()),
});
const doneSchema = contentSchema.extend({
  /** SHA-256 of the canonical JSON of all the rest; runs of the former form have none. */
  sum: z.string().optional(),
});

/** DONE.json: the last word of a run, with the SHA-256 of each of its other files and one of itself. */
export type DoneRecord = z.output<typeof doneSchema>;

/** What DONE.json holds, with the sum over it. */
export function summed(content: z.output<typeof contentSchema>): DoneRecord {
  return { ...content, sum: sumOf(content) };
}

/** Of what is read back: JSON makes null of numbers that it lacks. */
function sumOf(content: object): string {
  return sha256(canonicalJson(JSON.parse(JSON.stringify(content))));
}

/** What every run has, whatever it trains. */
const ALWAYS = [SPEC, ENVIRONMENT, METRICS];

/** The DONE.json in `directory`; a UserError where it is not as it was written. */
export function readDone(directory: string): DoneRecord {
  const path = join(directory, DONE);
  const remedy = "restore it, or delete the folder and run it again";
  const done = readJson(path, doneSchema, remedy);
  const { sum, ...content } = done;
  if (sum !== undefined && sum !== sumOf(content))
    throw new UserError(`${path} is damaged: it does not fit its own sum; ${remedy}`);
  const unnamed = ALWAYS.filter((name) => !Object.hasOwn(done.files, name));
  if (unnamed.length > 0)
    throw new UserError(`${path} is damaged: it gives no sum of ${unnamed.join(", ")}; ${remedy}`);
  return done;
}
