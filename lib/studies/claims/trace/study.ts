import { from } from "arquero";
import { aurocOverTimeFigure } from "../../../figures/auroc-over-time.js";
import { noveltyFigure } from "../../../figures/novelty.js";
import { singleTracesFigure } from "../../../figures/single-traces.js";
import { stoppingRulesFigure } from "../../../figures/stopping-rules.js";
import { decided } from "../../evidence/finding.js";
import { FULL_CHANGE } from "../../full.js";
import { QUICK_CHANGE } from "../../quick.js";
import type { ProtocolName, Study, StudyResult } from "../../study.js";
import { judgementFindings, noveltyFindings, stoppingFindings } from "./findings.js";
import { type JudgementRow, judgementRows, stoppingRows } from "./judging.js";
import { type NoveltyRow, noveltyRows } from "./novelty.js";
import {
  JUDGED_MODELS,
  judgedSpec,
  judgedTrace,
  namesOf,
  NOVELTY_MODELS,
  noveltySpec,
  type TraceSettings,
} from "./runs.js";
import { areaTable, judgementTable, noveltyTable } from "./tables.js";
import { singleTraces } from "./traced-images.js";

const GRU: TraceSettings["gru"] = { hidden: 32, epochs: 15, batchSize: 256, learningRate: 0.005 };

/**
 * What is trained and measured at each protocol: seeds, the GRU that reads traces, and the classes that are held
 * out as foreign.
 */
export const TRACE_SETTINGS: Readonly<Record<ProtocolName, TraceSettings>> = {
  quick: {
    seeds: [0],
    change: QUICK_CHANGE,
    gru: { hidden: 4, epochs: 2, batchSize: 64, learningRate: 0.01 },
    heldOutClasses: [3, 9],
    noveltyChange: {},
    foreignImages: 40,
  },
  reduced: {
    seeds: [0, 1, 2],
    change: { train: { epochs: 5 } },
    gru: GRU,
    heldOutClasses: [3, 9],
    noveltyChange: { trainImages: 20000, train: { epochs: 3 } },
    foreignImages: 2000,
  },
  full: {
    seeds: [0, 1, 2, 3, 4],
    change: FULL_CHANGE,
    gru: GRU,
    heldOutClasses: [3, 9],
    noveltyChange: {},
    foreignImages: 4000,
  },
};

/**
 * The paper's last claim: what the whole trace tells beyond the confidence of one moment. Of CIFAR-10 the classes
 * held out in the novelty part are an animal (cat) and a vehicle (truck).
 */
export const traceStudy: Study<TraceSettings> = {
  name: "trace",
  title: "Using the output trace",
  claim:
    "The output over time is a signal of its own: a recurrent network that reads it judges whether the answer is right, when to stop and whether an image is foreign, better than the confidence of one moment does.",
  trainings(settings, data) {
    return settings.seeds.flatMap((seed) => [
      ...namesOf(JUDGED_MODELS).map((model) => judgedSpec(model, seed, settings, data)),
      ...namesOf(NOVELTY_MODELS).map((model) => noveltySpec(model, seed, settings, data)),
    ]);
  },
  async analyse(settings, context) {
    const judgement: JudgementRow[] = [];
    const stopping: ReturnType<typeof stoppingRows>[] = [];
    const novelty: NoveltyRow[] = [];
    for (const seed of settings.seeds) {
      for (const model of namesOf(JUDGED_MODELS)) {
        const judged = await judgedTrace(model, seed, settings, context);
        judgement.push(...judgementRows(judged));
        stopping.push(stoppingRows(judged));
      }
      for (const model of namesOf(NOVELTY_MODELS)) {
        novelty.push(...(await noveltyRows(model, seed, settings, context)));
      }
    }
    const areas = stopping.flatMap((one) => one.areas);
    const { classNames, traces } = await singleTraces(settings, context);
    return {
      findings: decided([
        ...judgementFindings(judgement),
        ...stoppingFindings(areas),
        ...noveltyFindings(novelty),
      ]),
      tables: [
        { name: "judging", title: "AUROC of right against wrong answers", rows: judgementTable(judgement) },
        { name: "stopping", title: "Area under the speed-accuracy curve", rows: areaTable(areas) },
        { name: "novelty", title: "AUROC of foreign against known images", rows: noveltyTable(novelty) },
      ],
      figures: [
        {
          name: "stopping-rules",
          caption:
            "Stopping rules compared. Above: accuracy against mean stopping time. Below: the same less the confidence rule's accuracy at equal mean stopping time, each panel on a scale of its own, which patience may leave.",
          figure: stoppingRulesFigure(from(stopping.flatMap(({ points }) => points))),
        },
        {
          name: "judging",
          caption:
            "How well the GRU's probability of being right (filled) and the confidence (open, dotted) tell right answers from wrong ones at each timestep.",
          figure: aurocOverTimeFigure(from(judgement)),
        },
        {
          name: "novelty",
          caption:
            "How well detectors tell foreign images from known ones, with 95 % bootstrap intervals, a dot for each seed. * learnt from foreign images; all others have seen known images only.",
          figure: noveltyFigure(from(novelty)),
        },
        {
          name: "single-traces",
          caption:
            "Traces of single test images, the first of each kind in an order drawn by the seed, and where each rule stops when all rules stop equally early on average.",
          figure: singleTracesFigure(traces, classNames),
        },
      ],
    } satisfies StudyResult;
  },
};
