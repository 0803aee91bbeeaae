import type { ResolvedDatasetSource } from "../../../datasets/source.js";
import type { PresetName } from "../../../experiments/specs/presets.js";
import type { RunSpec } from "../../../experiments/specs/spec.js";
import { anytimeArms } from "../../evidence/anytime-models.js";
import { decided } from "../../evidence/finding.js";
import { FULL_CHANGE, FULL_SEEDS, FULL_TRAINING } from "../../full.js";
import { presetTrainings } from "../../preset-trainings.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_CHANGE } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, StudySettings } from "../../study.js";
import { anytimeSeries, numberRows } from "../../evidence/numbers.js";
import type { StudyContext } from "../../study-context.js";
import { figuresOf } from "./figures.js";
import { denseFindings, exitWeightFinding } from "./findings.js";
import { compared } from "./models.js";
import { tablesOf } from "./tables.js";
import { type SpecChange } from "../../../experiments/specs/spec-change.js";
import { REDUCED_SEEDS } from "../../reduced.js";

/** `change` is of the DenseNet's presets. */
export interface DenseNetSettings extends StudySettings {
  /** Changes to the ResNet's presets, with which the exit weights are tried. */
  readonly resNetChange: SpecChange;
}

const SHORT: SpecChange = { trainImages: 10000, train: { epochs: 3 } };

/**
 * What is trained and measured at each protocol: seeds, and changes to the presets of the DenseNet and of the
 * ResNet.
 */
export const DENSENET_SETTINGS: Readonly<Record<ProtocolName, DenseNetSettings>> = {
  quick: {
    seeds: [0],
    change: { ...QUICK_CHANGE, network: { growth: 2, layers: [1, 2, 1] } },
    resNetChange: QUICK_CHANGE,
  },
  reduced: {
    seeds: REDUCED_SEEDS,
    change: { ...SHORT, network: { growth: 8, layers: [2, 3, 3, 2] } },
    resNetChange: SHORT,
  },
  // The published DenseNet, trained as the reduced one: a step of its cascade takes five seconds of two cores.
  settled: {
    seeds: [0, 1, 2],
    change: { ...SHORT, network: { growth: 16, layers: [6, 12, 24, 16] } },
    resNetChange: SETTLED_CHANGE,
  },
  full: { seeds: FULL_SEEDS, change: FULL_TRAINING, resNetChange: FULL_CHANGE },
};

/** Three trainings give four models. */
const DENSENETS: readonly PresetName[] = [
  "densenet-cascaded-td",
  "densenet-cascaded-ce",
  "densenet-serial-td-multihead",
];
const RESNETS: readonly PresetName[] = ["serial-td-multihead", "shallow-deep-network"];

/** The cascade with a DenseNet, and the exit weights of a Shallow-Deep Network. */
export const densenetStudy: Study<DenseNetSettings> = {
  name: "densenet",
  title: "A DenseNet cascade, and the exit weights of a Shallow-Deep Network",
  claim:
    "Parallel updates and the temporal-difference loss are not bound to residual networks: a DenseNet whose dense " +
    "layers are delayed is most accurate at early timesteps when trained with TD, and about as accurate as the " +
    "other models at the last step.",
  trainings: (settings, data) => [...denseNets(settings, data), ...resNets(settings, data)],
  handlesDivergence: true,
  analyse: analyseDenseNet,
};

function denseNets(settings: DenseNetSettings, data: ResolvedDatasetSource): RunSpec[] {
  return presetTrainings(DENSENETS, settings, data);
}

function resNets({ seeds, resNetChange }: DenseNetSettings, data: ResolvedDatasetSource): RunSpec[] {
  return presetTrainings(RESNETS, { seeds, change: resNetChange }, data);
}

async function analyseDenseNet(settings: DenseNetSettings, context: StudyContext): Promise<StudyResult> {
  const armOf = (model: string): string => model;
  const dense = compared(await anytimeArms(denseNets(settings, context.data), context, armOf));
  const residual = compared(await anytimeArms(resNets(settings, context.data), context, armOf));
  return {
    findings: decided([...denseFindings(dense), exitWeightFinding(residual)]),
    tables: tablesOf(dense, residual),
    figures: figuresOf(dense, residual),
    numbers: [
      ...numberRows(dense.arms, anytimeSeries, "DenseNet"),
      ...numberRows(residual.arms, anytimeSeries, "exit weights"),
    ],
  };
}
