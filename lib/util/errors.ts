/**
 * An error whose message is meant for the person at the keyboard: one clear sentence that says what is wrong,
 * where, and what to do. The command line prints it without a stack trace and exits with 1.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}
