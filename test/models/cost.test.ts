import assert from "node:assert/strict";
import { test } from "node:test";
import { parameterCount, tensorSpecs } from "../../lib/models/anytime-network.js";
import {
  cascadedResNet,
  type CascadedResNet,
  type CascadedResNetSpec,
} from "../../lib/models/cascaded-resnet.js";
import { networkCost } from "../../lib/models/cost.js";
import { disposeState, initialState, stateValues } from "../../lib/models/state.js";
import type { Delay } from "../../lib/nn/delay.js";
import { chainConvolutions } from "../../lib/nn/chain.js";
import type { Scheme } from "../../lib/nn/scheme.js";
import { tinySpec } from "./oracle-cases.js";

const OSD: Delay = { kind: "oneStepDelay" };
const PUBLISHED: Scheme = { kind: "serial", delay: OSD, asPublished: true };

function fullSpec(change: Partial<CascadedResNetSpec> = {}): CascadedResNetSpec {
  return tinySpec({ width: 1, classes: 10, ...change });
}

/** In millions, to the digit that the paper's notes give. */
function millions(multiplyAdds: number | undefined): number {
  return Math.round((multiplyAdds ?? NaN) / 1e5) / 10;
}

test("full ResNet-18 on 32 x 32 pixels: the numbers of the published analysis", () => {
  const cascade = networkCost(cascadedResNet(fullSpec()), 32);
  assert.equal(millions(cascade.distinct.at(-1)), 599.5);
  assert.equal(millions(cascade.everyStep.at(-1)), 1261.7);
  const ordinary = fullSpec({ scheme: { kind: "parallel", delay: { kind: "none" } }, timesteps: 1 });
  assert.equal(millions(networkCost(cascadedResNet(ordinary), 32).distinct[0]), 140.2);
  assert.equal(millions(cascade.everyStep[0]), 140.2);
  // 35 evaluations for each image and one at t = 0 for all of them together, by block: 43.
  assert.deepEqual(cascade.evaluations, [1, 2, 3, 4, 5, 6, 7, 7]);
});

test("serially each block is evaluated once, at its turn, and all of it is one ordinary pass", () => {
  for (const delay of [OSD, { kind: "none" } as const]) {
    const cost = networkCost(cascadedResNet(fullSpec({ scheme: { kind: "serial", delay } })), 32);
    assert.deepEqual(cost.evaluations, Array<number>(8).fill(1));
  }
  const undelayed = fullSpec({ scheme: { kind: "serial", delay: { kind: "none" } }, heads: "perTimestep" });
  const cost = networkCost(cascadedResNet(undelayed), 32);
  const pass = networkCost(cascadedResNet({ ...undelayed, timesteps: 1 }), 32);
  // At t = 0 no residual counts: the stem, the three shortcuts that change shape, a head.
  const [stem, shortcuts, head] = [
    32 * 32 * 27 * 64,
    8 * 8 * 64 * 128 + 4 * 4 * 128 * 256 + 2 * 2 * 256 * 512,
    5120,
  ];
  assert.equal(pass.distinct[0], stem + shortcuts + head);
  // At t = 1 the first block's two convolutions, and all shortcuts above it anew.
  assert.equal((cost.distinct[1] ?? 0) - (cost.distinct[0] ?? 0), 2 * 16 * 16 * 576 * 64 + shortcuts + head);
});

test("serially as published each block is evaluated on what it is given at its turn and just before", () => {
  const cost = networkCost(cascadedResNet(fullSpec({ scheme: PUBLISHED })), 32);
  // By hand: block i adds at t = i what it makes of its input at i - 1, and from i + 1 on of that at i, its last. What
  // block 1 is given at t = 0 is a blank, and t = 9, when block 8's last would come, is no timestep.
  assert.deepEqual(cost.evaluations, [1, 2, 2, 2, 2, 2, 2, 1]);
});

