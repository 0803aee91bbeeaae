import { join } from "node:path";
import { type StudyResult, verdictOf } from "../studies/study.js";
import { readStudyRecord } from "../studies/replication/study-record.js";
import { projectFolder } from "./project-folder.js";
import { showTable, type TableRow } from "./show-table.js";

type Findings = Pick<StudyResult, "findings" | "notTested">;

/** Shows what came out of a study: the verdict and how many findings hold, then each finding; or why there are none. */
export function showFindings({ findings, notTested }: Findings): void {
  if (notTested !== undefined) {
    console.log(`not tested here: ${notTested}`);
    return;
  }
  showTable([findingsSummary(findings)]);
  showTable(
    findings.map(({ statement, measured, comesOut }) => ({
      "comes out": comesOut ? "yes" : "no",
      finding: statement,
      measured,
    })),
    { limit: findings.length },
  );
}

/** The row above the findings. */
export function findingsSummary(findings: StudyResult["findings"]): TableRow {
  const held = findings.filter(({ comesOut }) => comesOut).length;
  return {
    verdict: verdictOf({ findings }),
    findings: findings.length,
    "come out": held,
    "do not": findings.length - held,
  };
}

/**
 * Shows what came out of a study where it was done before, from data/results: of which data, seeds and changes, and
 * when, then its findings as `showFindings` does. Says so where there is no such result.
 */
export async function showRecordedFindings(
  study: string,
  { protocol = "reduced", data = "cifar10" }: { readonly protocol?: string; readonly data?: string } = {},
): Promise<void> {
  const path = join("data", "results", protocol, data, `${study}.json`);
  const record = await readStudyRecord(join(projectFolder(), path));
  if (record === undefined) {
    console.log(`there is no result of the ${protocol} protocol: ${path} is missing`);
    return;
  }
  showTable([
    {
      result: path,
      "training images": record.data.train,
      "test images": record.data.test,
      seeds: record.settings.seeds.join(", "),
      changes: record.settings.overrides.join(" "),
      finished: record.finishedAt.slice(0, 10),
    },
  ]);
  showFindings({
    findings: record.findings,
    ...(record.notTested !== undefined && { notTested: record.notTested }),
  });
}
