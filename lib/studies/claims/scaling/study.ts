import { from } from "arquero";
import { leadOverTrainingFigure, type PublishedLead } from "../../../figures/lead-over-training.js";
import { type AnytimeModel, anytimeArms } from "../../evidence/anytime-models.js";
import { decided } from "../../evidence/finding.js";
import { differenceAndError, meanAndError } from "../../evidence/format.js";
import { anytimeSeries, numberRows } from "../../evidence/numbers.js";
import type { PairedArms } from "../../evidence/paired-arms.js";
import type { PaperFigure } from "../../evidence/paper-figure.js";
import { lastStep, type Quantity } from "../../evidence/quantities.js";
import { runRows } from "../../evidence/tables.js";
import { FULL_SEEDS, FULL_TRAINING } from "../../full.js";
import { QUICK_CHANGE } from "../../quick.js";
import { SETTLED_SEEDS } from "../../settled.js";
import type { ProtocolName, Study, StudyResult, TableRow } from "../../study.js";
import type { StudyContext } from "../../study-context.js";
import { EARLY_ACCURACY, findingsOf, leads } from "./findings.js";
import {
  armOf,
  networkText,
  type ScalingSettings,
  scalingTrainings,
  sizeOfSpec,
  type Size,
  sizesOf,
  sizeText,
} from "./sizes.js";
import { CASCADED_CE, CASCADED_TD, SERIAL_TD_MULTIHEAD } from "../../evidence/model-names.js";
import { REDUCED_SEEDS } from "../../reduced.js";

/** What is trained at each protocol. Reduced: the six models' own trainings are the middle. */
export const SCALING_SETTINGS: Readonly<Record<ProtocolName, ScalingSettings>> = {
  quick: {
    seeds: [0],
    change: { train: { batchSize: 64, augmentation: QUICK_CHANGE.train?.augmentation ?? {} } },
    ...{ epochs: [1, 2], width: 0.0625, widths: [0.0625, 0.125], epochsOfWidths: 1 },
    deeper: { depth: 34, width: 0.0625, epochs: 1 },
  },
  reduced: {
    seeds: REDUCED_SEEDS,
    change: {},
    ...{ epochs: [2, 5, 15], width: 0.25, widths: [0.125, 0.25], epochsOfWidths: 5 },
    deeper: { depth: 34, width: 0.25, epochs: 5 },
  },
  settled: {
    seeds: SETTLED_SEEDS,
    change: {},
    ...{ epochs: [5, 15, 45], width: 0.25, widths: [0.125, 0.25, 0.5], epochsOfWidths: 15 },
    deeper: { depth: 34, width: 0.25, epochs: 15 },
  },
  full: {
    seeds: FULL_SEEDS,
    change: { train: { augmentation: FULL_TRAINING.train?.augmentation ?? {} } },
    ...{ epochs: [15, 50, 150], width: 1, widths: [0.25, 0.5, 1], epochsOfWidths: 50 },
    deeper: { depth: 34, width: 1, epochs: 50 },
  },
};

/** Whether what the shorter and narrower trainings here lack beside the paper comes with epochs and width. */
export const scalingStudy: Study<ScalingSettings> = {
  name: "scaling",
  title: "Longer, wider and deeper training",
  claim:
    "Not the paper's, but of this project: where CascadedTD's last answer is less accurate than CascadedCE's, unlike in the " +
    "paper, it is for want of training and of width. With more of either the gap closes, while the early lead over SDN " +
    "(SerialTD-MultiHead) stays, with a deeper network too.",
  trainings: scalingTrainings,
  analyse: analyseScaling,
};

/** The two comparisons, in words. */
const COMPARISONS: readonly {
  readonly name: string;
  readonly other: string;
  readonly quantity: Quantity<AnytimeModel>;
  readonly inPaper: "last" | "meanStop3";
}[] = [
  {
    name: `${CASCADED_TD} over ${CASCADED_CE}, last step`,
    other: CASCADED_CE,
    quantity: lastStep,
    inPaper: "last",
  },
  {
    name: `${CASCADED_TD} over ${SERIAL_TD_MULTIHEAD}, mean stop 3`,
    other: SERIAL_TD_MULTIHEAD,
    quantity: EARLY_ACCURACY,
    inPaper: "meanStop3",
  },
];

/** At most. */
const PAPER_EPOCHS = 150;

/** What CascadedTD is ahead by in the paper's main figure, in points. */
function published(paper: PaperFigure, what: "last" | "meanStop3", other: string): number {
  return (paper.get(CASCADED_TD)?.[what] ?? NaN) - (paper.get(other)?.[what] ?? NaN);
}