test("a frame that changes at every timestep: cascade and published serial model update all blocks that count, the undelayed one starts again", () => {
  const frames = Array.from({ length: 9 }, (_, t) => t);
  const costWith = (scheme: Scheme) => networkCost(cascadedResNet(fullSpec({ scheme })), 32, frames);
  const costOf = (kind: Scheme["kind"]) => costWith({ kind, delay: OSD });
  // Block i on its input at each of i - 1 to 7; at t = 0 that is a blank.
  assert.deepEqual(costWith(PUBLISHED).evaluations, [7, 7, 6, 5, 4, 3, 2, 1]);
  // Of nine frames the last comes too late to be read; at t = 0 nothing depends on the image, at t = 8 nothing is delayed further.
  assert.deepEqual(costOf("parallel").evaluations, Array<number>(8).fill(7));
  // Block i on each frame from its turn at t = i on.
  assert.deepEqual(costOf("serial").evaluations, [8, 7, 6, 5, 4, 3, 2, 1]);
  const [stem, head] = [32 * 32 * 27 * 64, 5120];
  const shortcuts = 8 * 8 * 64 * 128 + 4 * 4 * 128 * 256 + 2 * 2 * 256 * 512;
  const residuals = (costOf("parallel").everyStep[0] ?? NaN) - stem - shortcuts - head;
  assert.equal(costOf("parallel").distinct.at(-1), 8 * (stem + shortcuts + head) + 7 * residuals);
});

test("parameters: ResNet-18, -34 and -50 as usually counted, less the batch norm of the shortcuts", () => {
  // The usual CIFAR counts for 10 classes (11,173,962; 21,282,122; 23,520,842) include scale and offset for each
  // channel of the shortcuts, which have no batch norm here.
  const counts = { 18: 11_173_962, 34: 21_282_122, 50: 23_520_842 };
  const shortcutChannels = { 18: 128 + 256 + 512, 34: 128 + 256 + 512, 50: 256 + 512 + 1024 + 2048 };
  for (const depth of [18, 34, 50] as const)
    assert.equal(
      parameterCount(cascadedResNet(fullSpec({ depth }))),
      counts[depth] - 2 * shortcutChannels[depth],
    );
  for (const depth of [34, 50] as const) {
    const network = cascadedResNet(tinySpec({ depth, heads: "perTimestep", timesteps: 3 }));
    const state = initialState(network, 0);
    const values = stateValues(state);
    const sizes = [...state.parameters.keys()].map((name) => values.get(name)?.values.length ?? NaN);
    disposeState(state);
    assert.equal(
      sizes.reduce((a, b) => a + b, 0),
      parameterCount(network),
    );
    assert.equal(values.size, tensorSpecs(network).length);
  }
});

/** Multiply-adds of a convolution, tap by tap and output by output. */
function taps(map: number, [height, width, inputs, outputs]: readonly number[]): number {
  let count = 0;
  for (let y = 0; y < map; y++)
    for (let x = 0; x < map; x++)
      count += (height ?? NaN) * (width ?? NaN) * (inputs ?? NaN) * (outputs ?? NaN);
  return count;
}

/**
 * The cost as a plain loop over time that remembers: every value is the number of the expression that gives it, and
 * an expression that depends on the image is paid for when a result that needs it is first due.
 */
