import { join } from "node:path";
import { verdictOf } from "../studies/evidence/finding.js";
import {
  holds,
  isEndPoint,
  isFormer,
  readStudyRecord,
  type RecordedFinding,
} from "../studies/replication/study-record.js";
import type { StudyResult } from "../studies/study.js";
import { projectFolder } from "./project-folder.js";
import type { TableRow } from "../util/table-cells.js";
import { showTable } from "./show-table.js";
import { showText } from "./show-text.js";

/** Shows what came out of a study: the verdict, then each finding, end points first; or why there are none. */
export function showFindings({ findings, notTested }: Pick<StudyResult, "findings" | "notTested">): void {
  showOutcome(verdictOf({ findings }), findings, { notTested });
}

function showOutcome(
  verdict: string,
  findings: readonly AnyFinding[],
  {
    notTested,
    withdrawn,
  }: { readonly notTested?: string | undefined; readonly withdrawn?: string | undefined },
): void {
  if (notTested !== undefined) {
    showText(`not tested here: ${notTested}`);
    return;
  }
  if (withdrawn !== undefined) showText(`withdrawn: ${withdrawn}`);
  showTable([findingsSummary(verdict, findings)]);
  const inOrder = [...findings.filter(isEndPoint), ...findings.filter((one) => !isEndPoint(one))];
  showTable(inOrder.map(findingRow), { limit: findings.length });
}

type AnyFinding = Readonly<RecordedFinding> | StudyResult["findings"][number];

function findingRow(finding: AnyFinding): TableRow {
  const outcome = "outcome" in finding ? finding.outcome : finding.comesOut ? "holds" : "does not hold";
  return {
    outcome,
    ...("by" in finding && { "end point": finding.carries ? "yes" : "", by: finding.by }),
    finding: finding.statement,
    measured: finding.measured,
  };
}

/** The row above the findings. */
export function findingsSummary(verdict: string, findings: readonly AnyFinding[]): TableRow {
  const endPoints = findings.filter(isEndPoint);
  return {
    verdict,
    "end points": endPoints.length,
    "of these hold": endPoints.filter(holds).length,
    "other findings": findings.length - endPoints.length,
    "of those hold": findings.filter((one) => !isEndPoint(one) && holds(one)).length,
  };
}

/**
 * Shows what came out of a study where it was done before, from data/results: of which data, seeds and changes, and
 * when, then its findings as `showFindings` does. Says so where there is no such result.
 */
export function showRecordedFindings(
  study: string,
  { protocol = "reduced", data = "cifar10" }: { readonly protocol?: string; readonly data?: string } = {},
): void {
  const path = join("data", "results", protocol, data, `${study}.json`);
  const record = readStudyRecord(join(projectFolder(), path));
  if (record === undefined) {
    showText(`there is no result of the ${protocol} protocol: ${path} is missing`);
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
  showOutcome(isFormer(record.verdict) ? "by former rules" : record.verdict, record.findings, record);
}
