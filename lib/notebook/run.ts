import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { ownFolder } from "../util/own-temporary.js";
import { type Notebook, notebookJson, parseNotebook, readNotebook } from "./notebook-file.js";
import { withParameters, withParametersNoted } from "./parameters.js";
import { projectFolder } from "./project-folder.js";

export interface RunNotebookOptions {
  /** New values of variables that the cell tagged "parameters" declares. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Where the executed notebook goes; without it the notebook is only checked. */
  readonly output?: string;
  /** Seconds that one cell may take. */
  readonly timeout?: number;
  /** Called as each code cell begins: its number among the notebook's code cells, from 1, and how many there are. */
  readonly onProgress?: (cell: number, cells: number) => void;
}

/**
 * Executes a TypeScript notebook from its first cell to its last in a fresh kernel, and writes it with its outputs
 * if every cell ran. Throws a UserError with the number, source and error of the first cell that did not; then
 * nothing is written.
 */
export async function runNotebook(path: string, options: RunNotebookOptions = {}): Promise<void> {
  const { parameters = {}, output, timeout, onProgress } = options;
  const notebook = withParameters(await readNotebook(path), parameters);
  const codeCells = notebook.cells.flatMap((cell, index) => (cell.cell_type === "code" ? [index] : []));
  const numberOf = (index: number): number => codeCells.indexOf(index) + 1;
  const onEvent = (event: RunEvent): void => {
    if ("cell" in event) onProgress?.(numberOf(event.cell), codeCells.length);
    if ("left" in event) throw new UserError(leftMessage(path, event));
    if ("failed" in event) {
      const source = notebook.cells[event.failed]?.source ?? "";
      throw new UserError(
        failureMessage(`${path}, code cell ${numberOf(event.failed)} of ${codeCells.length}`, source, event),
      );
    }
  };
  const executed = await withSecondStart(() => execute(notebook, timeout, onEvent));
  if (output !== undefined) await writeFileAtomic(output, notebookJson(withParametersNoted(executed)));
}

/** The kernel ended, or did not answer, before the first cell began. */
export class KernelNotStarted extends UserError {}

/** What `run` gives; where its kernel did not start nothing has happened yet, so it is run once more. */
export async function withSecondStart<R>(run: () => Promise<R>): Promise<R> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof KernelNotStarted)) throw error;
    return await run();
  }
}

const eventSchema = z.union([
  z.object({ cell: z.number() }),
  z.object({ failed: z.number(), kind: z.enum(["error", "timeout", "died", "skipped"]), error: z.string() }),
  z.object({ left: z.enum(["error", "work"]), error: z.string() }),
  z.object({ notebook: z.string() }),
]);
type RunEvent = z.infer<typeof eventSchema>;
type Failure = Extract<RunEvent, { failed: number }>;
type Left = Extract<RunEvent, { left: string }>;

const FAILURE = {
  error: "failed",
  timeout: "took longer than it may",
  died: "ended the kernel, perhaps for lack of memory",
  skipped: "was not run by the kernel",
} as const;
const SHOWN_LINES = 30;

const indented = (text: string): string =>
  text
    .split("\n")
    .slice(0, SHOWN_LINES)
    .map((line) => `    ${line}`)
    .join("\n");

/** What is wrong with code that its cell did not wait for. */
function leftMessage(path: string, { left, error }: Left): string {
  if (left === "work")
    return `${path}: the cells ran, but what they began did not end: await it, and stop timers and servers`;
  return `${path}: the cells ran, but code that none of them waited for failed; await it:\n${indented(error)}`;
}

function failureMessage(place: string, source: string, { kind, error }: Failure): string {
  return [
    `${place} ${FAILURE[kind]}:`,
    indented(source),
    ...(error === "" ? [] : ["  It said:", indented(error)]),
  ].join("\n");
}

/**
 * Runs run.py, which ends when this process does; returns the executed notebook. Throws a KernelNotStarted if no cell
 * began.
 */
async function execute(
  notebook: Notebook,
  timeout: number | undefined,
  onEvent: (event: RunEvent) => void,
): Promise<Notebook> {
  const root = projectFolder();
  const python = join(root, ".venv", "bin", "python");
  if (!existsSync(join(root, ".venv", "share", "jupyter", "kernels", "cascade")))
    throw new UserError(
      "notebooks cannot be run: JupyterLab is not set up; run `npm run setup -- --with-lab`",
    );
  const env = {
    ...process.env,
    JUPYTER_PREFER_ENV_PATH: "1",
    // The kernel is started as "node": let it be the one that runs here.
    PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
  };
  const folder = await ownFolder("notebook");
  const script = join(root, "lib", "notebook", "run.py");
  const child = spawn(python, [script, folder.path], { cwd: root, env, stdio: "pipe" });
  const closed = new Promise((resolve) => child.once("close", resolve));
  let complaint = "";
  let begun = false;
  child.on("error", ({ message }) => {
    complaint = `its Python does not start (${message}); see \`npm run doctor\``;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000);
  });
  child.stdin.on("error", () => undefined); // it died early: its complaint says why
  child.stdin.write(`${JSON.stringify({ notebook, timeout: timeout ?? null })}\n`);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = eventSchema.parse(JSON.parse(line));
      if ("notebook" in event) return parseNotebook("the executed notebook", event.notebook);
      begun = true;
      onEvent(event);
    }
  } finally {
    child.stdin.end();
    await closed;
    folder.remove();
  }
  const reason = complaint.trim().split("\n").at(-1) ?? "";
  if (begun) throw new UserError(`the notebook could not be run: ${reason}`);
  throw new KernelNotStarted(`the notebook's kernel did not start: ${reason}`);
}