function rememberedCost(
  network: CascadedResNet,
  side: number,
): { distinct: number[]; evaluations: number[] } {
  const { spec, timesteps } = network;
  const { delay } = spec.scheme;
  const published = spec.scheme.kind === "serial" && spec.scheme.asPublished === true;
  const shapes = new Map(tensorSpecs(network).map(({ name, shape }) => [name, shape]));
  const filter = (name: string): readonly number[] => shapes.get(`${name}.weight`) ?? [];
  const ZERO = "0";
  const known = new Map<string, string>();
  /** A short name of an expression that keeps whether the image is in it. */
  const expression = (...parts: string[]): string => {
    const text = parts.join();
    const name =
      known.get(text) ?? `${parts.some((part) => part.startsWith("image")) ? "image" : "blank"}${known.size}`;
    known.set(text, name);
    return name;
  };
  const paid = new Map<string, number>();
  const distinct = Array<number>(timesteps).fill(0);
  const pay = (what: string, of: string, t: number, cost: number): void => {
    if (!of.startsWith("image") || paid.has(`${what} ${of}`)) return;
    paid.set(`${what} ${of}`, t);
    distinct[t] = (distinct[t] ?? 0) + cost;
  };
  /** z[t] of a delay over expressions; `need` is told of each u[t] that is taken up. */
  const delayed = (kind: Delay, u: readonly string[], need: (u: string, t: number) => void): string[] => {
    let z = ZERO;
    return u.map((now, t) => {
      const taken = kind.kind === "oneStepDelay" ? (u[t - 1] ?? ZERO) : now;
      if (taken !== ZERO) need(taken, t);
      const smooth = kind.kind === "exponentialSmoothing" && kind.alpha > 0;
      z = smooth ? expression("smooth", z, taken) : taken;
      return z;
    });
  };
  let map = Math.ceil(side / network.stem.stride);
  pay("stem", "image", 0, taps(map, filter("stem.conv")));
  let x = delayed(delay, Array<string>(timesteps).fill(expression("stem", "image")), () => undefined);
  map = Math.ceil(map / 2);
  const evaluations: number[] = [];
  for (const block of network.layers) {
    let current = map;
    let cost = 0;
    for (const { name, stride } of chainConvolutions(block.branch)) {
      current = Math.ceil(current / stride);
      cost += taps(current, filter(name));
    }
    const instantCost = chainConvolutions(block.shortcut).reduce(
      (sum, { name }) => sum + taps(current, filter(name)),
      0,
    );
    const before = x;
    const counts = (t: number): boolean => spec.scheme.kind === "parallel" || t >= block.position;
    const kind: Delay = spec.scheme.kind === "parallel" || published ? delay : { kind: "none" };
    const source = new Map<string, string>();
    const u = before.map((input) => {
      const name = input === ZERO ? expression("blank residual", block.name) : expression(block.name, input);
      source.set(name, input);
      return name;
    });
    const smooth = kind.kind === "exponentialSmoothing";
    const z = delayed(kind, u, (residual, t) => {
      if (counts(t) || smooth) pay(`${block.name} residual`, source.get(residual) ?? "", t, cost);
    });
    evaluations.push([...paid.keys()].filter((key) => key.startsWith(`${block.name} residual `)).length);
    x = z.map((residual, t) => {
      const input = before[t] ?? ZERO;
      if (block.shortcut.length > 0) pay(`${block.name} shortcut`, input, t, instantCost);
      return expression("sum", counts(t) ? residual : ZERO, input);
    });
    map = current;
  }
  const heads = filter(spec.heads === "single" ? "head" : "head.0").reduce((a, b) => a * b, 1);
  for (const [t, features] of x.entries())
    pay(spec.heads === "single" ? "head" : `head ${t}`, features, t, heads);
  let sum = 0;
  return { distinct: distinct.map((value) => (sum += value)), evaluations };
}

test("counted expression by expression, a plain loop that remembers costs the same", () => {
  const delays: Delay[] = [{ kind: "none" }, OSD, { kind: "exponentialSmoothing", alpha: 0.5 }];
  const schemes = delays.flatMap((delay): Scheme[] => [
    { kind: "parallel", delay },
    { kind: "serial", delay },
    { kind: "serial", delay, asPublished: true },
  ]);
  for (const scheme of schemes)
    for (const heads of ["single", "perTimestep"] as const)
      for (const [depth, timesteps, side, stem] of [
        [18, undefined, 13, "cifar"],
        [50, 5, 33, "imagenet"],
        [34, 20, 16, "cifar"],
      ] as const) {
        const network = cascadedResNet(tinySpec({ depth, timesteps, stem, scheme, heads }));
        const { distinct, evaluations } = networkCost(network, side);
        assert.deepEqual(
          { distinct, evaluations },
          rememberedCost(network, side),
          JSON.stringify({ scheme, heads, depth, timesteps }),
        );
      }
});
