import assert from "node:assert/strict";
import { test } from "node:test";
import { presetNamed } from "../../../lib/experiments/specs/presets.js";
import { changedSpec, combined, type SpecChange } from "../../../lib/experiments/specs/spec-change.js";
import { asCascadeSpec } from "./as-cascade.js";
import type { RunSpec } from "../../../lib/experiments/specs/spec.js";

const BASE = presetNamed("cascaded-td");

test("named fields change, all others and the spec itself stay", () => {
  const before = structuredClone(BASE);
  const changed = changedSpec(BASE, { train: { epochs: 3 }, network: { width: 0.5, timesteps: 4 } });
  assert.deepEqual(changed, {
    ...BASE,
    train: { ...BASE.train, epochs: 3 },
    network: { ...BASE.network, width: 0.5, timesteps: 4 },
  });
  assert.deepEqual(BASE, before);
});

test("lists and what has a kind are replaced as a whole", () => {
  const schedule = { kind: "step", milestones: [1, 2], factor: 0.2 } as const;
  const delay = { kind: "exponentialSmoothing", alpha: 0.9 } as const;
  const once = changedSpec(BASE, {
    train: { schedule: { ...schedule, milestones: [1, 2] } },
    network: { delay },
  });
  assert.deepEqual([once.train.schedule, asCascadeSpec(once.network).delay], [schedule, delay]);
  const back = changedSpec(once, {
    train: { schedule: { kind: "constant" } },
    network: { delay: { kind: "oneStepDelay" } },
  });
  assert.deepEqual(
    [back.train.schedule, asCascadeSpec(back.network).delay],
    [{ kind: "constant" }, { kind: "oneStepDelay" }],
  );
});

test("of several changes to a field the last one counts; together they are as one after the other", () => {
  const changes: readonly SpecChange[] = [
    { train: { epochs: 2 }, network: { width: 0.5 } },
    { train: { epochs: 9, batchSize: 32 } },
    { network: { delay: { kind: "exponentialSmoothing", alpha: 0.5 } } },
  ];
  const inTurn = changes.reduce<RunSpec>((spec, change) => changedSpec(spec, change), BASE);
  assert.deepEqual(changedSpec(BASE, combined(...changes)), inTurn);
  assert.equal(inTurn.train.epochs, 9);
});

test("with another architecture the fields that only the former one has are gone", () => {
  const change: SpecChange = { network: { architecture: "densenet", growth: 4, layers: [1, 2] } };
  const { network } = changedSpec(BASE, change);
  assert.deepEqual(network, {
    ...presetNamed("densenet-cascaded-td").network,
    growth: 4,
    layers: [1, 2],
  });
  assert.throws(
    () => changedSpec(BASE, { network: { architecture: "densenet" } }, "preset x"),
    /^UserError: preset x: network\.growth is missing; .*network\.layers is missing/,
  );
});

test("what the compiler refuses is refused when it is made, too", () => {
  // @ts-expect-error: no such field
  const misspelt: SpecChange = { train: { epoch: 3 } };
  assert.throws(() => changedSpec(BASE, misspelt), /train\.epoch is not a known field, did you mean epochs/);
  // @ts-expect-error: a text is no number
  const mistyped: SpecChange = { loss: { lambda: "0" } };
  assert.throws(() => changedSpec(BASE, mistyped), /loss\.lambda is "0"; allowed: a number/);
  // @ts-expect-error: the smoothing's alpha is missing
  const partial: SpecChange = { network: { delay: { kind: "exponentialSmoothing" } } };
  assert.throws(() => changedSpec(BASE, partial), /network\.delay\.alpha is missing/);
});
