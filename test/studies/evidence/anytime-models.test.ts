import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunSpec } from "../../../lib/experiments/specs/spec.js";
import { changedSpec } from "../../../lib/experiments/specs/spec-change.js";
import { anytimeArms } from "../../../lib/studies/evidence/anytime-models.js";
import { decided, finding, verdictOf } from "../../../lib/studies/evidence/finding.js";
import { lastStep } from "../../../lib/studies/evidence/quantities.js";
import { anytimeSeries, numberRows } from "../../../lib/studies/evidence/numbers.js";
import { isAhead } from "../../../lib/studies/evidence/rules.js";
import { quantityCells } from "../../../lib/studies/evidence/tables.js";
import { runStudy } from "../../../lib/studies/run-study.js";
import type { Study, StudyResult } from "../../../lib/studies/study.js";
import { StudyContext } from "../../../lib/studies/study-context.js";
import { temporaryFolder } from "../../temporary-folder.js";
import { tinyRunSpec } from "../../experiments/tiny-run.js";
import { DIVERGING, SMALL_DATA } from "../small-study.js";

/** An ordinary network and a cascade for each seed; the cascade of the last seed diverges. */
const STUDY: Study = {
  name: "two-arms",
  title: "Two arms",
  claim: "none",
  handlesDivergence: true,
  trainings: ({ seeds }, data) =>
    seeds.flatMap((seed) =>
      (["cascaded-ce", "cascaded-td"] as const).map((preset): RunSpec => {
        const diverges = preset === "cascaded-td" && seed === seeds.at(-1);
        const spec = { ...tinyRunSpec(preset), data, seed };
        return changedSpec(spec, diverges ? DIVERGING : {});
      }),
    ),
  async analyse(settings, context): Promise<StudyResult> {
    const arms = await anytimeArms(STUDY.trainings(settings, context.data), context, (model) => model);
    const statement = { statement: "the cascade is ahead", by: "project", carries: true } as const;
    return {
      findings: decided([
        finding(statement, isAhead, arms.over("CascadedTD", ["CascadedCE", "SerialCE"], lastStep)),
      ]),
      tables: [
        {
          name: "last",
          title: "Last step",
          rows: arms.arms.map((arm) => quantityCells(arms, arm, [lastStep])),
        },
      ],
      figures: [],
      numbers: numberRows(arms, anytimeSeries),
    };
  },
};

test("one training that diverged is left out of its own comparisons alone, and said", async (context) => {
  const study = new StudyContext(SMALL_DATA.source, await temporaryFolder(context));
  const result = await runStudy(STUDY, { seeds: [1, 2, 3], change: {} }, study);
  const [one] = result.findings;
  assert.deepEqual(
    one?.contrasts.map(({ of, n }) => [of, n]),
    [
      ["CascadedTD over CascadedCE", 2],
      ["CascadedTD over SerialCE", 2],
    ],
  );
  assert.match(one.measured, /n = 2, 1 seed diverged/);
  assert.notEqual(verdictOf(result), "not tested here");
  assert.equal(result.tables[0]?.title, "Last step (1 of 6 trainings diverged: seed 3)");
  assert.equal(result.diverged?.length, 1);
});

test("where all trainings of an arm diverged nothing is decided", async (context) => {
  const study = new StudyContext(SMALL_DATA.source, await temporaryFolder(context));
  const result = await runStudy(STUDY, { seeds: [3], change: {} }, study);
  assert.equal(result.findings[0]?.outcome, "not decided");
  assert.equal(verdictOf(result), "not tested here");
});
