import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import {
  type Analysis,
  cachedAnalysis,
  cachedNumber,
} from "../../../lib/studies/evidence/cached-analysis.js";
import { temporaryFolder } from "../../temporary-folder.js";

interface Result {
  readonly value: number;
}

test("a result is computed once a key and version; a stale or damaged one again, and said", async (context) => {
  const folder = await temporaryFolder(context);
  const sources = await temporaryFolder(context);
  /** The analysis as code of this content carries it out. */
  const madeBy = (code: string): Analysis<Result> => {
    const source = join(sources, `${code}.js`);
    writeFileSync(source, code);
    return {
      name: "an analysis",
      module: pathToFileURL(source).href,
      schema: z.object({ value: cachedNumber }),
    };
  };
  let analysis = madeBy("first");
  let computed = 0;
  const said: string[] = [];
  const ask = (key: string, value = 1): Promise<Result> =>
    cachedAnalysis(
      folder,
      analysis,
      { key },
      () => {
        computed++;
        return { value };
      },
      (message) => said.push(message),
    );
  assert.deepEqual(await ask("a"), { value: 1 });
  assert.deepEqual(await ask("a", 2), { value: 1 }, "from the cache");
  assert.deepEqual(await ask("b", NaN), { value: NaN });
  assert.deepEqual(await ask("b"), { value: NaN }, "NaN is cached as what it is");
  assert.equal(computed, 2);
  assert.equal(said.length, 0);

  analysis = madeBy("second");
  assert.deepEqual(await ask("a", 3), { value: 3 });
  assert.match(
    said.pop() ?? "",
    /^an analysis: .*\.json is of another version of the code and computed again$/,
  );
  assert.deepEqual(await ask("a", 4), { value: 3 });
  assert.equal(readdirSync(folder).length, 2, "a stale result is replaced");

  const files = readdirSync(folder).map((name) => join(folder, name));
  const path = files.find((file) => readFileSync(file, "utf8").includes('"value":3')) ?? "";
  const text = readFileSync(path, "utf8");
  await ask("c", 9);
  const other = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const another = other.find((content) => content.includes('"value":9')) ?? "";
  const edited = ['"value":"three"', '"value":7', '"value":1e999'].map((value) =>
    text.replace('"value":3', value),
  );
  for (const damaged of [
    text.slice(0, -3),
    ...edited,
    text.replace(/,"sum":"\w+"/, ""),
    another,
    "[]",
    "{}",
  ]) {
    writeFileSync(path, damaged);
    assert.deepEqual(await ask("a", 5), { value: 5 });
    assert.match(said.pop() ?? "", /is damaged and computed again$/);
  }
});
