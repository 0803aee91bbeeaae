import { from } from "arquero";
import { DETECTORS } from "../../../experiments/analyses/novelty-detection.js";
import { aurocOverTimeFigure } from "../../../figures/auroc-over-time.js";
import { noveltyFigure } from "../../../figures/novelty.js";
import { singleTracesFigure } from "../../../figures/single-traces.js";
import { stoppingRulesFigure } from "../../../figures/stopping-rules.js";
import { groupRows } from "../../../util/group-rows.js";
import { mean, standardError } from "../../../util/statistics.js";
import { FULL_OVERRIDES } from "../../full.js";
import { differenceAndError, meanAndError } from "../../evidence/mean-and-error.js";
import { QUICK_OVERRIDES } from "../../quick.js";
import type { Finding, ProtocolName, Study, StudyResult, TableRow } from "../../study.js";
import { type AreaRow, type JudgementRow, judgementRows, type Rule, stoppingRows } from "./judging.js";
import { FOREIGN_SETS, type NoveltyRow, noveltyRows } from "./novelty.js";
import {
  JUDGED_MODELS,
  judgedSpec,
  judgedTrace,
  namesOf,
  NOVELTY_MODELS,
  noveltySpec,
  type TraceSettings,
} from "./runs.js";
import { singleTraces } from "./traced-images.js";

const GRU: TraceSettings["gru"] = { hidden: 32, epochs: 15, batchSize: 256, learningRate: 0.005 };

/**
 * What is trained and measured at each protocol: seeds, the GRU that reads traces, and the classes that are held
 * out as foreign.
 */
