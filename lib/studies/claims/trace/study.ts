import { decided } from "../../evidence/finding.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE, SETTLED_SEEDS } from "../../settled.js";
import type { ProtocolName, Study, StudyResult } from "../../study.js";
import { figuresOf } from "./figures.js";
import { correctnessFindings, noveltyFindings, stoppingFindings } from "./findings.js";
import { numbersOf } from "./numbers.js";
import { photographTable } from "./photographs.js";
import { traceRows } from "./rows.js";
import {
  allClassesSpec,
  namesOf,
  NOVELTY_MODELS,
  noveltySpec,
  TRACE_MODELS,
  type TraceSettings,
} from "./runs.js";
import { tablesOf } from "./tables.js";
import { REDUCED_CHANGE, REDUCED_SEEDS } from "../../reduced.js";

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
    seeds: REDUCED_SEEDS,
    change: REDUCED_CHANGE,
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
    seeds: FULL_SEEDS,
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
    const rows = await traceRows(settings, context);
    const { train } = await context.dataset();
    return {
      findings: decided([
        ...correctnessFindings(rows.correctness),
        ...stoppingFindings(rows.areas),
        ...noveltyFindings(rows.novelty),
      ]),
      tables: tablesOf(
        rows,
        photographTable(await context.otherDatasets(), train.classNames, settings.outOfDistributionImages),
      ),
      figures: await figuresOf(rows, settings, context),
      numbers: numbersOf(rows),
    } satisfies StudyResult;
  },
};
