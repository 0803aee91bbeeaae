import { z } from "zod";
import { tdLoss, tdTargets } from "../../losses/td-lambda.js";
import { softmax } from "../../util/softmax.js";
import { recipeUniform } from "../../util/recipe.js";
import { parseWithSchema } from "../../util/schema.js";
import { FLOAT64_LIMIT, type ParityRow, parityRow } from "./parity-row.js";
import { cube } from "./reference-case.js";
import { arrayError } from "./relative-error.js";

/** By lambda. */
const tdReferenceSchema = z.record(
  z.string(),
  z.object({ targets: cube, lossPerTimestep: z.array(z.number()) }),
);

/** What the reference was made from: logits 2 uniform(2002, 30), shaped [5, 2, 3], labels 2 and 0. */
const TD_CASE = { seed: 2002, timesteps: 5, classes: 3, labels: [2, 0] };

/** Compares TD(lambda) targets and losses with the `td` part of the reference file `where`. */
export function checkTdReference(json: unknown, where: string): ParityRow[] {
  const reference = parseWithSchema(tdReferenceSchema, json, `${where}, td`);
  const { seed, timesteps, classes, labels } = TD_CASE;
  const logits = recipeUniform(seed, timesteps * labels.length * classes).map((u) => 2 * u);
  return Object.entries(reference).flatMap(([key, expected]) => {
    const lambda = Number(key);
    const targets = tdTargets(softmax(logits, classes), labels, timesteps, lambda);
    const { lossPerTimestep } = tdLoss(logits, labels, timesteps, { lambda, firstTimestep: 0 });
    const row = (quantity: string, error: number): ParityRow =>
      parityRow("analyses", `td.${quantity}(lambda=${key})`, error, FLOAT64_LIMIT);
    return [
      row("targets", arrayError(targets, expected.targets.flat(2))),
      row("lossPerTimestep", arrayError(lossPerTimestep, expected.lossPerTimestep)),
    ];
  });
}
