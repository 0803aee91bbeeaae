import { softmaxRow } from "../util/softmax.js";
import { UserError } from "../util/errors.js";
import { mean } from "../util/statistics.js";
import { assertComparable } from "./split.js";
import type { Trace } from "./trace.js";

/** A probability below this counts as this, so that its logarithm is finite. */
const SMALLEST = 1e-30;

/**
 * Separately trained networks to choose from before an image comes, as one trace: timestep m is the last answer of the network
 * with the m-th lowest cost, at its own cost. One that is chosen is the only one that is run, so a rule that looks at answers before it
 * stops cannot be applied to it.
 */
export function networkFamily(members: readonly Trace[]): Trace {
  const sorted = byCost(members);
  return composed(
    sorted,
    sorted.map(lastLogits),
    sorted.map((member) => lastCost(member)),
  );
}

/**
 * An ensemble by depth (the opponent of Huang et al. 2018): networks of growing cost are run one after the other, and the
 * answer after m of them is their mean belief, at the cost of all m:
 *
 *     p[m, n, k] = 1/(m + 1) Σ_{j <= m} p_j[n, k]
 */
export function depthEnsemble(members: readonly Trace[]): Trace {
  const sorted = byCost(members);
  const beliefs = sorted.map(lastBeliefs);
  const logits = beliefs.map((_, m) =>
    Float64Array.from(beliefs[m] as Float64Array, (_value, i) =>
      Math.log(Math.max(SMALLEST, mean(beliefs.slice(0, m + 1).map((one) => one[i] as number)))),
    ),
  );
  let spent = 0;
  return composed(
    sorted,
    logits,
    sorted.map((member) => (spent += lastCost(member))),
  );
}

function byCost(members: readonly Trace[]): Trace[] {
  if (members.length === 0) throw new UserError("a family or an ensemble needs at least one network");
  assertComparable(members, ({ model }, i) => model ?? `member ${i + 1}`);
  return [...members].sort((a, b) => lastCost(a) - lastCost(b));
}

function lastCost({ cost, model }: Trace): number {
  const last = cost?.multiplyAdds.at(-1);
  if (last === undefined) throw new UserError(`the trace of ${model ?? "a member"} does not know its cost`);
  return last;
}

function lastLogits({ logits, timesteps, examples, classes }: Trace): Float32Array | Float64Array {
  return logits.slice((timesteps - 1) * examples * classes);
}

function lastBeliefs(member: Trace): Float64Array {
  const { classes } = member;
  const logits = lastLogits(member);
  const beliefs = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes)
    softmaxRow(logits, start, beliefs.subarray(start, start + classes));
  return beliefs;
}

/** One timestep a member. */
function composed(
  [first]: readonly Trace[],
  logits: readonly ArrayLike<number>[],
  multiplyAdds: readonly number[],
): Trace {
  const { examples, classes, labels, ids, data, split } = first as Trace;
  const all = new Float64Array(logits.length * examples * classes);
  logits.forEach((own, m) => {
    all.set(own, m * examples * classes);
  });
  return {
    timesteps: logits.length,
    examples,
    classes,
    logits: all,
    labels,
    ids,
    cost: { multiplyAdds },
    ...(data !== undefined && { data }),
    ...(split !== undefined && { split }),
  };
}
