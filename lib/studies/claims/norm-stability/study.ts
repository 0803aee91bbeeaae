import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { FULL_CHANGE, FULL_SEEDS } from "../../full.js";
import { chosenConstants, CHOICE_RULE, type NormConstants } from "./choice.js";
import { constantsRows, runRowsOf } from "./tables.js";
import { type StabilityTraining, stabilityTraining } from "./stability-training.js";
import { presetTraining } from "../../preset-trainings.js";
import { EMBEDDED_DATA, EMBEDDED_CHANGE, QUICK_CHANGE } from "../../quick.js";
import { counted, decided, type Draft } from "../../evidence/finding.js";
import { SETTLED_NARROW_CHANGE } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../../study.js";
import { overTimeSeries, seriesRows } from "../../evidence/numbers.js";
import type { StudyContext } from "../../study-context.js";
import { combined, type SpecChange } from "../../../experiments/specs/spec-change.js";
import { REDUCED_NARROW_CHANGE } from "../../reduced.js";

/** What is trained with every pair of constants. */
export interface StabilityArm {
  readonly name: string;
  readonly preset: PresetName;
  readonly change: SpecChange;
}

export interface NormStabilitySettings extends StudySettings {
  readonly epsilons: readonly number[];
  readonly momenta: readonly number[];
  readonly arms: readonly StabilityArm[];
  /** A second, small size on the embedded images, with the same seeds. */
  readonly small?: { readonly change: SpecChange; readonly arms: readonly StabilityArm[] };
}

const CASCADED: StabilityArm = { name: "CascadedTD", preset: "cascaded-td", change: {} };
const LABEL_AT_EVERY_STEP: StabilityArm = {
  name: "CascadedTD, λ = 1",
  preset: "cascaded-td",
  change: { loss: { lambda: 1 } },
};
const SERIAL: StabilityArm = { name: "SerialTD-MultiHead", preset: "serial-td-multihead", change: {} };
const ORDINARY: StabilityArm = { name: "ordinary network", preset: "cascaded-ce", change: {} };

const EPSILONS = [1e-5, 1e-3, 1e-2, 0.1];
const MOMENTA = [0.1, 1];

/**
 * What is trained and measured at each protocol: seeds, and the epsilons and momenta of batch norm that are tried.
 */
export const NORM_STABILITY_SETTINGS: Readonly<Record<ProtocolName, NormStabilitySettings>> = {
  quick: {
    seeds: [0],
    change: QUICK_CHANGE,
    epsilons: EPSILONS,
    momenta: MOMENTA,
    arms: [CASCADED],
  },
  reduced: {
    seeds: [0, 1, 2, 3, 4, 5, 6, 7],
    change: REDUCED_NARROW_CHANGE,
    epsilons: EPSILONS,
    momenta: MOMENTA,
    arms: [CASCADED, ORDINARY],
    small: {
      change: combined(QUICK_CHANGE, EMBEDDED_CHANGE),
      arms: [CASCADED, LABEL_AT_EVERY_STEP, SERIAL, ORDINARY],
    },
  },
  settled: {
    seeds: [0, 1, 2],
    change: SETTLED_NARROW_CHANGE,
    epsilons: [1e-5, 0.1],
    momenta: MOMENTA,
    arms: [CASCADED, ORDINARY],
  },
  full: {
    seeds: FULL_SEEDS,
    change: FULL_CHANGE,
    epsilons: [1e-5, 0.1],
    momenta: MOMENTA,
    arms: [CASCADED],
  },
};

/** Those of the published code: in its time-indexed batch norm by two shifted arguments, elsewhere PyTorch's. */
const PUBLISHED: Readonly<Record<"timeIndexed" | "ordinary", NormConstants>> = {
  timeIndexed: { epsilon: 0.1, momentum: 1 },
  ordinary: { epsilon: 1e-5, momentum: 0.1 },
};
/** Epsilon is judged with running statistics that average over batches. */
const STEADY_MOMENTUM = 0.1;

/** Which constants of batch norm train stably, and which the presets have. */
export const normStabilityStudy: Study<NormStabilitySettings> = {
  name: "norm-stability",
  title: "Batch-norm constants: stability and the choice of defaults",
  claim:
    "Not the paper's, but a decision of this project: batch norm has the published epsilon, and its running statistics " +
    "the published momentum, unless others are better by how many trainings diverge or stay at chance and by accuracy " +
    `on held-out images. The rule, for time-indexed and for ordinary batch norm each: ${CHOICE_RULE}.`,
  handlesDivergence: true,
  trainings: (settings, data) => planned(settings, data).map(({ spec }) => spec),
  analyse: analyseStability,
};

interface Planned extends NormConstants {
  readonly size: string;
  readonly arm: string;
  readonly spec: RunSpec;
}

