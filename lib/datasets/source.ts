import { z } from "zod";
import { UserError } from "../util/errors.js";

const path = z.string().min(1);
const count = z.int().min(1);

const proceduralSchema = z.strictObject({
  kind: z.literal("procedural"),
  classes: z.int().min(2).max(100).default(10),
  size: z.int().min(8).max(512).default(32),
  train: count.default(10000),
  test: count.default(2000),
  seed: z.int().min(0).default(0),
});

const folderSchema = z.strictObject({
  kind: z.literal("folder"),
  path,
  size: z.int().min(1).max(4096).optional(),
  cScores: path.optional(),
  onBroken: z.enum(["fail", "skip"]).default("fail"),
});

const tinyImageNetSchema = z.strictObject({
  kind: z.literal("tinyimagenet"),
  /** The folder `tiny-imagenet-200`, or an archive of it. */
  path,
  cScores: path.optional(),
  onBroken: z.enum(["fail", "skip"]).default("fail"),
});

const cifarFields = {
  path: path.optional(),
  download: z.boolean().default(false),
  partial: z.boolean().default(false),
  cScores: path.optional(),
};

/** Where a data set comes from, as plain data; unknown fields are refused. */
export const datasetSourceSchema = z.discriminatedUnion("kind", [
  proceduralSchema,
  folderSchema,
  z.strictObject({ kind: z.literal("cifar10"), ...cifarFields }),
  z.strictObject({
    kind: z.literal("cifar100"),
    ...cifarFields,
    /** The 100 classes, as by default, or the 20 superclasses. */
    labels: z.enum(["fine", "coarse"]).optional(),
  }),
  tinyImageNetSchema,
]);

/** As written by a person: fields with a default may be left out. */
export type DatasetSource = z.input<typeof datasetSourceSchema>;

/** With every default filled in. */
export type ResolvedDatasetSource = z.output<typeof datasetSourceSchema>;
export type ProceduralSource = z.output<typeof proceduralSchema>;
export type FolderSource = z.output<typeof folderSchema>;
export type TinyImageNetSource = z.output<typeof tinyImageNetSchema>;
export type CifarSource = Extract<ResolvedDatasetSource, { kind: "cifar10" | "cifar100" }>;

/** Fills in the defaults; throws a UserError that names each wrong field. */
export function resolveDatasetSource(source: unknown): ResolvedDatasetSource {
  const parsed = datasetSourceSchema.safeParse(source);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join(".") || "source"}: ${issue.message}`);
  throw new UserError(`the data source is not valid: ${issues.join("; ")}`);
}

/** Whether the typicality of the images comes with them: from a file, or known because they are constructed. */
export function hasCScores(source: ResolvedDatasetSource): boolean {
  return source.kind === "procedural" || source.cScores !== undefined;
}
