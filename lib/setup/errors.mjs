import { constants } from "node:os";

/** A reason, in one sentence for the person at the keyboard, why a step of the set-up cannot be done. */
export class SetupError extends Error {}

/** The message of whatever was thrown. */
export const messageOf = (/** @type {unknown} */ error) =>
  error instanceof Error ? error.message : String(error);

/**
 * A refusal of the system, such as a full disk, as a sentence; undefined for what is a mistake of the program.
 *
 * @param {unknown} error
 */
export function systemRefusal(error) {
  if (!(error instanceof Error && "syscall" in error && "errno" in error)) return undefined;
  const number = Math.abs(Number(error.errno));
  const name = Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? "";
  // Node has no name for the error of a quota and some others, and two ways of saying so.
  const message = error.message.replace(
    /^(?:(Unknown system error -\d+): \1|UNKNOWN: unknown error)/,
    `${name}: refused by the system`,
  );
  return `${message}; mend that and run it again, it goes on where it stopped`;
}