/** Every training, seed by seed; the momentum takes no part in training, but its weights are judged with it. */
function planned(settings: NormStabilitySettings, data: ResolvedDatasetSource): Planned[] {
  const { seeds, change, arms, epsilons, momenta, small } = settings;
  const sizes = [
    { size: "protocol", data, change, arms },
    ...(small === undefined ? [] : [{ size: "small", data: EMBEDDED_DATA, ...small }]),
  ];
  return sizes.flatMap((one) =>
    seeds.flatMap((seed) =>
      one.arms.flatMap((arm) =>
        epsilons.flatMap((epsilon) =>
          momenta.map((momentum) => {
            const changes = combined(one.change, arm.change, { network: { epsilon, momentum } });
            const spec = presetTraining(arm.preset, seed, changes, one.data);
            return { size: one.size, arm: arm.name, epsilon, momentum, spec };
          }),
        ),
      ),
    ),
  );
}

function analyseStability(settings: NormStabilitySettings, context: StudyContext): Promise<StudyResult> {
  const trainings = planned(settings, context.data).map(({ spec, ...place }) => ({
    ...stabilityTraining(spec, context.run(spec)),
    ...place,
  }));
  return Promise.resolve({
    findings: decided(findingsOf(trainings, settings)),
    tables: [
      {
        name: "constants",
        title:
          "Trainings that diverged and that stayed at chance; accuracy on held-out images in %, mean over the seeds that gave a model, in brackets the paired difference to the published constants with its 95 % interval",
        rows: constantsRows(trainings, settings, publishedOf),
      },
      {
        name: "runs",
        title: "Every run: accuracy at each timestep, on held-out images and on test images",
        rows: runRowsOf(trainings),
      },
    ],
    figures: [],
    numbers: trainings.flatMap(({ arm, size, epsilon, momentum, seed, heldOut, test }) =>
      seriesRows({ part: size, arm: `${arm}, ε = ${epsilon}, momentum = ${momentum}`, seed }, [
        overTimeSeries("held-out accuracy", heldOut),
        overTimeSeries("test accuracy", test),
      ]),
    ),
  });
}

const publishedOf = (arm: string): NormConstants =>
  PUBLISHED[arm === ORDINARY.name ? "ordinary" : "timeIndexed"];

function findingsOf(
  trainings: readonly StabilityTraining[],
  { epsilons, momenta }: Pick<NormStabilitySettings, "epsilons" | "momenta">,
): Draft[] {
  // The momentum takes no part in training: each is counted once.
  const counts = trainings.filter(({ momentum }) => momentum === STEADY_MOMENTUM);
  const failures = (epsilon: number): number =>
    counts.filter((one) => one.epsilon === epsilon && one.failed).length;
  const perEpsilon = counts.length / epsilons.length;
  const kinds = ["timeIndexed", "ordinary"] as const;
  return [
    ...kinds.flatMap((kind) => {
      const own = trainings.filter(({ arm }) => publishedOf(arm) === PUBLISHED[kind]);
      return own.length === 0 ? [] : choiceFindings(kind, own, epsilons, momenta);
    }),
    counted(
      {
        statement: `With ε = ${PUBLISHED.timeIndexed.epsilon} no training diverges or stays at chance`,
        by: "project",
      },
      epsilons.map((epsilon) => `ε = ${epsilon}: ${failures(epsilon)} of ${perEpsilon}`).join(", "),
      failures(PUBLISHED.timeIndexed.epsilon) === 0,
    ),
  ];
}

/**
 * Epsilon first, then the momentum with the epsilon chosen: each holds if the rule keeps the published value. It keeps it,
 * too, where there is nothing to compare, so fewer than two seeds that gave a model decide nothing.
 */
function choiceFindings(
  kind: keyof typeof PUBLISHED,
  trainings: readonly StabilityTraining[],
  epsilons: readonly number[],
  momenta: readonly number[],
): Draft[] {
  const published = PUBLISHED[kind];
  const norm = kind === "ordinary" ? "Ordinary batch norm" : "Time-indexed batch norm";
  const steady = { epsilon: published.epsilon, momentum: STEADY_MOMENTUM };
  const { epsilon } = chosenConstants(
    trainings,
    steady,
    epsilons.map((one) => ({ epsilon: one, momentum: STEADY_MOMENTUM })),
  );
  const { momentum } = chosenConstants(
    trainings,
    { epsilon, momentum: published.momentum },
    momenta.map((one) => ({ epsilon, momentum: one })),
  );
  const seeds = new Set(trainings.filter(({ accuracies }) => "last" in accuracies).map(({ seed }) => seed))
    .size;
  const stays = (what: string, chosen: string, holds: boolean): Draft =>
    counted(
      {
        statement: `${norm}: the rule above keeps the published ${what}`,
        by: "project",
        carries: true,
      },
      `chosen: ${chosen}; n = ${seeds}`,
      seeds < 2 ? undefined : holds,
    );
  return [
    stays(`ε = ${published.epsilon}`, `ε = ${epsilon}`, epsilon === published.epsilon),
    stays(
      `momentum of ${published.momentum}`,
      `momentum ${momentum}, with ε = ${epsilon}`,
      momentum === published.momentum,
    ),
  ];
}
