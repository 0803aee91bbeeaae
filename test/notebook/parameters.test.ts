import assert from "node:assert/strict";
import { test } from "node:test";
import type { Notebook } from "../../lib/notebook/notebook-file.js";
import { parameterNames, withParameters, withParametersNoted } from "../../lib/notebook/parameters.js";
import { UserError } from "../../lib/util/errors.js";

const cell = (source: string, tags?: string[]): Notebook["cells"][number] => ({
  cell_type: "code",
  source,
  metadata: tags === undefined ? {} : { tags },
});

const notebook: Notebook = {
  nbformat: 4,
  metadata: {},
  cells: [
    cell("first"),
    cell("let quick = false;\nlet größe: number = 3; // let hidden = 1", ["parameters"]),
    cell("last"),
  ],
};

test("parameters are what the tagged cell declares with let", () => {
  assert.deepEqual(parameterNames(notebook), ["quick", "größe"]);
});

test("values are assigned right after the defaults, and a second time in place of the first", () => {
  const once = withParameters(notebook, { quick: true, größe: [1, "a"] });
  assert.deepEqual(
    once.cells.map(({ source }) => source),
    ["first", notebook.cells[1]?.source, 'quick = true;\ngröße = [1,"a"];', "last"],
  );
  const twice = withParameters(once, { quick: false });
  assert.deepEqual(twice.cells.map(({ source }) => source)[2], "quick = false;");
  assert.equal(twice.cells.length, 4);
  assert.deepEqual(withParameters(once, {}).cells, notebook.cells);
});

test("after a run the values are a note, which the next run replaces", () => {
  const noted = withParametersNoted(withParameters(notebook, { quick: true }));
  const note = noted.cells[2];
  assert.equal(note?.cell_type, "markdown");
  assert.match(note.source, /^The outputs below .*\n\n```ts\nquick = true;\n```$/s);
  assert.ok(!("outputs" in note) && !("execution_count" in note));
  assert.deepEqual(withParameters(noted, {}).cells, notebook.cells);
  assert.deepEqual(withParametersNoted(notebook), notebook);
});

test("a name that is not declared is refused with those that are", () => {
  assert.throws(
    () => withParameters(notebook, { hidden: 1 }),
    new UserError('the notebook has no parameter "hidden"; it has quick, größe'),
  );
});
