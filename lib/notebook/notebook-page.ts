import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { printPage } from "../figures/export.js";
import { UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { readNotebook } from "./notebook-file.js";
import { projectFolder } from "./project-folder.js";

/** Bytes of a page at most. */
const LARGEST = 2 ** 28;

/** Pages of paper: figures and tables no wider than the paper, and not cut in two. */
const STYLE = `<style>
@page { size: A4; margin: 15mm 12mm; }
.jp-OutputArea-output svg, .jp-OutputArea-output img { max-width: 100%; height: auto; }
@media print {
  .jp-OutputArea-output { overflow: visible !important; }
  .jp-OutputArea-output table { font-size: 8pt; max-width: 100%; }
  .jp-OutputArea-output svg, tr, h1, h2, h3 { break-inside: avoid; }
  h1, h2, h3 { break-after: avoid; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  iframe { display: none; }
}
</style>`;

/**
 * Writes a notebook as it stands, with the outputs that it has, as one page of HTML (.html), figures as vector graphics,
 * or printed (.pdf) by the browser that draws figures. Runs nothing, and asks nothing of the network: formulas stay in
 * LaTeX's notation in the PDF. Throws a UserError for another ending, and without JupyterLab or a browser.
 */
export async function writeNotebookPage(notebook: string, path: string): Promise<void> {
  const kind = extname(path);
  if (kind !== ".html" && kind !== ".pdf")
    throw new UserError(`${path} says no form of a page: its name must end with .html or .pdf`);
  await readNotebook(notebook);
  const html = await converted(notebook);
  await writeFileAtomic(path, kind === ".html" ? html : await printPage(html));
}

async function converted(notebook: string): Promise<string> {
  const python = join(projectFolder(), ".venv", "bin", "python");
  if (!existsSync(join(projectFolder(), ".venv", "bin", "jupyter-nbconvert")))
    throw new UserError(
      "notebooks cannot be converted: JupyterLab is not set up; run `npm run setup -- --with-lab`",
    );
  // Without the scripts that nbconvert would load from elsewhere.
  const words = ["--to", "html", "--stdout", "--HTMLExporter.require_js_url=", "--HTMLExporter.jquery_url="];
  const env = { ...process.env, JUPYTER_PREFER_ENV_PATH: "1" };
  const call = promisify(execFile)(python, ["-m", "nbconvert", ...words, resolve(notebook)], {
    env,
    maxBuffer: LARGEST,
  });
  const { stdout } = await call.catch((error: unknown) => {
    const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new UserError(`${notebook} cannot be converted: ${text.trim().split("\n").at(-1) ?? ""}`, {
      cause: error,
    });
  });
  return withPictures(stdout.replace("</head>", `${STYLE}</head>`), dirname(resolve(notebook)));
}

const PICTURE_TYPES: Readonly<Record<string, string>> = {
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
};

/**
 * The page with the pictures in it that its text links to, from the notebook's folder and the project's: a page is read where
 * they do not lie. What is linked from anywhere else stays a link.
 */
function withPictures(html: string, folder: string): string {
  return html.replaceAll(/(<img\b[^>]*?\ssrc=")([^":]+)"/g, (tag, before: string, source: string) => {
    const path = resolve(folder, source.replaceAll("%20", " "));
    const type = PICTURE_TYPES[extname(path).toLowerCase()];
    const isNear = [folder, projectFolder()].some((near) => path.startsWith(`${resolve(near)}${sep}`));
    if (type === undefined || !isNear || !existsSync(path)) return tag;
    return `${before}data:${type};base64,${readFileSync(path, "base64")}"`;
  });
}
