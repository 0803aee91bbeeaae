import assert from "node:assert/strict";
import { test } from "node:test";
import { branchChannels } from "../../../lib/nn/cascade-layer.js";
import {
  isPresetName,
  PRESETS,
  presetNamed,
  type PresetName,
} from "../../../lib/experiments/specs/presets.js";
import { networkCost } from "../../../lib/models/cost.js";
import { modelViews, trainedNetwork } from "../../../lib/experiments/specs/model-views.js";
import { isCascade } from "../../../lib/experiments/specs/network-spec.js";
import { runName } from "../../../lib/experiments/specs/names.js";
import { specHash } from "../../../lib/experiments/specs/spec-hash.js";
import { parseRunSpec, type RunSpec } from "../../../lib/experiments/specs/spec.js";
import type { Scheme } from "../../../lib/nn/scheme.js";
import { UserError } from "../../../lib/util/errors.js";
import { asCascade } from "./as-cascade.js";
import { ARCHITECTURES } from "../../../lib/models/architectures.js";

const PRESET_NAMES = Object.keys(PRESETS).filter(isPresetName);

/** The models of each preset's weights, under the paper's names, and the folder's name of its run. */
const MODELS: Readonly<Record<PresetName, { readonly run: string; readonly models: readonly string[] }>> = {
  "cascaded-td": { run: "cascaded-td", models: ["CascadedTD"] },
  "cascaded-td-multihead": { run: "cascaded-td-multihead", models: ["CascadedTD-MultiHead"] },
  "cascaded-ce": { run: "ordinary-ce", models: ["CascadedCE", "SerialCE"] },
  "serial-td": { run: "serial-td", models: ["SerialTD"] },
  "serial-td-multihead": { run: "serial-td-multihead", models: ["SerialTD-MultiHead"] },
  "serial-ce": { run: "ordinary-ce", models: ["CascadedCE", "SerialCE"] },
  "shallow-deep-network": { run: "serial-td-multihead", models: ["SDN"] },
  "resnet34-cascaded-td": { run: "cascaded-td", models: ["CascadedTD"] },
  "resnet34-cascaded-ce": { run: "ordinary-ce", models: ["CascadedCE", "SerialCE"] },
  "densenet-cascaded-td": { run: "densenet-cascaded-td", models: ["DenseNet-CascadedTD"] },
  "densenet-cascaded-ce": {
    run: "densenet-ordinary-ce",
    models: ["DenseNet-CascadedCE", "DenseNet-SerialCE"],
  },
  "densenet-serial-td-multihead": {
    run: "densenet-serial-td-multihead",
    models: ["DenseNet-SerialTD-MultiHead"],
  },
  msdnet: { run: "msdnet", models: ["MSDNet"] },
  "sdn-resnet": { run: "sdn-resnet", models: ["SDN-ResNet"] },
  "branchy-resnet": { run: "branchy-resnet", models: ["BranchyNet-ResNet"] },
  "ztw-resnet": { run: "ztw-resnet", models: ["ZTW-ResNet"] },
  boostnet: { run: "boostnet", models: ["BoostNet"] },
  "msdnet-mixed": { run: "msdnet", models: ["MSDNet-Mixed"] },
  "small-resnet": { run: "small-resnet", models: ["ResNet"] },
};

