import { existsSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomic } from "../../util/files.js";
import { readJson } from "../../util/json-file.js";
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

const schema = z.strictObject({
  protocol: z.enum(["quick", "reduced", "full"]),
  /** Name, hash of the content, and numbers of images of the data. */
  data: z.strictObject({ name: z.string(), hash: z.string(), train: z.number(), test: z.number() }),
  study: z.strictObject({ name: z.string(), title: z.string(), claim: z.string() }),
  /** `overrides`: the change to the presets, as the command line takes it. */
  settings: z.looseObject({ seeds: z.array(z.number()), overrides: z.array(z.string()) }),
  verdict: z.union([z.enum(["reproduced", "in part", "not reproduced", "not tested here"]), formerVerdict]),
  findings: z.array(z.union([findingSchema, formerFindingSchema])),
  tables: z.array(
    z.strictObject({ name: z.string(), title: z.string(), rows: z.array(z.record(z.string(), cell)) }),
  ),
  /** `file`: SVG beside the record; null where it could not be drawn. */
  figures: z.array(z.strictObject({ name: z.string(), caption: z.string(), file: z.string().nullable() })),
  runs: z.array(
    z.strictObject({ name: z.string(), hash: z.string(), seed: z.number(), trainingSeconds: z.number() }),
  ),
  /** Trainings that diverged, with where; left out where there are none. */
  diverged: z
    .array(z.strictObject({ name: z.string(), hash: z.string(), seed: z.number(), text: z.string() }))
    .optional(),
  /** Why there are no findings. */
  notTested: z.string().optional(),
  analysisSeconds: z.number(),
  finishedAt: z.string(),
  /** Where it was analysed. */
  environment: z.looseObject({}),
  /** Where the runs were trained: each environment once. */
  trainedIn: z.array(z.unknown()),
});

/** What stays of a study when its runs are deleted: results, and where each is from. */
export type StudyRecord = z.output<typeof schema>;
export type RecordedFinding = StudyRecord["findings"][number];

/** Whether a verdict is of a record by the rules before today's. */
export function isFormer(verdict: StudyRecord["verdict"]): verdict is z.output<typeof formerVerdict> {
  return formerVerdict.safeParse(verdict).success;
}

/** Whether a finding holds, by its own rule. */
export function holds(finding: Readonly<RecordedFinding> | Finding): boolean {
  return "comesOut" in finding ? finding.comesOut : finding.outcome === "holds";
}

export async function writeStudyRecord(path: string, record: StudyRecord): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(record, namedNumbers, 2)}\n`);
}

/** The record in the file; undefined if there is no such file, a UserError if it is damaged. */
export function readStudyRecord(path: string): StudyRecord | undefined {
  return existsSync(path) ? readJson(path, schema, "delete it and replicate again") : undefined;
}

/** NaN and infinities, which JSON lacks, by their names. */
function namedNumbers(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
