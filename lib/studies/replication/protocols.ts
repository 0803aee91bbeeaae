import { CIFAR_FORMATS } from "../../datasets/cifar.js";
import { resolveDatasetSource, type ResolvedDatasetSource } from "../../datasets/source.js";
import { TINY_IMAGENET_URL } from "../../datasets/tiny-imagenet-layout.js";
import { DELAYS_SETTINGS, delaysStudy } from "../claims/delays/study.js";
import { DENSENET_SETTINGS, densenetStudy } from "../claims/densenet/study.js";
import { FIELD_SETTINGS, fieldStudy } from "../claims/field/study.js";
import { LAMBDA_SETTINGS, lambdaStudy } from "../claims/lambda/study.js";
import { NOISE_SETTINGS, noiseStudy } from "../claims/noise/study.js";
import { NORM_CONSTANTS_SETTINGS, normConstantsStudy } from "../claims/norm-constants/study.js";
import { NORM_STABILITY_SETTINGS, normStabilityStudy } from "../claims/norm-stability/study.js";
import { type ProtocolStudy, withSettings } from "./protocol-study.js";
import { SIX_MODELS_SETTINGS, sixModelsStudy } from "../claims/six-models/study.js";
import { PRECISION_SETTINGS, precisionStudy } from "../claims/precision/study.js";
import { SCALING_SETTINGS, scalingStudy } from "../claims/scaling/study.js";
import { EMBEDDED_DATA, EMBEDDED_CHANGE } from "../quick.js";
import type { ProtocolName } from "../study.js";
import { TRACE_SETTINGS, traceStudy } from "../claims/trace/study.js";
import { TYPICALITY_SETTINGS, typicalityStudy } from "../claims/typicality/study.js";
import { type SpecChange } from "../../experiments/specs/spec-change.js";

/** How far a replication goes, and on which data. Each study's file says what it does at each of them. */
export interface Protocol {
  readonly name: ProtocolName;
  /** In a sentence: for what, and how long it takes. */
  readonly purpose: string;
  readonly datasets: readonly WantedDataset[];
}

/** A data set that a protocol asks for. */
export interface WantedDataset {
  readonly name: string;
  /** The data themselves, where they come with the project. */
  readonly embedded?: ResolvedDatasetSource;
  /** What takes their place in a plan that is made before they are there. */
  readonly standIn?: ResolvedDatasetSource;
  /** How a person gets them, where they do not. */
  readonly origin: string;
  /** Changes that all specs get on these data. */
  readonly change: SpecChange;
}

/** All studies with their settings, in the order of the report. */
export const STUDIES: readonly ProtocolStudy[] = [
  withSettings(sixModelsStudy, SIX_MODELS_SETTINGS),
  withSettings(fieldStudy, FIELD_SETTINGS),
  withSettings(scalingStudy, SCALING_SETTINGS),
  withSettings(lambdaStudy, LAMBDA_SETTINGS),
  withSettings(typicalityStudy, TYPICALITY_SETTINGS, {
    "C-scores": "is not tested: images of constructed typicality alone show how it goes",
  }),
  withSettings(noiseStudy, NOISE_SETTINGS),
  withSettings(traceStudy, TRACE_SETTINGS),
  withSettings(delaysStudy, DELAYS_SETTINGS),
  withSettings(densenetStudy, DENSENET_SETTINGS),
  withSettings(normConstantsStudy, NORM_CONSTANTS_SETTINGS),
  withSettings(normStabilityStudy, NORM_STABILITY_SETTINGS),
  withSettings(precisionStudy, PRECISION_SETTINGS),
];

const EMBEDDED: WantedDataset = {
  name: "procedural",
  embedded: EMBEDDED_DATA,
  origin: "comes with the project",
  change: EMBEDDED_CHANGE,
};

const CIFAR10: WantedDataset = {
  name: "cifar10",
  origin: `--data cifar10 downloads it, or give --data cifar10=<path> of ${CIFAR_FORMATS.cifar10.url} or of an image folder`,
  standIn: resolveDatasetSource({ kind: "cifar10", cScores: "c-scores.npz" }),
  change: {},
};

const CIFAR100: WantedDataset = {
  name: "cifar100",
  origin: `--data cifar100 downloads it, or give --data cifar100=<path> of ${CIFAR_FORMATS.cifar100.url}`,
  standIn: resolveDatasetSource({ kind: "cifar100", cScores: "c-scores.npz" }),
  change: {},
};

/** 64 x 64 pixels with the 3x3 stem of the presets: in the published code the 7x7 stem is for ImageNet alone. */
const TINY_IMAGENET: WantedDataset = {
  name: "tinyimagenet",
  origin: `unpack ${TINY_IMAGENET_URL} and give --data tinyimagenet=<folder>`,
  standIn: resolveDatasetSource({ kind: "tinyimagenet", path: "tiny-imagenet-200" }),
  change: {},
};

export const PROTOCOLS: Readonly<Record<ProtocolName, Protocol>> = {
  quick: {
    name: "quick",
    purpose: "minutes, on embedded images: shows that everything works, and decides nothing",
    datasets: [EMBEDDED],
  },
  reduced: {
    name: "reduced",
    purpose: "hours on two cores: narrow networks, few epochs, CIFAR-10",
    datasets: [CIFAR10],
  },
  settled: {
    name: "settled",
    purpose: "days on two cores: quarter width, three times the epochs, the paper's three data sets",
    datasets: [CIFAR10, CIFAR100, TINY_IMAGENET],
  },
  full: {
    name: "full",
    purpose: "the paper's: full width, over 100 epochs, CIFAR-10, CIFAR-100 and TinyImageNet",
    datasets: [CIFAR10, CIFAR100, TINY_IMAGENET],
  },
};

export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as readonly ProtocolName[];
