import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../lib/util/errors.js";
import { temporaryFolder } from "../temporary-folder.js";
import { drawsOf } from "./mutations.js";
import { readers } from "./readers.js";

/** The short part of `npm run test:faults`. */
const INPUTS = 60;

test(
  "every reader says in a sentence what is wrong with damaged input, or reads it",
  { timeout: 120_000 },
  async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    t.diagnostic(`seed of the damage: ${seed}`);
    for (const { name, samples, mutate, read, isSummed } of await readers(await temporaryFolder(t)))
      for (let input = 0; input < INPUTS; input++) {
        const draws = drawsOf(seed, name, input);
        const sample = draws.pick(samples);
        const damaged = mutate(sample, draws);
        try {
          const value = await read(damaged);
          if (isSummed !== true) continue;
          const whole = await read(sample);
          assert.ok(isDeepStrictEqual(value, whole), `${name}, input ${input}: it is read as something else`);
        } catch (error) {
          const detail = error instanceof Error ? error.stack : error;
          assert.ok(error instanceof UserError, `${name}, input ${input}: ${String(detail)}`);
        }
      }
  },
);
