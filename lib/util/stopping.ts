import { UserError } from "./errors.js";

/** Says that work ended early because it was asked to, at a place from where it can go on. */
export class Stopped extends UserError {}

/** The notebook cell that the calling code belongs to, as the project's kernel (lib/setup/kernel) tells of it. */
interface NotebookCell {
  /** Aborts when the cell is interrupted. */
  readonly signal: AbortSignal;
  /** The interrupted cell does not end before `work`, which ends by itself soon after the signal. */
  readonly waitFor: (work: Promise<unknown>) => void;
}

/** Under this name the kernel leaves a function that gives the cell. */
const CELL = Symbol.for("anytime-cascade.cell");

function currentCell(): NotebookCell | undefined {
  const find = (globalThis as { readonly [CELL]?: () => NotebookCell | undefined })[CELL];
  return find?.();
}

/**
 * Runs `work` with a signal that asks it to stop: the given one, or the interruption of the notebook cell that it is
 * part of. It must end soon after the signal, as with a Stopped.
 */
export async function stoppable<Result>(
  given: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const cell = currentCell();
  const signals = [given, cell?.signal].filter((signal) => signal !== undefined);
  const working = work(AbortSignal.any(signals));
  cell?.waitFor(working);
  return working;
}

/** Lets timers and signals through between two pieces of work: a lock is kept alive by a timer. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
