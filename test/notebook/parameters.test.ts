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

test("after a run the values are told by the cell of parameters, until it is run again", () => {
  const noted = withParametersNoted(withParameters(notebook, { quick: true }));
  assert.deepEqual(
    noted.cells.map(({ source }) => source),
    notebook.cells.map(({ source }) => source),
  );
  assert.deepEqual(noted.cells[1]?.["outputs"], [
    {
      output_type: "stream",
      name: "stdout",
      text: "The outputs below are of a run with these values in the place of those above:\nquick = true;\n",
    },
  ]);
  assert.deepEqual(withParametersNoted(notebook), notebook);
});

test("a name that is not declared is refused with those that are", () => {
  assert.throws(
    () => withParameters(notebook, { hidden: 1 }),
    new UserError('the notebook has no parameter "hidden"; it has quick, größe'),
  );
});
