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
 * An executed notebook with the given values as a note in the place of the cell that set them: left there as code it
 * would silently override what a reader sets in the cell above it.
 */
export function withParametersNoted(notebook: Notebook): Notebook {
  return {
    ...notebook,
    cells: notebook.cells.map((cell) => (hasTag(cell, INJECTED) ? noteOf(notebook, cell) : cell)),
  };
}

/** Cells have an id from version 4.5 on, and may have none before. */
const idFor = ({ nbformat_minor: minor }: Notebook): { id?: string } =>
  (minor ?? 0) >= 5 ? { id: INJECTED } : {};

const noteOf = (notebook: Notebook, { source, metadata }: NotebookCell): NotebookCell => ({
  ...idFor(notebook),
  cell_type: "markdown",
  metadata,
  source: `The outputs below are of a run with these values in the place of those above:\n\n\`\`\`ts\n${source}\n\`\`\``,
});

const describe = (known: readonly string[]): string =>
  known.length === 0 ? 'no cell is tagged "parameters"' : `it has ${known.join(", ")}`;
