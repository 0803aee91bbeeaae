import { specHash } from "../../../experiments/specs/spec-hash.js";
import { decided } from "../../evidence/finding.js";
import { numberRows, type NumberSeries, overTimeSeries, wholeRun } from "../../evidence/numbers.js";
import { PairedArms } from "../../evidence/paired-arms.js";
import { FULL_CHANGE, FULL_SEEDS, FULL_TRAINING } from "../../full.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE } from "../../settled.js";
import type { ProtocolName, Study, StudyResult } from "../../study.js";
import type { StudyContext } from "../../study-context.js";
import { figuresOf } from "./figures.js";
import { findingsOf } from "./findings.js";
import { type FieldModel, fieldResults } from "./measured.js";
import { tablesOf } from "./tables.js";
import { armsOfSeed, type FieldSettings } from "./trainings.js";
import { REDUCED_CHANGE } from "../../reduced.js";

const NONE = {};
/** None, then links that take as long as a tenth of a quarter-width block, as one and as ten. */
const LINK_LATENCIES = [0, 1e5, 1e6, 1e7];

const SIX_MODELS_SIZE = {
  seeds: [0, 1, 2],
  cascades: NONE,
  msdNets: NONE,
  resNets: NONE,
  familyChannels: [4, 8, 12, 16],
  ensembleChannels: 8,
  ensembleBlocks: [1, 2, 5],
  timings: 100,
  linkLatencies: LINK_LATENCIES,
};

/**
 * What is trained and measured at each protocol. Reduced: the six models' size, and opponents whose last answers cost as many
 * multiply-adds of a 32 x 32 image as CascadedTD's, 37.8 million, as nearly as their kinds allow: MSDNets and BoostNet 37.7,
 * SDN-ResNet 35.1, BranchyNet-ResNet 37.5, ZTW-ResNet 37.4, the largest ResNet of the family 35.0, all of the ensemble 36; the serial networks on
 * the cascade's own blocks need 15.7. All are trained for the same epochs by the same recipe.
 */
export const FIELD_SETTINGS: Readonly<Record<ProtocolName, FieldSettings>> = {
  quick: {
    seeds: [0],
    change: { train: QUICK_CHANGE.train ?? NONE },
    cascades: { network: QUICK_CHANGE.network ?? NONE },
    msdNets: { network: { exits: 3, base: 1, channels: 4, growth: 4 } },
    resNets: { network: { channels: [4, 8, 16, 32] } },
    familyChannels: [2, 4],
    ensembleChannels: 2,
    ensembleBlocks: [1, 2],
    timings: 2,
    linkLatencies: LINK_LATENCIES,
  },
  reduced: { ...SIX_MODELS_SIZE, change: REDUCED_CHANGE },
  settled: { ...SIX_MODELS_SIZE, change: SETTLED_CHANGE },
  full: {
    seeds: FULL_SEEDS,
    change: FULL_TRAINING,
    cascades: { network: FULL_CHANGE.network ?? NONE },
    // The published anytime configuration on CIFAR.
    msdNets: { network: { base: 4, step: 2 } },
    resNets: { network: { channels: [64, 128, 256, 512] } },
    familyChannels: [16, 32, 48, 64],
    ensembleChannels: 32,
    ensembleBlocks: [1, 2, 5],
    timings: 100,
    linkLatencies: LINK_LATENCIES.map((latency) => 16 * latency),
  },
};

/** The cascade against networks with exits and separate networks, over several budgets. */
export const fieldStudy: Study<FieldSettings> = {
  name: "field",
  title: "Against the field",
  claim:
    "A cascade trained with the temporal-difference loss outperforms state-of-the-art anytime prediction: at equal speed of " +
    "hardware that updates all blocks at once it is more accurate than networks with exits.",
  trainings(settings, data) {
    const all = settings.seeds.flatMap((seed) =>
      armsOfSeed(settings, seed, data).flatMap(({ specs }) => specs),
    );
    // A network may be a member of the family and of the ensemble.
    return [...new Map(all.map((spec) => [specHash(spec), spec])).values()];
  },
  handlesDivergence: true,
  analyse: analyseField,
};

async function analyseField(settings: FieldSettings, context: StudyContext): Promise<StudyResult> {
  const arms = PairedArms.grouped(await fieldResults(settings, context));
  const { linkLatencies } = settings;
  return {
    findings: decided(findingsOf(arms, linkLatencies)),
    tables: tablesOf(arms, linkLatencies),
    figures: figuresOf(arms),
    numbers: numberRows(arms, seriesOf),
  };
}

function seriesOf(measured: FieldModel): NumberSeries[] {
  return [
    overTimeSeries("accuracy", measured.accuracy),
    overTimeSeries("multiplyAdds", measured.multiplyAdds),
    overTimeSeries("milliseconds", measured.milliseconds),
    ...measured.parallelTimes.map((times, link) => overTimeSeries(`parallelTime, link ${link}`, times)),
    ...Object.entries(measured.measures).map(([name, value]) => wholeRun(name, value)),
  ];
}