test("every preset is a valid spec, its own JSON, and gives the paper's models", () => {
  assert.deepEqual(PRESET_NAMES.sort(), Object.keys(MODELS).sort());
  for (const name of PRESET_NAMES) {
    const spec = presetNamed(name);
    assert.deepEqual(parseRunSpec(JSON.parse(JSON.stringify(spec)), name), spec);
    const views = modelViews(spec, 10, 32);
    assert.deepEqual({ run: runName(spec), models: views.map(({ model }) => model) }, MODELS[name]);
    if (!isCascade(spec.network)) continue;
    for (const { model, network: laidOut } of views) {
      const network = asCascade(laidOut);
      assert.equal(network.spec.heads, /MultiHead|SDN/.test(model) ? "perTimestep" : "single", model);
      const delay = { kind: "oneStepDelay" } as const;
      const expected = model.includes("Cascaded")
        ? { kind: "parallel", delay }
        : { kind: "serial", delay, asPublished: true };
      assert.deepEqual(network.spec.scheme, expected, model);
      const layers = { densenet: 6 + 12 + 24 + 16, resnet34: 3 + 4 + 6 + 3 }[name.split("-")[0] ?? ""] ?? 8;
      assert.equal(network.timesteps, layers + 1);
    }
  }
  // TD(0) for the cascades, cross-entropy at every step for the rest, as in the paper's figure.
  assert.deepEqual(Object.fromEntries(PRESET_NAMES.map((name) => [name, presetNamed(name).loss.lambda])), {
    "cascaded-td": 0,
    "cascaded-td-multihead": 0,
    "cascaded-ce": 1,
    "serial-td": 1,
    "serial-td-multihead": 1,
    "serial-ce": 1,
    "shallow-deep-network": 1,
    "resnet34-cascaded-td": 0,
    "resnet34-cascaded-ce": 1,
    "densenet-cascaded-td": 0,
    "densenet-cascaded-ce": 1,
    "densenet-serial-td-multihead": 1,
    msdnet: 1,
    "sdn-resnet": 1,
    "branchy-resnet": 1,
    "ztw-resnet": 1,
    boostnet: 1,
    "msdnet-mixed": 1,
    "small-resnet": 1,
  });
});

test("the two CE models are one training of an ordinary network", () => {
  const [cascaded, serial] = [presetNamed("cascaded-ce"), presetNamed("serial-ce")];
  assert.equal(specHash(cascaded), specHash(serial));
  const { spec, timesteps } = asCascade(trainedNetwork(cascaded, 10, 32));
  assert.equal(timesteps, 1);
  assert.deepEqual(spec.scheme, { kind: "parallel", delay: { kind: "none" } });
  const td = presetNamed("serial-td-multihead");
  assert.deepEqual(trainedNetwork(td, 10, 32), modelViews(td, 10, 32)[0]?.network);
});

test("timesteps and delay of a spec reach its models", () => {
  const { network } = presetNamed("cascaded-td");
  const delay = { kind: "exponentialSmoothing", alpha: 0.9 } as const;
  const spec = { ...presetNamed("cascaded-td"), network: { ...network, delay, timesteps: 70 } };
  const [view] = modelViews(parseRunSpec(spec, "the spec"), 10, 32);
  assert.equal(view?.network.timesteps, 70);
  assert.deepEqual(asCascade(view.network).spec.scheme, { kind: "parallel", delay });
});

/** A preset as it was when there was one serial scheme. */
function beforeTheChoice(name: string, network: Partial<RunSpec["network"]> = {}): RunSpec {
  const spec = presetNamed(name);
  const before: Record<string, unknown> = { ...spec.network, ...network };
  delete before["serialScheme"];
  const augmentation = { ...spec.train.augmentation, occlusion: 0 };
  return parseRunSpec({ ...spec, network: before, train: { ...spec.train, augmentation } }, name);
}

