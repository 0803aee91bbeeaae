import { Command, InvalidArgumentError } from "commander";
import { runNotebook } from "../notebook/run.js";
import { UserError } from "../util/errors.js";
import { jsonOrText } from "../util/json-text.js";
import { type Progress, startProgress } from "../util/progress.js";
import { wholeNumber } from "./options.js";
import { writeOut } from "./output.js";

type Parameters = Readonly<Record<string, unknown>>;

interface NotebookOptions {
  readonly parameter: Parameters;
  readonly out?: string;
  readonly inPlace?: true;
  readonly timeout?: number;
}

/** `cascade notebook <files...>`. */
export function notebookCommand(): Command {
  return new Command("notebook")
    .description("execute TypeScript notebooks without a screen; exits with 1 if any cell fails")
    .argument("<files...>", "notebooks, executed one after the other")
    .option("-p, --parameter <name=value>", "set a parameter; the value is JSON, else text", addParameter, {})
    .option("--out <file>", "write the executed notebook here")
    .option("--in-place", "write the executed notebook over the given one")
    .option("--timeout <seconds>", "how long one cell may take", wholeNumber(1))
    .action(runNotebooks);
}

async function runNotebooks(files: string[], options: NotebookOptions): Promise<void> {
  const { out, inPlace } = options;
  if (out !== undefined && inPlace) throw new UserError("choose one of --out and --in-place");
  if (out !== undefined && files.length > 1)
    throw new UserError("--out takes one notebook; use --in-place for several");
  for (const file of files) await runOne(file, options);
}

async function runOne(file: string, { parameter, out, inPlace, timeout }: NotebookOptions): Promise<void> {
  const output = inPlace ? file : out;
  const begun = Date.now();
  let progress: Progress | undefined;
  try {
    await runNotebook(file, {
      parameters: parameter,
      ...(output === undefined ? {} : { output }),
      ...(timeout === undefined ? {} : { timeout }),
      onProgress: (cell, cells) => {
        progress ??= startProgress({ label: file, total: cells });
        progress.update(cell - 1);
      },
    });
  } finally {
    progress?.stop();
  }
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  const where =
    output === undefined ? "; nothing was written (--in-place or --out FILE does)" : `, written to ${output}`;
  writeOut(`${file}: every cell ran, ${seconds} s${where}`);
}

function addParameter(text: string, before: Parameters): Parameters {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("it must be name=value");
  return { ...before, [text.slice(0, equals)]: jsonOrText(text.slice(equals + 1)) };
}