export const TRACE_SETTINGS: Readonly<Record<ProtocolName, TraceSettings>> = {
  quick: {
    seeds: [0],
    overrides: QUICK_OVERRIDES,
    gru: { hidden: 4, epochs: 2, batchSize: 64, learningRate: 0.01 },
    heldOutClasses: [3, 9],
    noveltyOverrides: [],
    foreignImages: 40,
  },
  reduced: {
    seeds: [0, 1, 2],
    overrides: ["train.epochs=5"],
    gru: GRU,
    heldOutClasses: [3, 9],
    noveltyOverrides: ["trainImages=20000", "train.epochs=3"],
    foreignImages: 2000,
  },
  full: {
    seeds: [0, 1, 2, 3, 4],
    overrides: FULL_OVERRIDES,
    gru: GRU,
    heldOutClasses: [3, 9],
    noveltyOverrides: [],
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
      findings: [...judgementFindings(judgement), ...stoppingFindings(areas), ...noveltyFindings(novelty)],
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

/**
 * A lead comes out if it is positive for every seed and its mean is above two standard errors; a single seed decides
 * nothing.
 */
function leadFinding(statement: string, leads: readonly number[], digits: number): Finding {
  const isClear = leads.every((lead) => lead > 0) && mean(leads) > 2 * standardError(leads);
  const each = leads.map((lead) => lead.toFixed(digits)).join(", ");
  return {
    statement,
    measured: `lead ${differenceAndError(leads, digits)} (n = ${leads.length}); by seed ${each}`,
    comesOut: isClear,
  };
}

function judgementFindings(rows: readonly JudgementRow[]): Finding[] {
  return [...groupRows(rows, (row) => row.model)].map(([model, own]) => {
    const leads = [...groupRows(own, (row) => row.seed).values()].map((members) => {
      const average = (signal: string): number =>
        mean(members.filter((row) => row.signal === signal && row.timestep > 0).map((row) => row.auroc));
      return average("GRU") - average("confidence");
    });
    return leadFinding(
      `${model}: the GRU tells right answers from wrong ones better than the confidence (AUROC, mean over t >= 1)`,
      leads,
      4,
    );
  });
}

const LEARNT_RULES = [
  ["right (GRU)", "the GRU's probability of being right"],
  ["gain (GRU)", "what the GRUs expect to gain by waiting"],
] as const satisfies readonly (readonly [Rule, string])[];

function stoppingFindings(rows: readonly AreaRow[]): Finding[] {
  return [...groupRows(rows, (row) => row.model)].flatMap(([model, ofModel]) => {
    const seeds = [...groupRows(ofModel, (row) => row.seed).values()];
    return LEARNT_RULES.map(([learnt, name]) => {
      const leads = seeds.map((members) => {
        const own = members.find(({ rule }) => rule === learnt)?.area ?? NaN;
        const fixed = members.filter(({ rule }) => !LEARNT_RULES.some(([other]) => other === rule));
        return 100 * (own - Math.max(...fixed.map((row) => row.area)));
      });
      return leadFinding(
        `${model}: stopping by ${name} has a larger area under the speed-accuracy curve than the best of confidence, margin, entropy and patience (points of accuracy)`,
        leads,
        2,
      );
    });
  });
}

type Which = Pick<NoveltyRow, "model" | "detector" | "reads">;

const CONFIDENCE: Which = { model: "CascadedTD", detector: DETECTORS.confidence, reads: "last step" };
const WHOLE_TRACE: Which = { model: "CascadedTD", detector: DETECTORS.noveltyGru, reads: "whole trace" };
const WHOLE_TRACE_UNTAUGHT: Which = { ...WHOLE_TRACE, detector: DETECTORS.gaussian };

function noveltyFindings(rows: readonly NoveltyRow[]): Finding[] {
  const compared: readonly { readonly statement: string; readonly better: Which; readonly than: Which }[] = [
    {
      statement: "a GRU of the whole trace that learnt from foreign images beats the last step's confidence",
      better: WHOLE_TRACE,
      than: CONFIDENCE,
    },
    {
      statement: "without foreign images to learn from, class Gaussians of the whole trace beat it too",
      better: WHOLE_TRACE_UNTAUGHT,
      than: CONFIDENCE,
    },
    {
      statement: "time itself helps: the GRU of the whole trace beats the same of the last step",
      better: WHOLE_TRACE,
      than: { ...WHOLE_TRACE, reads: "last step" },
    },
    {
      statement: "the GRU of CascadedTD's trace beats that of SerialTD-MultiHead's",
      better: WHOLE_TRACE,
      than: { ...WHOLE_TRACE, model: "SerialTD-MultiHead" },
    },
  ];
  return FOREIGN_SETS.flatMap((foreign) =>
    compared.map(({ statement, better, than }) => {
      const bySeed = groupRows(
        rows.filter((row) => row.foreign === foreign),
        (row) => row.seed,
      );
      const leads = [...bySeed.values()].map((own) => aurocOf(own, better) - aurocOf(own, than));
      return leadFinding(`${foreign}: ${statement} (AUROC)`, leads, 3);
    }),
  );
}

function aurocOf(rows: readonly NoveltyRow[], { model, detector, reads }: Which): number {
  const row = rows.find((one) => one.model === model && one.detector === detector && one.reads === reads);
  return row?.auroc ?? NaN;
}

function judgementTable(rows: readonly JudgementRow[]): TableRow[] {
  const places = groupRows(rows, (row) => `${row.model}/${row.timestep}`);
  return [...places.values()].map((own) => {
    const { model, timestep } = own[0] as JudgementRow;
    const of = (signal: string): number[] =>
      own.filter((row) => row.signal === signal).map((row) => row.auroc);
    const leads = of("GRU").map((auroc, i) => auroc - (of("confidence")[i] as number));
    return {
      model,
      timestep,
      GRU: meanAndError(of("GRU"), 3),
      confidence: meanAndError(of("confidence"), 3),
      "lead of the GRU": differenceAndError(leads, 4),
      n: leads.length,
      "95 % of the first seed, GRU": interval(own.find((row) => row.signal === "GRU")),
      "confidence's": interval(own.find((row) => row.signal === "confidence")),
    };
  });
}

function areaTable(rows: readonly AreaRow[]): TableRow[] {
  const places = groupRows(rows, (row) => `${row.model}/${row.rule}`);
  return [...places.values()].map((own) => {
    const { model, rule } = own[0] as AreaRow;
    const confidence = rows.filter((row) => row.model === model && row.rule === "confidence");
    const leads = own.map((row, i) => 100 * (row.area - (confidence[i]?.area ?? NaN)));
    return {
      model,
      rule,
      "area, %": meanAndError(
        own.map((row) => 100 * row.area),
        2,
      ),
      "lead over confidence, points": differenceAndError(leads, 2),
      n: leads.length,
    };
  });
}

function noveltyTable(rows: readonly NoveltyRow[]): TableRow[] {
  const places = groupRows(rows, (row) => [row.foreign, row.model, row.detector, row.reads].join("/"));
  return [...places.values()].map((own) => {
    const { foreign, model, detector, reads, learntFrom } = own[0] as NoveltyRow;
    return {
      foreign,
      model,
      detector,
      reads,
      "learnt from": learntFrom,
      AUROC: meanAndError(
        own.map((row) => row.auroc),
        3,
      ),
      n: own.length,
      "95 % of each seed": own.map(interval).join("; "),
    };
  });
}

function interval(row: { readonly low: number; readonly high: number } | undefined): string {
  return row === undefined ? "" : `${row.low.toFixed(3)} to ${row.high.toFixed(3)}`;
}
