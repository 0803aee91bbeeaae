import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { renewing } from "./snapshot.js";

test("every figure has a snapshot, and every snapshot is of a figure's file", { skip: renewing }, () => {
  const files = readdirSync("lib/figures").filter((file) => file !== "figure.ts" && file !== "export.ts");
  const figures = files.filter((file) =>
    /^export (async )?function \w+Figure\(/m.test(readFileSync(`lib/figures/${file}`, "utf8")),
  );
  const drawn = new Set(
    readdirSync("test/figures/snapshots").map((file) => file.replace(/(\.\w+)?\.json$/, ".ts")),
  );
  assert.ok(figures.length > 20);
  assert.deepEqual(
    figures.filter((file) => !drawn.has(file)),
    [],
  );
  assert.deepEqual(
    [...drawn].filter((file) => !files.includes(file)),
    [],
  );
});
