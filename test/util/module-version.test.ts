import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { moduleVersion } from "../../lib/util/module-version.js";
import { temporaryFolder } from "../temporary-folder.js";

test("the version changes with the module and with what it imports through others, and with nothing else", async (context) => {
  const folder = await temporaryFolder(context);
  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
  };
  write("a.js", 'import { b } from "./b.js";\nimport "zod";\nexport const a = b;\n');
  write("b.js", 'export {\n  c as b,\n} from "./c.js";\n');
  write("c.ts", 'import { a } from "./a.js";\nexport const c = 1;\n');
  write("d.js", "export const d = 1;\n");
  const version = (): string => moduleVersion(pathToFileURL(join(folder, "a.js")).href);
  const first = version();
  assert.equal(version(), first);
  write("d.js", "export const d = 2;\n");
  assert.equal(version(), first);
  write("c.ts", 'import { a } from "./a.js";\nexport const c = 2;\n');
  const second = version();
  assert.notEqual(second, first);
  write("a.js", "export const a = 1;\n");
  assert.notEqual(version(), second);
});

test("an analysis of this project has a version", () => {
  const url = new URL("../../lib/studies/evidence/anytime-models.ts", import.meta.url).href;
  assert.match(moduleVersion(url), /^[0-9a-f]{64}$/);
});
