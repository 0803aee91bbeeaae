import { existsSync, readFileSync } from "node:fs";
import { contentHash } from "../../util/content-hash.js";
import { UserError } from "../../util/errors.js";
import { holds, type StudyRecord } from "./study-record.js";

/**
 * What somebody wrote about results. It stands in a file beside them, each part under a line that names what it is of and
 * the findings that it was written for, so that it is never read beside others:
 *
 *     <!-- cifar10/six-models of 0123456789ab -->
 *     Paragraphs, with an empty line between two.
 */
export interface Discussion {
  /** Paragraphs by what they are of: "<data set>/<study>", or TOGETHER. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
  /** What is left out because the findings are others by now, a sentence each. */
  readonly stale: readonly string[];
}

/** Of the part on all results. */
export const TOGETHER = "all";

/** Name of the file. */
export const DISCUSSION = "discussion.md";

/** The findings of a record, by a few digits that change with any of them. */
export function findingsMark({ verdict, findings }: StudyRecord): string {
  return contentHash([verdict, ...findings.map((one) => [one.statement, one.measured, holds(one)])]);
}

/** The discussion in a file, for these records; without a file there is none. A UserError where it has no such form. */
export function readDiscussion(path: string, records: readonly StudyRecord[]): Discussion {
  const parts = new Map<string, readonly string[]>();
  const stale: string[] = [];
  const marks = marksOf(records);
  for (const { name, mark, paragraphs } of existsSync(path) ? partsIn(path) : []) {
    const now = marks.get(name);
    if (mark === now) parts.set(name, paragraphs);
    else
      stale.push(
        now === undefined
          ? `${path} discusses ${name}, of which there is no result`
          : `${path} discusses ${name} for the findings ${mark}, which are ${now} by now; read it again, and write ${now} where it fits them`,
      );
  }
  return { parts, stale };
}

function marksOf(records: readonly StudyRecord[]): ReadonlyMap<string, string> {
  const each = records.map((record) => [nameOf(record), findingsMark(record)] as const);
  return new Map([...each, [TOGETHER, contentHash(each.map((one) => one.join(" ")).sort())]]);
}

function nameOf({ data, study }: StudyRecord): string {
  return `${data.name}/${study.name}`;
}

/** What is said of a record; nothing where nobody wrote anything. */
export function discussionOf({ parts }: Discussion, record: StudyRecord): readonly string[] {
  return parts.get(nameOf(record)) ?? [];
}

const HEAD = /^<!-- (\S+) of (\S+) -->$/;

interface Part {
  readonly name: string;
  readonly mark: string;
  readonly paragraphs: readonly string[];
}

function partsIn(path: string): Part[] {
  const pieces = readFileSync(path, "utf8").split(/^(?=<!-- )/m);
  return pieces.map((text) => {
    const [head = "", ...lines] = text.split("\n");
    const [, name, mark] = HEAD.exec(head) ?? [];
    if (name === undefined || mark === undefined)
      throw new UserError(
        `${path} has the line "${head}" where a part begins; begin each with "<!-- <data set>/<study> of <findings> -->"`,
      );
    const paragraphs = lines.join("\n").split(/\n\s*\n/);
    return { name, mark, paragraphs: paragraphs.map((one) => one.trim()).filter((one) => one !== "") };
  });
}
