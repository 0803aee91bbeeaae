import { readFile } from "node:fs/promises";
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { fileError } from "../util/files.js";

const text = z.union([z.string(), z.array(z.string()).transform((lines) => lines.join(""))]);

const cellSchema = z.looseObject({
  cell_type: z.string(),
  source: text,
  metadata: z.looseObject({ tags: z.array(z.string()).optional() }).default({}),
});

const notebookSchema = z.looseObject({
  nbformat: z.literal(4),
  nbformat_minor: z.number().optional(),
  metadata: z.looseObject({ kernelspec: z.looseObject({ language: z.string().optional() }).optional() }),
  cells: z.array(cellSchema),
});

export type NotebookCell = z.infer<typeof cellSchema>;
/** A notebook file of format 4, as much of it as is looked at here; the rest is kept as it is. */
export type Notebook = z.infer<typeof notebookSchema>;

/** Reads a TypeScript notebook; throws a UserError that names what is wrong with the file. */
export async function readNotebook(path: string): Promise<Notebook> {
  const notebook = parseNotebook(path, await readText(path));
  const language = notebook.metadata.kernelspec?.language;
  if (language !== undefined && language !== "typescript")
    throw new UserError(`${path} is a notebook for ${language}; only TypeScript notebooks can be run here`);
  return notebook;
}

/** A notebook as Jupyter writes it: keys in order, numbers as Python has them, each source as a list of its lines. */
export function notebookJson(notebook: Notebook): string {
  const lines = (source: string): string[] => (source === "" ? [] : source.split(/(?<=\n)/));
  const cells = notebook.cells.map((cell) => ({ ...cell, source: lines(cell.source) }));
  return `${pythonJson({ ...notebook, cells })}\n`;
}

/** JSON as Python's `json` writes it with an indent of 1 and sorted keys, so that saving in JupyterLab changes nothing. */
function pythonJson(value: unknown, margin = "\n"): string {
  const inner = `${margin} `;
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value))
    return bracketed(
      "[]",
      value.map((item) => pythonJson(item, inner)),
      margin,
    );
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}: ${pythonJson(item, inner)}`);
  return bracketed("{}", entries, margin);
}

const bracketed = (brackets: "[]" | "{}", items: readonly string[], margin: string): string =>
  items.length === 0
    ? brackets
    : `${brackets[0]}${items.map((item) => `${margin} ${item}`).join(",")}${margin}${brackets[1]}`;

/** As Python's repr: an exponent below 1e-4, with two digits at least. */
function pythonNumber(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const text = value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

async function readText(path: string): Promise<string> {
  try {
    // Some editors begin a file with a byte order mark; no notebook is written with one.
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** The text of a notebook; throws a UserError that names what is wrong with it. */
export function parseNotebook(path: string, json: string): Notebook {
  try {
    return notebookSchema.parse(JSON.parse(json));
  } catch (error) {
    if (json.trim() === "") throw new UserError(`${path} is empty, not a notebook of format 4`);
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const reason = issue === undefined ? "it is not JSON" : `${issue.path.join(".")}: ${issue.message}`;
    throw new UserError(`${path} is not a notebook of format 4 (${reason})`, { cause: error });
  }
}
