import { UserError } from "../util/errors.js";
import { assertShapeAndLabels, type Trace } from "./trace.js";

/**
 * A trace of images that were held out of training for choosing: thresholds, temperatures, gates, lambda. Everything
 * that is chosen is a function of such a trace, so that a choice made on test images does not compile.
 */
export type ValidationTrace = Trace & { readonly split: "validation" };

/** A UserError unless the trace is of validation images: for callers that the compiler does not see. */
export function assertValidation(trace: Trace, what: string): asserts trace is ValidationTrace {
  assertShapeAndLabels(trace);
  if (trace.split === "validation") return;
  const split = trace.split === undefined ? "images of unknown use" : `${trace.split} images`;
  throw new UserError(
    `${what} on validation images, but this trace is of ${split}; take the trace of the run's validation images (validationTrace)`,
  );
}

/**
 * A UserError unless all traces show the same examples with the same labels, in the same order, of the same data and
 * split; it names the two and the first place where they differ. `name` tells a trace from the others.
 */
export function assertComparable(traces: readonly Trace[], name: (trace: Trace, i: number) => string): void {
  const [first, ...others] = traces;
  if (first === undefined) return;
  others.forEach((other, i) => {
    const difference = differenceOf(first, other);
    if (difference === undefined) return;
    throw new UserError(
      `the traces of ${name(first, 0)} and ${name(other, i + 1)} cannot be compared: ${difference}`,
    );
  });
}

function differenceOf(a: Trace, b: Trace): string | undefined {
  if (contradict(a.data, b.data)) return `their images differ (${a.data ?? ""} and ${b.data ?? ""})`;
  if (contradict(a.split, b.split)) return `one is of ${a.split ?? ""}, the other of ${b.split ?? ""} images`;
  if (a.classes !== b.classes) return `they have ${a.classes} and ${b.classes} classes`;
  if (a.examples !== b.examples) return `they have ${a.examples} and ${b.examples} examples`;
  const n = a.ids.findIndex((id, place) => id !== b.ids[place] || a.labels[place] !== b.labels[place]);
  if (n < 0) return undefined;
  const example = ({ ids, labels }: Trace): string => `image ${String(ids[n])} of class ${String(labels[n])}`;
  return `example ${n} is ${example(a)} in one, ${example(b)} in the other`;
}

/** Older traces do not say what they are of; ids and labels are compared all the same. */
function contradict(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
