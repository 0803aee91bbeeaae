import { decided } from "../../evidence/finding.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_NARROW_CHANGE } from "../../settled.js";
import type { ProtocolName, Study, StudyResult } from "../../study.js";
import { accuracySeries, anytimeSeries, numberRows } from "../../evidence/numbers.js";
import type { StudyContext } from "../../study-context.js";
import { delayArms } from "./arms.js";
import { figuresOf } from "./figures.js";
import { findingsOf } from "./findings.js";
import { tablesOf } from "./tables.js";
import { type DelaysSettings, trainingsOfSeed } from "./trainings.js";
import { combined } from "../../../experiments/specs/spec-change.js";
import { REDUCED_NARROW_CHANGE, REDUCED_SEEDS } from "../../reduced.js";

/**
 * Smoothing makes every timestep distinct, so that a network that is trained for 70 steps costs about 70 passes an
 * image: in the reduced protocol it is a sixteenth as wide as the paper's, and sees few images.
 */
export const DELAYS_SETTINGS: Readonly<Record<ProtocolName, DelaysSettings>> = {
  quick: {
    seeds: [0],
    change: QUICK_CHANGE,
    smoothings: [0, 0.9],
    smallEpsilon: 1e-5,
    long: {
      timesteps: 20,
      images: 100,
      change: combined(QUICK_CHANGE, { trainImages: 100 }),
    },
  },
  reduced: {
    seeds: REDUCED_SEEDS,
    change: REDUCED_NARROW_CHANGE,
    smoothings: [0, 0.5, 0.9],
    smallEpsilon: 1e-5,
    long: {
      timesteps: 70,
      images: 1000,
      change: {
        network: { width: 0.0625 },
        trainImages: 2000,
        testImages: 1000,
        train: { epochs: 3, batchSize: 32 },
      },
    },
  },
  settled: {
    seeds: [0, 1, 2],
    change: SETTLED_NARROW_CHANGE,
    smoothings: [0, 0.5, 0.9],
    smallEpsilon: 1e-5,
    long: { timesteps: 70, images: 5000, change: { network: { width: 0.125 }, trainImages: 10000 } },
  },
  full: {
    seeds: FULL_SEEDS,
    change: FULL_CHANGE,
    smoothings: [0, 0.3, 0.6, 0.9],
    smallEpsilon: 1e-5,
    long: { timesteps: 70, images: 10000, change: FULL_CHANGE },
  },
};

/** One-step delay against smoothing, trained with the delay or given it afterwards, for 9 steps and for many. */
export const delaysStudy: Study<DelaysSettings> = {
  name: "delays",
  title: "One-step delay and exponential smoothing",
  claim:
    "A ResNet whose residual blocks have a propagation delay gives anytime predictions: with the one-step delay its " +
    "functional depth grows with time. Exponential smoothing z[t] = a z[t-1] + (1-a) u[t] is the other delay of the " +
    "paper, with a = 0 the ordinary network, and is run with a = 0.9 for 70 steps.",
  trainings: (settings, data) =>
    settings.seeds.flatMap((seed) => {
      const { byDelay, ...others } = trainingsOfSeed(settings, seed, data);
      return [...byDelay, others.smallEpsilon, others.ordinary, others.smallShort, others.smallLong];
    }),
  analyse: analyseDelays,
};

async function analyseDelays(settings: DelaysSettings, context: StudyContext): Promise<StudyResult> {
  const study = await delayArms(settings, context);
  return {
    findings: decided(findingsOf(study)),
    tables: tablesOf(study, context),
    figures: figuresOf(study),
    numbers: [
      ...numberRows(study.trained, anytimeSeries, "trained with the delay"),
      ...numberRows(study.ordinary, accuracySeries, "ordinary weights"),
      ...numberRows(study.long, accuracySeries, "in the long run"),
    ],
  };
}
