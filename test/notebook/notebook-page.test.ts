import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { closeBrowser } from "../../lib/figures/browser.js";
import { readNotebook } from "../../lib/notebook/notebook-file.js";
import { writeNotebookPage } from "../../lib/notebook/notebook-page.js";

const project = join(import.meta.dirname, "../..");
const skip = existsSync(join(project, ".venv/bin/jupyter-nbconvert"))
  ? false
  : "JupyterLab is not set up (npm run setup -- --with-lab)";
const folder = mkdtempSync(join(tmpdir(), "page-test-"));
after(async () => {
  await closeBrowser();
  rmSync(folder, { recursive: true, force: true });
});

test(
  "a page has every figure of its notebook, and asks nothing of the network but formulas' script",
  { skip },
  async () => {
    const notebook = join(project, "notebooks/04-lambda.ipynb");
    const { cells } = await readNotebook(notebook);
    const outputs = cells.flatMap((cell) => (cell["outputs"] ?? []) as { data?: Record<string, unknown> }[]);
    const figures = outputs.filter(
      ({ data = {} }) => "image/svg+xml" in data && !("text/html" in data),
    ).length;
    assert.ok(figures > 1);
    // Pictures of results, which lie beside the notebook and not beside the page.
    const linked = JSON.stringify(cells).match(/!\[[^\]]*\]\(\.\.\/data\//g)?.length ?? 0;
    assert.ok(linked > 0);
    const page = join(folder, "page.html");
    await writeNotebookPage(notebook, page);
    const html = readFileSync(page, "utf8");
    const pictures = html.match(/<img\b[^>]*>/g) ?? [];
    assert.equal(pictures.length, figures + linked);
    for (const picture of pictures) assert.match(picture, /src="data:image\/svg\+xml;base64,/);
    const asked = [...html.matchAll(/(?:src|href)="(https?:[^"]*)"/g)].map(([, address = ""]) => address);
    assert.deepEqual(
      asked.filter((address) => !/mathjax/i.test(address)),
      [],
    );
  },
);

test("printed it is a PDF of several pages", { skip }, async () => {
  const pdf = join(folder, "page.pdf");
  await writeNotebookPage(join(project, "notebooks/04-lambda.ipynb"), pdf);
  const text = readFileSync(pdf, "latin1");
  assert.ok(text.startsWith("%PDF-"));
  assert.ok((text.match(/\/Type \/Page\b/g)?.length ?? 0) > 2);
  await assert.rejects(writeNotebookPage("n.ipynb", "n.docx"), /n\.docx says no form of a page/);
});
