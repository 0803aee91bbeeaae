/** A reason, in one sentence for the person at the keyboard, why a step of the set-up cannot be done. */
export class SetupError extends Error {}

/** The message of whatever was thrown. */
export const messageOf = (/** @type {unknown} */ error) =>
  error instanceof Error ? error.message : String(error);
