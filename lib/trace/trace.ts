import { UserError } from "../util/errors.js";

/** Logits of every timestep for every example, with what is needed to judge them. */
export interface Trace {
  /** T */
  readonly timesteps: number;
  /** N */
  readonly examples: number;
  /** K */
  readonly classes: number;
  /** [T, N, K], row-major. */
  readonly logits: Float32Array | Float64Array;
  /** [N], each in 0 .. K - 1. */
  readonly labels: Int32Array;
  /** [N], the examples' places in the original data set. */
  readonly ids: Int32Array;
  readonly cost?: TraceCost;
  /** Display name of the model, such as "CascadedTD". */
  readonly model?: string;
  /** Hash of the run that gave the trace. */
  readonly run?: string;
  /** Hash of the data set that the examples are from. */
  readonly data?: string;
  /** What the examples are for: choosing (validation) or judging (test). */
  readonly split?: "validation" | "test";
}

export interface TraceCost {
  /** [T], multiply-adds an image from the start up to and including timestep t. */
  readonly multiplyAdds: readonly number[];
  /** [T], measured milliseconds from the start to the answer of timestep t, where somebody measured them. */
  readonly milliseconds?: readonly number[];
}

/**
 * Checks that shapes agree, labels are classes, logits are finite and costs never fall; gives the trace back.
 * Throws a UserError that names `where` and the first fault.
 */
export function validateTrace(trace: Trace, where = "the trace"): Trace {
  refuse(shapeFault(trace) ?? labelFault(trace) ?? logitFault(trace) ?? costFault(trace), where);
  return trace;
}

/** Throws a UserError where the shapes of a trace do not agree: cheap, for functions that read its logits. */
export function assertShape(trace: Trace): void {
  refuse(shapeFault(trace));
}

/** The same for functions that also read its labels: each must be a class. */
export function assertShapeAndLabels(trace: Trace): void {
  refuse(shapeFault(trace) ?? labelFault(trace));
}

function refuse(fault: string | undefined, where = "the trace"): void {
  if (fault !== undefined) throw new UserError(`${where} cannot be used: ${fault}`);
}

function shapeFault({ timesteps, examples, classes, logits, labels, ids }: Trace): string | undefined {
  if (!isCount(timesteps, 1)) return `timesteps must be a whole number from 1, not ${timesteps}`;
  if (!isCount(examples, 1)) return `examples must be a whole number from 1, not ${examples}`;
  if (!isCount(classes, 2)) return `classes must be a whole number from 2, not ${classes}`;
  const expected = timesteps * examples * classes;
  if (logits.length !== expected)
    return `logits hold ${logits.length} values, but T x N x K = ${timesteps} x ${examples} x ${classes} = ${expected}`;
  if (labels.length !== examples) return `there are ${labels.length} labels for ${examples} examples`;
  if (ids.length !== examples) return `there are ${ids.length} ids for ${examples} examples`;
  return undefined;
}

function isCount(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

function labelFault({ labels, ids, classes }: Trace): string | undefined {
  const n = labels.findIndex((label) => label < 0 || label >= classes);
  if (n < 0) return undefined;
  return `example ${n} (id ${String(ids[n])}) has label ${String(labels[n])}, outside 0 .. ${classes - 1}`;
}

function logitFault({ logits, examples, classes, ids }: Trace): string | undefined {
  for (let i = 0; i < logits.length; i++) {
    if (Number.isFinite(logits[i])) continue;
    const n = Math.floor(i / classes) % examples;
    const t = Math.floor(i / classes / examples);
    return `the logit of timestep ${t}, example ${n} (id ${String(ids[n])}), class ${i % classes} is ${String(logits[i])}`;
  }
  return undefined;
}

function costFault({ cost, timesteps }: Trace): string | undefined {
  if (cost === undefined) return undefined;
  return (
    seriesFault("multiply-adds", cost.multiplyAdds, timesteps) ??
    (cost.milliseconds && seriesFault("milliseconds", cost.milliseconds, timesteps))
  );
}

function seriesFault(unit: string, costs: readonly number[], timesteps: number): string | undefined {
  if (costs.length !== timesteps)
    return `there are ${costs.length} costs for ${timesteps} timesteps, in ${unit}`;
  const t = costs.findIndex((value, i) => !(Number.isFinite(value) && value >= (costs[i - 1] ?? 0)));
  return t < 0 ? undefined : `the cumulative ${unit} at timestep ${t} are ${String(costs[t])}`;
}
