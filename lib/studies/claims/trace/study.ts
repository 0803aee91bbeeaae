import { seriesRows, wholeRun } from "../../evidence/numbers.js";
import { detectorArm, ruleArm, signalArm } from "./arms.js";
import { from } from "arquero";
import { aurocOverTimeFigure } from "../../../figures/auroc-over-time.js";
import { noveltyFigure } from "../../../figures/novelty.js";
import { singleTracesFigure } from "../../../figures/single-traces.js";
import { stoppingRulesFigure } from "../../../figures/stopping-rules.js";
import { decided } from "../../evidence/finding.js";
import { FULL_CHANGE } from "../../full.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE, SETTLED_SEEDS } from "../../settled.js";
import type { ProtocolName, Study, StudyResult } from "../../study.js";
import { correctnessFindings, noveltyFindings, stoppingFindings } from "./findings.js";
import { type CorrectnessRow, correctnessRows } from "./correctness.js";
import { stoppingRows } from "./stopping.js";
import { type NoveltyRow, noveltyRows } from "./novelty.js";
import {
  TRACE_MODELS,
  allClassesSpec,
  scoredTrace,
  namesOf,
  NOVELTY_MODELS,
  noveltySpec,
  type TraceSettings,
} from "./runs.js";
import { areaTable, correctnessTable, noveltyTable } from "./tables.js";
import { singleTraces } from "./traced-images.js";

const GRU: TraceSettings["gru"] = { hidden: 32, epochs: 15, batchSize: 256, learningRate: 0.005 };

/**
 * What is trained and measured at each protocol: seeds, the GRU that reads traces, and the classes that are held
 * out, whose images are out of distribution.
 */
export const TRACE_SETTINGS: Readonly<Record<ProtocolName, TraceSettings>> = {
  quick: {
    seeds: [0],
    change: QUICK_CHANGE,
    gru: { hidden: 4, epochs: 2, batchSize: 64, learningRate: 0.01 },
    heldOutClasses: [3, 9],
    noveltyChange: {},
    outOfDistributionImages: 40,
  },
  reduced: {
    seeds: [0, 1, 2],
    change: { train: { epochs: 5 } },
    gru: GRU,
    heldOutClasses: [3, 9],
    noveltyChange: { trainImages: 20000, train: { epochs: 3 } },
    outOfDistributionImages: 2000,
  },
  settled: {
    seeds: SETTLED_SEEDS,
    change: SETTLED_CHANGE,
    gru: GRU,
    heldOutClasses: [3, 9],
    noveltyChange: {},
    outOfDistributionImages: 4000,
  },
  full: {
    seeds: [0, 1, 2, 3, 4],
    change: FULL_CHANGE,
    gru: GRU,
    heldOutClasses: [3, 9],
    noveltyChange: {},
    outOfDistributionImages: 4000,
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
    "The output over time is a signal of its own: a recurrent network that reads it judges whether the answer is right, when to stop and whether an image is out of distribution, better than the confidence of one moment does.",
  trainings(settings, data) {
    return settings.seeds.flatMap((seed) => [
      ...namesOf(TRACE_MODELS).map((model) => allClassesSpec(model, seed, settings, data)),
      ...namesOf(NOVELTY_MODELS).map((model) => noveltySpec(model, seed, settings, data)),
    ]);
  },
  async analyse(settings, context) {
    const answers: CorrectnessRow[] = [];
    const stopping: ReturnType<typeof stoppingRows>[] = [];
    const novelty: NoveltyRow[] = [];
    for (const seed of settings.seeds) {
      for (const model of namesOf(TRACE_MODELS)) {
        const scored = await scoredTrace(model, seed, settings, context);
        answers.push(...correctnessRows(scored));
        stopping.push(stoppingRows(scored));
      }
      for (const model of namesOf(NOVELTY_MODELS)) {
        novelty.push(...(await noveltyRows(model, seed, settings, context)));
      }
    }
    const areas = stopping.flatMap((one) => one.areas);
    const { classNames, traces } = await singleTraces(settings, context);
    return {
      findings: decided([
        ...correctnessFindings(answers),
        ...stoppingFindings(areas),
        ...noveltyFindings(novelty),
      ]),
      tables: [
        { name: "judging", title: "AUROC of right against wrong answers", rows: correctnessTable(answers) },
        { name: "stopping", title: "Area under the speed-accuracy curve", rows: areaTable(areas) },
        {
          name: "novelty",
          title: "AUROC of out-of-distribution against in-distribution images",
          rows: noveltyTable(novelty),
        },
      ],
      figures: [
        {
          name: "stopping-rules",
          caption:
            "Stopping rules compared. Above: accuracy against mean stopping time. Below: the same less the confidence rule's accuracy at equal mean stopping time. Deadline: every image is answered at the same timestep.",
          figure: stoppingRulesFigure(from(stopping.flatMap(({ points }) => points))),
        },
        {
          name: "judging",
          caption:
            "How well the GRU's probability of being right (filled) and the confidence (open, dotted) tell right answers from wrong ones at each timestep, and what the one is ahead of the other by, paired by seed.",
          figure: aurocOverTimeFigure(from(answers)),
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
      ],
      numbers: [
        ...answers.flatMap(({ seed, timestep, auroc, ...row }) =>
          seriesRows({ part: "right answers", arm: signalArm(row), seed }, [
            { quantity: "AUROC", at: [timestep], values: [auroc] },
          ]),
        ),
        ...stopping.flatMap(({ points }) =>
          points.flatMap(({ seed, meanStoppingTime, accuracy, ...row }) =>
            seriesRows({ part: "stopping", arm: ruleArm(row), seed }, [
              { quantity: "accuracy at mean stopping time", at: [meanStoppingTime], values: [accuracy] },
            ]),
          ),
        ),
        ...areas.flatMap(({ seed, area, ...row }) =>
          seriesRows({ part: "stopping", arm: ruleArm(row), seed }, [wholeRun("area", area)]),
        ),
        ...novelty.flatMap(({ seed, outOfDistribution, auroc, ...row }) =>
          seriesRows({ part: outOfDistribution, arm: detectorArm(row), seed }, [wholeRun("AUROC", auroc)]),
        ),
      ],
    } satisfies StudyResult;
  },
};
