import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { UserError } from "../../lib/util/errors.js";
import { describeIssues, parseWithSchema } from "../../lib/util/schema.js";

const schema = z.strictObject({
  train: z.strictObject({
    epochs: z.int().min(1).max(500),
    rate: z.number().positive().lt(1),
    seed: z.int().default(0),
  }),
  loss: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("td"), lambda: z.number().min(0).max(1) }),
    z.strictObject({ kind: z.literal("crossEntropy"), weights: z.array(z.number()).min(1).optional() }),
  ]),
  data: z.strictObject({ path: z.string().min(1), split: z.enum(["train", "test"]) }),
});

const good = {
  train: { epochs: 3, rate: 0.1 },
  loss: { kind: "td", lambda: 0 },
  data: { path: "images", split: "train" },
};

function sentences(value: unknown): string[] {
  const { error } = schema.safeParse(value);
  assert.ok(error !== undefined);
  return describeIssues(error, schema, value);
}

test("a value that fits comes out resolved", () => {
  assert.deepEqual(parseWithSchema(schema, good, "spec.json"), {
    ...good,
    train: { ...good.train, seed: 0 },
  });
});

test("each problem is one sentence with the field's path, its value and what is allowed", () => {
  assert.deepEqual(sentences({ ...good, train: { epochs: 0, rate: 1, epoch: 3 } }), [
    "train.epochs is 0; allowed: a whole number (at least 1 and at most 500)",
    "train.rate is 1; allowed: a number (above 0 and below 1)",
    "train.epoch is not a known field, did you mean epochs? allowed: seed, epochs, rate",
  ]);
  assert.deepEqual(sentences({ ...good, train: { epochs: 2.5, rate: NaN }, xyzzy: 1 }), [
    "train.epochs is 2.5; allowed: a whole number (at least 1 and at most 500)",
    "train.rate is NaN; allowed: a number (above 0 and below 1)",
    "xyzzy is not a known field; allowed: train, loss, data",
  ]);
  assert.deepEqual(sentences({ ...good, data: { path: "", split: "val" } }), [
    'data.path is ""; allowed: a text of length at least 1',
    'data.split is "val"; allowed: one of "train", "test"',
  ]);
  assert.deepEqual(sentences(7), ["the value is 7; allowed: an object with the fields train, loss, data"]);
  assert.deepEqual(sentences({ ...good, train: { epochs: 3 } }), [
    "train.rate is missing; allowed: a number (above 0 and below 1)",
  ]);
});

test("in a union the discriminator decides which fields are told", () => {
  assert.deepEqual(sentences({ ...good, loss: { kind: "tdd" } }), [
    'loss.kind is "tdd"; allowed: "td" or "crossEntropy"',
  ]);
  assert.deepEqual(sentences({ ...good, loss: { lambda: 0 } }), [
    'loss.kind is missing; allowed: "td" or "crossEntropy"',
  ]);
  assert.deepEqual(sentences({ ...good, loss: { kind: "crossEntropy", lambda: 0.5, weights: [] } }), [
    "loss.weights is []; allowed: a list of length at least 1",
    "loss.lambda is not a known field; allowed: kind, weights",
  ]);
  assert.deepEqual(sentences({ ...good, loss: { kind: "crossEntropy", weights: [1, "2"] } }), [
    'loss.weights.1 is "2"; allowed: a number',
  ]);
});

test("only what all members of a union fix decides which is meant, not a field that one of them has narrower", () => {
  const scheme = z.enum(["parallel", "serial"]);
  const union = z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("broad"), scheme }),
    z.strictObject({ kind: z.literal("narrow"), scheme: z.literal("serial") }),
  ]);
  const told = (value: unknown): string[] => {
    const { error } = union.safeParse(value);
    return error === undefined ? [] : describeIssues(error, union, value);
  };
  assert.deepEqual(told({ kind: "narrow", scheme: "parallel" }), ['scheme is "parallel"; allowed: "serial"']);
  assert.deepEqual(told({ kind: "broad", scheme: "cubic" }), [
    'scheme is "cubic"; allowed: one of "parallel", "serial"',
  ]);
});

test("parseWithSchema tells where, and all problems in one sentence", () => {
  assert.throws(
    () => parseWithSchema(schema, { ...good, train: { epochs: "3", rate: 0.1 }, seed: 1 }, "spec.json"),
    (error: unknown) =>
      error instanceof UserError &&
      error.message.startsWith('spec.json: train.epochs is "3"; allowed: a whole number') &&
      error.message.includes("seed is not a known field"),
  );
});
