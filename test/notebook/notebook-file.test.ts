import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { notebookJson, parseNotebook } from "../../lib/notebook/notebook-file.js";

test("a notebook is written as Python's json writes it, number for number", () => {
  const numbers = [
    0, 1, -3, 0.1, 1.5e-5, -5.13e-5, 9.999e-5, 1e-4, 1e-7, 2.5e-10, 1e16, 123456.789, 1e22, 5e-324,
  ];
  const notebook = parseNotebook(
    "test",
    JSON.stringify({
      nbformat: 4,
      metadata: { z: {}, a: [], text: 'ü "quoted"\n</script>' },
      cells: [{ cell_type: "code", source: "a\nb", metadata: {}, outputs: [{ data: { "x/y": numbers } }] }],
    }),
  );
  const ours = notebookJson(notebook);
  // As nbformat does it; 1e22 is a whole number of JavaScript, which Python reads as a float.
  const code =
    "import json, sys; print(json.dumps(json.load(sys.stdin), indent=1, sort_keys=True, ensure_ascii=False))";
  const python = spawnSync("python3", ["-c", code], {
    input: ours,
    encoding: "utf8",
    env: { ...process.env, PYTHONUTF8: "1" },
  });
  assert.equal(python.status, 0, python.stderr);
  assert.equal(ours, python.stdout);
  assert.match(ours, /5\.13e-05/);
});
