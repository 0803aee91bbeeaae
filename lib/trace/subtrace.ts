import type { Trace } from "./trace.js";

/** The trace of the examples at `places` [M] alone, in that order. */
export function subtrace(trace: Trace, places: ArrayLike<number>): Trace {
  const { timesteps, examples, classes, logits } = trace;
  const at = Int32Array.from(places);
  const values = at.length * timesteps * classes;
  const kept = logits instanceof Float32Array ? new Float32Array(values) : new Float64Array(values);
  for (let t = 0; t < timesteps; t++) {
    for (const [m, n] of at.entries()) {
      const from = (t * examples + n) * classes;
      kept.set(logits.subarray(from, from + classes), (t * at.length + m) * classes);
    }
  }
  return {
    ...trace,
    examples: at.length,
    logits: kept,
    labels: at.map((n) => trace.labels[n] as number),
    ids: at.map((n) => trace.ids[n] as number),
  };
}

/** The trace from timestep `first` on; costs still count from the start. */
export function traceFrom(trace: Trace, first: number): Trace {
  const { timesteps, examples, classes, logits, cost, ...rest } = trace;
  return {
    ...rest,
    timesteps: timesteps - first,
    examples,
    classes,
    logits: logits.slice(first * examples * classes),
    ...(cost && {
      cost: {
        multiplyAdds: cost.multiplyAdds.slice(first),
        ...(cost.milliseconds && { milliseconds: cost.milliseconds.slice(first) }),
      },
    }),
  };
}

/** The trace from its last timestep alone: what a detector sees that waits for the end. */
export function lastStep(trace: Trace): Trace {
  return traceFrom(trace, trace.timesteps - 1);
}

/**
 * The first timestep whose answer depends on the image: before it the logits of all examples are the same. A cascade's
 * first answer is blind, since nothing of the image has reached the head. 0 for a single example, which cannot tell.
 */
export function firstInformedTimestep({ timesteps, examples, classes, logits }: Trace): number {
  if (examples === 1) return 0;
  const row = examples * classes;
  for (let t = 0; t < timesteps - 1; t++) {
    for (let i = classes; i < row; i++) {
      if (logits[t * row + i] !== logits[t * row + (i % classes)]) return t;
    }
  }
  return timesteps - 1;
}

/** Several traces of the same network, one after the other along the examples. */
export function joinedTraces(traces: readonly [Trace, ...Trace[]]): Trace {
  const [first] = traces;
  const { timesteps, classes } = first;
  const examples = traces.reduce((sum, trace) => sum + trace.examples, 0);
  const logits = new Float64Array(timesteps * examples * classes);
  const labels = new Int32Array(examples);
  const ids = new Int32Array(examples);
  let done = 0;
  for (const trace of traces) {
    const row = trace.examples * classes;
    for (let t = 0; t < timesteps; t++)
      logits.set(trace.logits.subarray(t * row, (t + 1) * row), (t * examples + done) * classes);
    labels.set(trace.labels, done);
    ids.set(trace.ids, done);
    done += trace.examples;
  }
  return { ...first, examples, logits, labels, ids };
}
