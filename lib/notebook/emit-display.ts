import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { UserError } from "../util/errors.js";

/** One output of a cell in several forms, by media type; each viewer takes the richest that it knows. */
export type DisplayBundle = Readonly<Record<string, unknown>>;

type Write = (
  content: { data: DisplayBundle; metadata: object; transient: object },
  update?: boolean,
) => void;

/** tslab keeps here how the cell at work shows something; null outside of notebooks. */
const write = (): Write | null =>
  // Loaded here, not at the top: outside notebooks nobody needs tslab's sockets.
  (createRequire(import.meta.url)("tslab/dist/jupyter.js") as { readonly lastWriteDisplayData: Write | null })
    .lastWriteDisplayData;

/**
 * Sends one output to the notebook. tslab's public display functions send one form a message, so that a viewer
 * would show each of them; this takes the way below them. Outside of notebooks its plain text is printed, where it has one.
 */
export function emitDisplay(bundle: DisplayBundle): void {
  const show = write();
  if (show !== null) {
    show({ data: bundle, metadata: {}, transient: {} });
    return;
  }
  const text = bundle["text/plain"];
  if (typeof text !== "string")
    throw new UserError("there is no notebook to show this figure in; exportFigure writes it as SVG or PDF");
  console.log(text);
}

/** An output that is replaced in its place, below the cell that opened it; undefined outside of notebooks. */
export function openDisplay(): ((bundle: DisplayBundle) => void) | undefined {
  const show = write();
  if (show === null) return undefined;
  const transient = { display_id: randomUUID() };
  let isShown = false;
  return (data) => {
    show({ data, metadata: {}, transient }, isShown);
    isShown = true;
  };
}
