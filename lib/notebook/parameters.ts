import { UserError } from "../util/errors.js";
import type { Notebook, NotebookCell } from "./notebook-file.js";

const DEFAULTS = "parameters";
const INJECTED = "injected-parameters";

const hasTag = (cell: NotebookCell, tag: string): boolean => cell.metadata.tags?.includes(tag) ?? false;

/** Names that the cell tagged "parameters" declares, as `let name = default;`. */
export function parameterNames(notebook: Notebook): string[] {
  const defaults = notebook.cells.find((cell) => hasTag(cell, DEFAULTS));
  return [...(defaults?.source.matchAll(/^\s*let\s+([\p{L}_$][\p{L}\p{N}_$]*)/gmu) ?? [])].flatMap(
    (match) => match[1] ?? [],
  );
}

/**
 * The notebook with `name = value;` for each parameter in a cell after the one tagged "parameters"; such a cell of
 * an earlier run is replaced. Throws a UserError for a name that is not declared there.
 */
export function withParameters(notebook: Notebook, parameters: Readonly<Record<string, unknown>>): Notebook {
  const cells = notebook.cells.filter((cell) => !hasTag(cell, INJECTED));
  const known = parameterNames(notebook);
  const names = Object.keys(parameters);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UserError(`the notebook has no parameter "${unknown}"; ${describe(known)}`);
  if (names.length === 0) return { ...notebook, cells };
  const injected = {
    ...idFor(notebook),
    cell_type: "code",
    metadata: { tags: [INJECTED] },
    execution_count: null,
    outputs: [],
    source: names.map((name) => `${name} = ${JSON.stringify(parameters[name])};`).join("\n"),
  };
  const place = cells.findIndex((cell) => hasTag(cell, DEFAULTS)) + 1;
  return { ...notebook, cells: [...cells.slice(0, place), injected, ...cells.slice(place)] };
}

/**
 * An executed notebook with the given values told below the cell of parameters, in the place of the cell that set
 * them: as code it would silently override what a reader sets above it. The note is that cell's output, so that it
 * goes when a reader runs the cell with other values.
 */
export function withParametersNoted(notebook: Notebook): Notebook {
  const injected = notebook.cells.find((cell) => hasTag(cell, INJECTED));
  if (injected === undefined) return notebook;
  const outputs = [{ output_type: "stream", name: "stdout", text: noteOf(injected.source) }];
  return {
    ...notebook,
    cells: notebook.cells
      .filter((cell) => cell !== injected)
      .map((cell) => (hasTag(cell, DEFAULTS) ? { ...cell, outputs } : cell)),
  };
}

/** Cells have an id from version 4.5 on, and may have none before. */
const idFor = ({ nbformat_minor: minor }: Notebook): { id?: string } =>
  (minor ?? 0) >= 5 ? { id: INJECTED } : {};

const noteOf = (source: string): string =>
  `The outputs below are of a run with these values in the place of those above:\n${source}\n`;

const describe = (known: readonly string[]): string =>
  known.length === 0 ? 'no cell is tagged "parameters"' : `it has ${known.join(", ")}`;