test("the serial scheme: as published in the presets, this project's own by its name and in specs from before", () => {
  for (const name of ["serial-td", "serial-td-multihead", "cascaded-ce"] as const) {
    const serialScheme = (spec: RunSpec): Scheme | undefined =>
      asCascade(modelViews(spec, 10, 32).at(-1)?.network).spec.scheme;
    const [published, before] = [presetNamed(name), beforeTheChoice(name)];
    const named = { ...published, network: { ...published.network, serialScheme: "undelayed" as const } };
    const delay = { kind: "oneStepDelay" } as const;
    assert.deepEqual(serialScheme(published), { kind: "serial", delay, asPublished: true });
    for (const spec of [named, before])
      assert.deepEqual(serialScheme(parseRunSpec(spec, name)), { kind: "serial", delay, asPublished: false });
    // None of the three is ever taken for another.
    assert.equal(new Set([published, named, before].map(specHash)).size, 3);
    assert.equal(runName(published), runName(before));
  }
  const cascade = presetNamed("cascaded-td");
  assert.throws(
    () => parseRunSpec({ ...cascade, network: { ...cascade.network, serialScheme: "published" } }, "s"),
    /^UserError: s: network\.serialScheme: a parallel network is never run serially; leave network\.serialScheme out$/,
  );
});

test("an architecture has its own fields, and no other's", () => {
  const base = presetNamed("densenet-serial-td-multihead");
  const change = (network: object): unknown => ({ ...base, network: { ...base.network, ...network } });
  const spec = parseRunSpec(change({ growth: 8, layers: [2, 3] }), "the spec");
  const network = asCascade(trainedNetwork(spec, 10, 32));
  const dense = network.layers.filter((layer) => layer.kind === "delayed");
  assert.ok(dense.every((layer) => layer.combine === "concatenate" && branchChannels(layer) === 8));
  assert.deepEqual(
    dense.map(({ name }) => name),
    ["stages.0.0", "stages.0.1", "stages.1.0", "stages.1.1", "stages.1.2"],
  );
  assert.equal(network.timesteps, 6);
  assert.throws(
    () => parseRunSpec(change({ width: 0.5 }), "s"),
    /^UserError: s: network\.width is not a known field; allowed: architecture, growth, layers, /,
  );
  assert.throws(
    () => parseRunSpec(change({ architecture: "resnet" }), "s"),
    /network\.depth is missing; allowed: one of 18, 34, 50; network\.width is missing; .*network\.growth is not a known field/,
  );
  assert.throws(
    () => parseRunSpec(change({ architecture: "vgg" }), "s"),
    new RegExp(
      `network\\.architecture is "vgg"; allowed: ${ARCHITECTURES.map(({ name }) => `"${name}"`).join(" or ")}$`,
    ),
  );
  assert.throws(
    () => parseRunSpec({ ...base, train: { ...base.train, precision: "mixed" } }, "s"),
    /^UserError: s: train\.precision: a network of this architecture is trained in float32; leave train\.precision out$/,
  );
  const loss = { ...presetNamed("shallow-deep-network").loss, weights: [1, 1] };
  assert.throws(
    () => parseRunSpec({ ...presetNamed("shallow-deep-network"), loss }, "s"),
    /loss\.weights: loss\.exitWeights gives the weights; allowed with it: null$/,
  );
});