async function analyseScaling(settings: ScalingSettings, context: StudyContext): Promise<StudyResult> {
  const specs = scalingTrainings(settings, context.data);
  const arms = await anytimeArms(specs, context, (model, spec) => armOf(model, sizeOfSpec(spec)));
  const sizes = sizesOf(settings);
  const paper = context.paperFigure(specs);
  return {
    findings: decided(findingsOf(arms, settings)),
    tables: [
      {
        name: "sizes",
        title: `Accuracy in % by size of training, at the last step and where images stop once confident, 3 timesteps on average: mean ± standard error over n seeds, and paired differences${paper.size === 0 ? "" : "; paper: CIFAR-10, read off its figure"}`,
        rows: [...sizes.map((size) => sizeRow(arms, size)), ...paperRows(paper)],
      },
      { name: "runs", title: "Every run: accuracy at each timestep", rows: runRows(arms) },
    ],
    figures: [figureOf(arms, sizes, paper)],
    numbers: numberRows(arms, anytimeSeries),
  };
}

function sizeRow(arms: PairedArms<AnytimeModel>, size: Size): TableRow {
  const cell = (model: string, quantity: Quantity<AnytimeModel>): string =>
    meanAndError(arms.bySeed(armOf(model, size), quantity), quantity.unit.digits);
  const lead = (other: string, quantity: Quantity<AnytimeModel>): string =>
    differenceAndError(leads(arms, other, quantity, size), quantity.unit.digits);
  return {
    size: sizeText(size),
    [`${CASCADED_TD}, last`]: cell(CASCADED_TD, lastStep),
    [`${CASCADED_CE}, last`]: cell(CASCADED_CE, lastStep),
    difference: lead(CASCADED_CE, lastStep),
    [`${CASCADED_TD}, mean stop 3`]: cell(CASCADED_TD, EARLY_ACCURACY),
    [`${SERIAL_TD_MULTIHEAD}, mean stop 3`]: cell(SERIAL_TD_MULTIHEAD, EARLY_ACCURACY),
    lead: lead(SERIAL_TD_MULTIHEAD, EARLY_ACCURACY),
    n: arms.seeds.length,
  };
}

function paperRows(paper: PaperFigure): TableRow[] {
  if (paper.size === 0) return [];
  const of = (model: string, what: "last" | "meanStop3"): number | string => paper.get(model)?.[what] ?? "";
  const row: TableRow = {
    size: "paper, width 1",
    [`${CASCADED_TD}, last`]: of(CASCADED_TD, "last"),
    [`${CASCADED_CE}, last`]: of(CASCADED_CE, "last"),
    difference: published(paper, "last", CASCADED_CE),
    [`${CASCADED_TD}, mean stop 3`]: of(CASCADED_TD, "meanStop3"),
    [`${SERIAL_TD_MULTIHEAD}, mean stop 3`]: of(SERIAL_TD_MULTIHEAD, "meanStop3"),
    lead: published(paper, "meanStop3", SERIAL_TD_MULTIHEAD),
    n: "",
  };
  return [row];
}

function figureOf(
  arms: PairedArms<AnytimeModel>,
  sizes: readonly Size[],
  paper: PaperFigure,
): StudyResult["figures"][number] {
  const bySize = [...sizes].sort((a, b) => a.depth - b.depth || a.width - b.width);
  const rows = COMPARISONS.flatMap(({ name, other, quantity }) =>
    bySize.flatMap((size) =>
      leads(arms, other, quantity, size).map((lead) => ({
        comparison: name,
        network: networkText(size),
        epochs: size.epochs,
        lead,
      })),
    ),
  );
  const leadsOfPaper = COMPARISONS.map((one): PublishedLead => ({
    comparison: one.name,
    epochs: PAPER_EPOCHS,
    lead: published(paper, one.inPaper, one.other),
  }));
  const ring =
    paper.size === 0
      ? ""
      : " Open ring: the paper, read off its figure; its networks are trained for 100 to 150 epochs.";
  return {
    name: "leads-over-training",
    caption: `What CascadedTD is ahead by, against epochs of training, by network (a ResNet-18 unless said), mean and standard error over seeds: (a) of CascadedCE at the last step, (b) of SerialTD-MultiHead where images stop once confident, 3 timesteps on average.${ring}`,
    figure: leadOverTrainingFigure(from(rows), {
      published: paper.size === 0 ? [] : leadsOfPaper,
      title: "Lead (points)",
    }),
  };
}
