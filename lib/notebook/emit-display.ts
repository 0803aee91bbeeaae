import { createRequire } from "node:module";
import { UserError } from "../util/errors.js";

/** One output of a cell in several forms, by media type; each viewer takes the richest that it knows. */
export type DisplayBundle = Readonly<Record<string, unknown>>;

interface TslabJupyter {
  readonly lastWriteDisplayData:
    | ((content: { data: DisplayBundle; metadata: object; transient: object }, update?: boolean) => void)
    | null;
}

/**
 * Sends one output to the notebook. tslab's public display functions send one form a message, so that a viewer
 * would show each of them; this takes the way below them.
 */
export function emitDisplay(bundle: DisplayBundle): void {
  // Loaded here, not at the top: outside notebooks nobody needs tslab's sockets.
  const jupyter = createRequire(import.meta.url)("tslab/dist/jupyter.js") as TslabJupyter;
  if (jupyter.lastWriteDisplayData === null)
    throw new UserError(
      "there is no notebook to show this in; outside of notebooks use exportFigure or print the rows",
    );
  jupyter.lastWriteDisplayData({ data: bundle, metadata: {}, transient: {} });
}
