import { from } from "arquero";
import { aurocOverTimeFigure } from "../../../figures/auroc-over-time.js";
import { noveltyFigure } from "../../../figures/novelty.js";
import { singleTracesFigure } from "../../../figures/single-traces.js";
import { stoppingRulesFigure } from "../../../figures/stopping-rules.js";
import type { StudyContext } from "../../study-context.js";
import type { StudyResult } from "../../study.js";
import type { TraceRows } from "./rows.js";
import type { TraceSettings } from "./runs.js";
import { singleTraces } from "./traced-images.js";

export async function figuresOf(
  { correctness, stopping, novelty }: TraceRows,
  settings: TraceSettings,
  context: StudyContext,
): Promise<StudyResult["figures"]> {
  const { classNames, traces } = await singleTraces(settings, context);
  return [
    {
      name: "stopping-rules",
      caption:
        "Stopping rules compared. Above: accuracy against mean stopping time. Below: the same less the confidence rule's accuracy at equal mean stopping time. Deadline: every image is answered at the same timestep.",
      figure: stoppingRulesFigure(from(stopping)),
    },
    {
      name: "judging",
      caption:
        "How well the GRU's probability of being right (filled) and the confidence (open, dotted) tell right answers from wrong ones at each timestep, and what the one is ahead of the other by, paired by seed.",
      figure: aurocOverTimeFigure(from(correctness)),
    },
    {
      name: "novelty",
      caption:
        "How well detectors tell out-of-distribution images from in-distribution ones, with 95 % bootstrap intervals, a dot for each seed. * learnt from out-of-distribution images; all others have seen in-distribution images only.",
      figure: noveltyFigure(from(novelty)),
    },
    {
      name: "single-traces",
      caption:
        "Traces of single test images, the first of each kind in an order drawn by the seed, and where each rule stops when all rules stop equally early on average.",
      figure: singleTracesFigure(traces, classNames),
    },
  ];
}