test("a multi-exit network has its own fields, none of a cascade's, and its fields go together", () => {
  const [msdnet, sdn] = [presetNamed("msdnet"), presetNamed("sdn-resnet")];
  const refused = (spec: RunSpec, network: object, message: RegExp): void => {
    assert.throws(() => parseRunSpec({ ...spec, network: { ...spec.network, ...network } }, "s"), message);
  };
  refused(
    msdnet,
    { scheme: "serial" },
    /^UserError: s: network\.scheme is not a known field; allowed: architecture, exits, /,
  );
  refused(sdn, { timesteps: 3 }, /^UserError: s: network\.timesteps is not a known field/);
  refused(
    msdnet,
    { scaleFactors: [1, 2] },
    /^UserError: s: network\.bottleneckFactors: there are 3 for 2 scales \(network\.scaleFactors\); give one each$/,
  );
  refused(
    sdn,
    { blocks: [2, 2] },
    /^UserError: s: network\.blocks: there are 2 for the channels of 4 stages \(network\.channels\); give one each$/,
  );
  for (const exits of [[2, 1], [3, 3], [9]])
    refused(
      sdn,
      { exits },
      /^UserError: s: network\.exits: allowed: blocks in ascending order, from 1 to 8$/,
    );
  // At CascadedTD's multiply-adds, and every exit a timestep.
  const millions = (spec: RunSpec): number[] =>
    networkCost(trainedNetwork(spec, 10, 32), 32).distinct.map((cost) => Math.round(cost / 1e5) / 10);
  assert.deepEqual(millions(msdnet), [9.2, 14.6, 20.3, 24.7, 29.8, 33.8, 37.7]);
  assert.deepEqual(millions(sdn), [5.2, 9.9, 13.6, 18.3, 22, 26.7, 30.4, 35.1]);
  assert.equal(millions(presetNamed("cascaded-td")).at(-1), 37.8);
  assert.deepEqual(millions(presetNamed("branchy-resnet")), [10, 20.7, 37.5]);
  assert.deepEqual(millions(presetNamed("ztw-resnet")), [12.2, 23, 33.8, 37.4]);
  assert.deepEqual(millions(presetNamed("boostnet")), millions(msdnet));
  assert.deepEqual(millions(presetNamed("small-resnet")), [35]);
  const disjoint = { kind: "disjoint", backbone: 0.5 } as const;
  const cascade = presetNamed("serial-td-multihead");
  assert.throws(
    () => parseRunSpec({ ...cascade, loss: { ...cascade.loss, exitWeights: disjoint } }, "s"),
    /^UserError: s: loss\.exitWeights: a cascade has no backbone apart from its exits; allowed with it: kind "shallowDeep"$/,
  );
  // What is trained otherwise than published says so.
  const named = (spec: RunSpec, loss: Partial<RunSpec["loss"]>): string | undefined =>
    modelViews({ ...spec, loss: { ...spec.loss, ...loss } }, 10, 32)[0]?.model;
  assert.equal(named(sdn, { exitWeights: undefined }), "SDN-ResNet-EqualWeights");
  assert.equal(named(msdnet, { lambda: 0.5, exitWeights: { kind: "shallowDeep" } }), "MSDNet-TD-ExitWeights");
});

test("a spec that cannot be is refused, each field by its name and with what is allowed", () => {
  const base = presetNamed("cascaded-td");
  const refused = (spec: unknown, message: RegExp): void => {
    assert.throws(
      () => parseRunSpec(spec, "my.json"),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        assert.ok(!error.message.includes("\n"));
        return true;
      },
    );
  };
  refused(
    { ...base, train: { ...base.train, epochs: 0, learningrate: 1 } },
    /^my\.json: train\.epochs is 0; allowed: a whole number \(at least 1 and at most 10000\); train\.learningrate is not a known field, did you mean learningRate\?/,
  );
  refused({ ...base, loss: { ...base.loss, lambda: 1.01 } }, /loss\.lambda is 1\.01; .*at most 1/);
  refused(
    { ...base, network: { ...base.network, depth: 20 } },
    /network\.depth is 20; allowed: one of 18, 34, 50/,
  );
  refused(
    { ...base, network: { ...base.network, delay: { kind: "exponentialSmoothing", alpha: 1 } } },
    /network\.delay\.alpha is 1; .*below 1/,
  );
  refused(
    { ...base, network: { ...base.network, delay: { kind: "twoStepDelay" } } },
    /network\.delay\.kind is "twoStepDelay"; allowed: .*"oneStepDelay".*"exponentialSmoothing"/,
  );
  refused(
    { ...base, network: { ...base.network, scheme: "ordinary", heads: "perTimestep" } },
    /^my\.json: network\.heads: an ordinary network is trained on its one final output; allowed with it: "single"$/,
  );
  refused({ ...base, seed: undefined }, /seed is missing; allowed: a whole number/);
  refused([], /^my\.json: the value is \[\]; allowed: an object/);
  assert.throws(() => presetNamed("cascaded"), /there is no preset "cascaded"; there are cascaded-td, /);
});
