import { seriesRows, wholeRun } from "../../evidence/numbers.js";
import type { StudyResult } from "../../study.js";
import { detectorArm, ruleArm, signalArm } from "./arms.js";
import type { TraceRows } from "./rows.js";

/** Every run's own numbers. */
export function numbersOf({ correctness, areas, stopping, novelty }: TraceRows): StudyResult["numbers"] {
  return [
    ...correctness.flatMap(({ seed, timestep, auroc, ...row }) =>
      seriesRows({ part: "right answers", arm: signalArm(row), seed }, [
        { quantity: "AUROC", at: [timestep], values: [auroc] },
      ]),
    ),
    ...stopping.flatMap(({ seed, meanStoppingTime, accuracy, ...row }) =>
      seriesRows({ part: "stopping", arm: ruleArm(row), seed }, [
        { quantity: "accuracy at mean stopping time", at: [meanStoppingTime], values: [accuracy] },
      ]),
    ),
    ...areas.flatMap(({ seed, area, ...row }) =>
      seriesRows({ part: "stopping", arm: ruleArm(row), seed }, [wholeRun("area", area)]),
    ),
    ...novelty.flatMap(({ seed, outOfDistribution, auroc, ...row }) =>
      seriesRows({ part: outOfDistribution, arm: detectorArm(row), seed }, [wholeRun("AUROC", auroc)]),
    ),
  ];
}
