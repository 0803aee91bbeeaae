import assert from "node:assert/strict";
import { test } from "node:test";
import { formerSpec, upgradedSpec } from "../../../lib/experiments/specs/former-spec.js";
import {
  isPresetName,
  type PresetName,
  PRESETS,
  presetNamed,
} from "../../../lib/experiments/specs/presets.js";
import { specHash } from "../../../lib/experiments/specs/spec-hash.js";
import { parseRunSpec, type RunSpec } from "../../../lib/experiments/specs/spec.js";

const NAMES = Object.keys(PRESETS).filter(isPresetName);

/** Hashes of the presets' specs as they were before a network said its architecture. */
const HASHES: Readonly<Partial<Record<PresetName, string>>> = {
  "cascaded-td": "204dbfde1d90",
  "cascaded-td-multihead": "97e5160c59cb",
  "cascaded-ce": "04743fb872a8",
  "serial-td": "206a217383f4",
  "serial-td-multihead": "9c97ea65b5ec",
  "serial-ce": "04743fb872a8",
  "shallow-deep-network": "1e25b89d2fdb",
  "resnet34-cascaded-td": "39260a5ea4f8",
  "resnet34-cascaded-ce": "acec3d51ea07",
  "densenet-cascaded-td": "4d1b2c6e2d4f",
  "densenet-cascaded-ce": "56f3d75e2d53",
  "densenet-serial-td-multihead": "987659682a9b",
};

test("a preset's hash is what it was before a network said its architecture", () => {
  const before = NAMES.filter((name) => name in HASHES);
  assert.deepEqual(Object.fromEntries(before.map((name) => [name, specHash(presetNamed(name))])), HASHES);
});

test("former form and today's are each other's inverse, with one hash", () => {
  for (const name of NAMES) {
    const spec = presetNamed(name);
    const former = formerSpec(spec);
    assert.deepEqual(upgradedSpec(former, name), spec);
    assert.deepEqual(parseRunSpec(former, name), spec);
    assert.deepEqual(formerSpec(former), former);
    assert.equal(specHash(former), specHash(spec));
  }
});

test("a DenseNet's former form is a ResNet of depth 18 and width 1 beside it", () => {
  const { network } = formerSpec(presetNamed("densenet-cascaded-td")) as { readonly network: object };
  const { architecture, growth, layers, ...shared } = presetNamed("densenet-cascaded-td")
    .network as RunSpec["network"] & { readonly growth: number; readonly layers: readonly number[] };
  assert.deepEqual(network, { depth: 18, width: 1, densenet: { growth, layers }, ...shared });
  assert.equal(architecture, "densenet");
});

test("specs from before there was a serial scheme of choice have the hashes that they had", () => {
  const before = (["cascaded-td", "cascaded-ce", "serial-td-multihead"] as const).map((name) => {
    const spec = presetNamed(name);
    const network: Record<string, unknown> = { ...spec.network, epsilon: 1e-5 };
    delete network["serialScheme"];
    const train = { ...spec.train, augmentation: { ...spec.train.augmentation, occlusion: 0 } };
    return specHash(parseRunSpec({ ...spec, network, train }, name));
  });
  assert.deepEqual(before, ["c6beff5faa36", "d63e7c99ff57", "5f7607e34449"]);
});

test("what could not be a DenseNet before cannot be one now; a field of that form beside an architecture is told", () => {
  const former = formerSpec(presetNamed("densenet-cascaded-td")) as { readonly network: object };
  const changed = (network: object): unknown => ({ ...former, network: { ...former.network, ...network } });
  assert.throws(
    () => parseRunSpec(changed({ width: 0.5 }), "old.json"),
    /^UserError: old\.json: network\.depth is not a known field.* allowed: .*network\.width is not a known field/,
  );
  assert.throws(
    () => parseRunSpec(changed({ architecture: "densenet" }), "old.json"),
    /^UserError: old\.json: network\.densenet is from before networks had an architecture; write network\.architecture "densenet" with its own fields network\.growth and network\.layers$/,
  );
});
