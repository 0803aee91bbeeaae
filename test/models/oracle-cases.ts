import assert from "node:assert/strict";
import type { CascadedDenseNetSpec } from "../../lib/models/cascaded-densenet.js";
import type { CascadedResNetSpec } from "../../lib/models/cascaded-resnet.js";
import type { Delay } from "../../lib/nn/delay.js";
import type { Scheme } from "../../lib/nn/scheme.js";
import type { Timeline } from "../../lib/nn/timeline.js";
import type { OracleCase, OracleErrors } from "./oracle-comparison.js";

/** A case of a ResNet. */
type ResNetCase = OracleCase & { readonly spec: CascadedResNetSpec };

/** Where float32 arithmetic may differ from the float64 oracle; a wrong term is at least a hundred times as far off. */
const LIMITS: OracleErrors = {
  evaluationLogits: 1e-5,
  trainingLogits: 1e-4,
  statistics: 1e-4,
  loss: 5e-5,
  gradients: 3e-4,
};

export function assertNear(name: string, errors: OracleErrors): void {
  for (const quantity of Object.keys(LIMITS) as (keyof OracleErrors)[]) {
    const error = errors[quantity];
    assert.ok(error <= LIMITS[quantity], `${name}: ${quantity} is off by ${error}`);
  }
}

const BATCH = 3;

const DELAYS: Delay[] = [
  { kind: "none" },
  { kind: "oneStepDelay" },
  { kind: "exponentialSmoothing", alpha: 0.6 },
];

/** A fixed image; images that change and come back; a blank that is the same for all, before and between images. */
const INPUTS: Record<string, Timeline> = {
  fixed: { step: [0, 0, 0, 0, 0, 0, 0, 0, 0], rows: [BATCH] },
  changing: { step: [0, 0, 1, 1, 2, 0, 3, 3, 3], rows: [BATCH, BATCH, BATCH, BATCH] },
  blanks: { step: [0, 0, 1, 1, 0, 2, 2, 1, 1], rows: [1, BATCH, 1] },
};

function schemes(delay: Delay): Scheme[] {
  return [
    { kind: "parallel", delay },
    { kind: "serial", delay },
    { kind: "serial", delay, asPublished: true },
    { kind: "serial", delay, asPublished: true, keepsUnreadStatistics: true },
  ];
}

/** Every combination of scheme, delay, heads, temporal affine and input, for a tiny ResNet-18. */
export const everyCombination: readonly ResNetCase[] = DELAYS.flatMap(schemes)
  .flatMap((scheme) => (["single", "perTimestep"] as const).map((heads) => ({ scheme, heads })))
  .flatMap((part) => [false, true].map((temporalAffine) => ({ ...part, temporalAffine })))
  .flatMap((part) => Object.entries(INPUTS).map(([input, timeline]) => ({ ...part, input, timeline })))
  .map(({ scheme, heads, temporalAffine, input, timeline }, n): ResNetCase => {
    // The default epsilon needs maps of more than one position: three values alone may have nearly no variance.
    const small = n % 11 !== 0;
    const settings = small ? { epsilon: 0.1, momentum: 1 } : { epsilon: 1e-5, momentum: 0.1 };
    const published = scheme.kind === "serial" && scheme.asPublished === true ? " as published" : "";
    const unread =
      scheme.kind === "serial" && scheme.keepsUnreadStatistics === true ? ", all statistics" : "";
    const affine = temporalAffine ? ", temporal affine" : "";
    return {
      name: `${scheme.kind}${published}${unread}, ${scheme.delay.kind}, ${heads} head${affine}, ${input}`,
      spec: tinySpec({ scheme, heads, norm: { ...settings, temporalAffine } }),
      side: small ? 8 + (n % 4) : 17,
      batch: BATCH,
      timeline,
      statistics: n % 2 === 0 ? "distinct" : "equal",
      lambda: [0, 0.5, 1][n % 3] ?? 0,
    };
  });

/** ResNet-18 of 4, 8, 16 and 32 channels. */
export function tinySpec(change: Partial<CascadedResNetSpec> = {}): CascadedResNetSpec {
  return {
    depth: 18,
    width: 1 / 16,
    classes: 5,
    stem: "cifar",
    scheme: { kind: "parallel", delay: { kind: "oneStepDelay" } },
    heads: "single",
    norm: { epsilon: 1e-5, momentum: 0.1, temporalAffine: false },
    ...change,
  };
}

/** DenseNet of seven dense layers in three blocks, from 6 channels. */
export function tinyDenseSpec(change: Partial<CascadedDenseNetSpec> = {}): CascadedDenseNetSpec {
  const { classes, stem, scheme, heads, norm } = tinySpec();
  return { growth: 3, layers: [2, 3, 2], classes, stem, scheme, heads, norm, ...change };
}

/** Other depths, bottlenecks, the large stem, a single image, few and many timesteps. */
export const otherNetworks: readonly OracleCase[] = [
  {
    name: "ResNet-34, all of its timesteps",
    spec: tinySpec({ depth: 34 }),
    side: 17,
    batch: 2,
    timeline: { step: Array<number>(17).fill(0), rows: [2] },
    statistics: "distinct",
    lambda: 0.3,
  },
  {
    name: "ResNet-50, serial, internal classifiers, large stem",
    spec: tinySpec({
      depth: 50,
      stem: "imagenet",
      timesteps: 6,
      heads: "perTimestep",
      scheme: { kind: "serial", delay: { kind: "oneStepDelay" }, asPublished: true },
    }),
    side: 37,
    batch: 2,
    timeline: { step: [0, 0, 0, 0, 0, 0], rows: [2] },
    statistics: "equal",
    lambda: 1,
  },
  {
    name: "ResNet-50, smoothed, temporal affine",
    spec: tinySpec({
      depth: 50,
      timesteps: 4,
      scheme: { kind: "parallel", delay: { kind: "exponentialSmoothing", alpha: 0.9 } },
      norm: { epsilon: 0.1, momentum: 0.1, temporalAffine: true },
    }),
    side: 17,
    batch: 2,
    timeline: { step: [0, 1, 1, 0], rows: [2, 2] },
    statistics: "equal",
    lambda: 0,
  },
  {
    name: "serial, blocks whose turn never comes",
    spec: tinySpec({
      timesteps: 5,
      heads: "perTimestep",
      scheme: { kind: "serial", delay: { kind: "oneStepDelay" } },
    }),
    side: 17,
    batch: 3,
    timeline: { step: [0, 0, 1, 1, 0], rows: [3, 3] },
    statistics: "distinct",
    lambda: 0.5,
  },
  {
    name: "one image, two classes, more timesteps than blocks",
    spec: tinySpec({
      classes: 2,
      timesteps: 12,
      norm: { epsilon: 0.1, momentum: 0.1, temporalAffine: false },
    }),
    side: 17,
    batch: 1,
    timeline: { step: Array<number>(12).fill(0), rows: [1] },
    statistics: "distinct",
    lambda: 0.5,
  },
];
