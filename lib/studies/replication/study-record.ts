import { existsSync } from "node:fs";
import { z } from "zod";
import { canonicalJson } from "../../util/canonical-json.js";
import { UserError } from "../../util/errors.js";
import { sha256, writeFileAtomic } from "../../util/files.js";
import { readJson } from "../../util/json-file.js";
import { parseWithSchema } from "../../util/schema.js";
import type { Finding } from "../evidence/finding.js";
import { cachedNumber } from "../evidence/cached-analysis.js";

const cell = z.union([z.string(), z.number()]);

const findingSchema = z.strictObject({
  statement: z.string(),
  by: z.enum(["paper", "project"]),
  carries: z.boolean(),
  measured: z.string(),
  contrasts: z.array(
    z.strictObject({
      of: z.string(),
      mean: cachedNumber,
      low: cachedNumber,
      high: cachedNumber,
      imageError: cachedNumber.exactOptional(),
      n: z.number(),
    }),
  ),
  pValue: z.number().nullable(),
  adjustedPValue: z.number().nullable(),
  outcome: z.enum(["holds", "does not hold", "not decided"]),
});

/**
 * As it was written until 2026-11-26, when every study had rules of its own and nothing said which findings carry its
 * claim. The verdict of such a record is none of today's, and no test can be made up for it afterwards.
 */
const formerFindingSchema = z.strictObject({
  statement: z.string(),
  measured: z.string(),
  comesOut: z.boolean(),
});
const formerVerdict = z.enum(["comes out", "comes out in part", "does not come out"]);

const contentSchema = z.strictObject({
  protocol: z.enum(["quick", "reduced", "settled", "full"]),
  /** Name, hash of the content, and numbers of images of the data. */
  data: z.strictObject({ name: z.string(), hash: z.string(), train: z.number(), test: z.number() }),
  study: z.strictObject({ name: z.string(), title: z.string(), claim: z.string() }),
  /** `overrides`: the change to the presets, as the command line takes it. */
  settings: z.looseObject({ seeds: z.array(z.number()), overrides: z.array(z.string()) }),
  verdict: z.union([
    z.enum(["reproduced", "in part", "not reproduced", "not tested here", "withdrawn"]),
    formerVerdict,
  ]),
  findings: z.array(z.union([findingSchema, formerFindingSchema])),
  tables: z.array(
    z.strictObject({ name: z.string(), title: z.string(), rows: z.array(z.record(z.string(), cell)) }),
  ),
  /** `file`: SVG beside the record, with its SHA-256; null where it could not be drawn. */
  figures: z.array(
    z.strictObject({
      name: z.string(),
      caption: z.string(),
      file: z.string().nullable(),
      sha256: z.string().optional(),
    }),
  ),
  /** SHA-256 of the Arrow file beside the record with the numbers of every run; records of before lack it. */
  numbers: z.string().optional(),
  runs: z.array(
    z.strictObject({ name: z.string(), hash: z.string(), seed: z.number(), trainingSeconds: z.number() }),
  ),
  /** Trainings that diverged, with where; left out where there are none. */
  diverged: z
    .array(z.strictObject({ name: z.string(), hash: z.string(), seed: z.number(), text: z.string() }))
    .optional(),
  /** Why there are no findings. */
  notTested: z.string().optional(),
  /** Why a verdict was withdrawn: found wrong when the runs that it was computed from were gone. */
  withdrawn: z.string().optional(),
  analysisSeconds: z.number(),
  finishedAt: z.string(),
  /** Where it was analysed. */
  environment: z.looseObject({}),
  /** Where the runs were trained: each environment once. */
  trainedIn: z.array(z.unknown()),
});

const recordSchema = contentSchema.extend({
  /** SHA-256 of the canonical JSON of all the rest; records of the former form have none. */
  sum: z.string().optional(),
});

/** What stays of a study when its runs are deleted: results, and where each is from. */
export type StudyRecord = z.output<typeof recordSchema>;
export type RecordedFinding = StudyRecord["findings"][number];

/** Whether a verdict is of a record by the rules before today's. */
export function isFormer(verdict: StudyRecord["verdict"]): verdict is z.output<typeof formerVerdict> {
  return formerVerdict.safeParse(verdict).success;
}

/** Whether a finding holds, by its own rule. */
export function holds(finding: Readonly<RecordedFinding> | Finding): boolean {
  return "comesOut" in finding ? finding.comesOut : finding.outcome === "holds";
}

/** Whether a finding carries its claim; those of records of the former form do not say. */
export function isEndPoint(finding: Readonly<RecordedFinding> | Finding): boolean {
  return "carries" in finding && finding.carries;
}

/** Writes the record with the sum over it. */
export async function writeStudyRecord(path: string, record: StudyRecord): Promise<void> {
  const content = { ...(JSON.parse(JSON.stringify(record, namedNumbers)) as StudyRecord), sum: undefined };
  await writeFileAtomic(path, `${JSON.stringify({ ...content, sum: sumOf(content) }, null, 2)}\n`);
}

/** The record in the file; undefined if there is no such file, a UserError if it was edited or damaged. */
export function readStudyRecord(path: string): StudyRecord | undefined {
  if (!existsSync(path)) return undefined;
  const remedy = "delete it and replicate again";
  const content = readJson(path, z.looseObject({}), remedy);
  const record = parseWithSchema(recordSchema, content, path, remedy);
  if (record.sum !== undefined && record.sum !== sumOf({ ...content, sum: undefined }))
    throw new UserError(`${path} was changed after it was written: it does not fit its own sum; ${remedy}`);
  return record;
}

function sumOf(content: object): string {
  return sha256(canonicalJson(content));
}

/** NaN and infinities, which JSON lacks, by their names. */
function namedNumbers(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
