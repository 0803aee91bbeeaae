/**
 * Which timesteps of a value are really distinct. With a propagation delay and a fixed input, block i's input
 * stops changing once t >= i, so only i + 1 of its T steps need computing; and what has not yet been reached by
 * the image (t = 0 under the one-step delay) is the same for every image of the batch, so one row stands for all.
 */
export interface Timeline {
  /** [T] the distinct step that holds at each timestep; ABSENT where the value is not computed and counts as zero. */
  readonly step: readonly number[];
  /** [D] rows of each distinct step on the folded batch axis: B, or 1 where it does not depend on the image. */
  readonly rows: readonly number[];
}

export const ABSENT = -1;

/** A value that is the same at all T timesteps. */
export function constantTimeline(timesteps: number, rows: number): Timeline {
  return { step: Array<number>(timesteps).fill(0), rows: [rows] };
}

/** A value given afresh at each timestep (a transient disturbance of the input). */
export function changingTimeline(timesteps: number, rows: number): Timeline {
  return { step: Array.from({ length: timesteps }, (_, t) => t), rows: Array<number>(timesteps).fill(rows) };
}

/** [D] first row of each distinct step on the folded batch axis. */
export function firstRows(rows: readonly number[]): number[] {
  let next = 0;
  return rows.map((count) => {
    const first = next;
    next += count;
    return first;
  });
}

/** [D] the first timestep at which each distinct step holds. */
export function firstTimesteps(timeline: Timeline): number[] {
  return timeline.rows.map((_, d) => timeline.step.indexOf(d));
}

/**
 * Numbers the timesteps by their keys: equal keys share a distinct step, null is ABSENT. Returns the step of each
 * timestep and, for each distinct step, the first timestep at which it holds.
 */
export function distinctSteps(keys: readonly (string | null)[]): { step: number[]; firstTimestep: number[] } {
  const known = new Map<string, number>();
  const firstTimestep: number[] = [];
  const step = keys.map((key, t) => {
    if (key === null) return ABSENT;
    const seen = known.get(key);
    if (seen !== undefined) return seen;
    known.set(key, firstTimestep.length);
    firstTimestep.push(t);
    return firstTimestep.length - 1;
  });
  return { step, firstTimestep };
}

/** A re-numbering of distinct steps: `source[d]` is the old distinct step that the new step d is taken from. */
export interface StepSelection {
  readonly timeline: Timeline;
  readonly source: readonly number[];
}

/** Keeps only what is needed from timestep `from` on; earlier timesteps become ABSENT. */
export function selectFrom(timeline: Timeline, from: number): StepSelection {
  return select(
    timeline,
    timeline.step.map((d, t) => (t < from || d === ABSENT ? null : String(d))),
  );
}

/**
 * Splits distinct steps where a second attribute of the timestep differs (for example its row of batch-norm
 * statistics): timesteps stay merged only if both the old step and the attribute agree.
 */
export function refine(timeline: Timeline, attributeOfTimestep: readonly number[]): StepSelection {
  return select(
    timeline,
    timeline.step.map((d, t) => (d === ABSENT ? null : `${d}/${valueAt(attributeOfTimestep, t)}`)),
  );
}

function select(timeline: Timeline, keys: readonly (string | null)[]): StepSelection {
  const { step, firstTimestep } = distinctSteps(keys);
  const source = firstTimestep.map((t) => valueAt(timeline.step, t));
  return { timeline: { step, rows: source.map((d) => valueAt(timeline.rows, d)) }, source };
}

/** True where a selection keeps every distinct step in its place. */
export function isIdentity(selection: StepSelection, before: Timeline): boolean {
  return selection.source.length === before.rows.length && selection.source.every((d, i) => d === i);
}

/** values[i], for an index known to be inside. */
export function valueAt<V>(values: readonly V[], i: number): V {
  if (i < 0 || i >= values.length) throw new RangeError(`index ${i} is outside 0 .. ${values.length - 1}`);
  return values[i] as V;
}
