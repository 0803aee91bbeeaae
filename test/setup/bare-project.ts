import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const SETUP = join(import.meta.dirname, "../../lib/setup");
/** The one file beside it that it needs. */
const SHARE = join(import.meta.dirname, "../../lib/util/machine-share.mjs");

/** `npm ci` as far as the set-up can tell: notes its call, takes its time, writes npm's own account last. */
const FAKE_NPM = `#!/bin/sh
echo "call $$" >> npm-calls
sleep "\${NPM_SECONDS:-0}"
mkdir -p node_modules/typescript/bin
echo '{}' > node_modules/typescript/package.json
echo 'require("fs").mkdirSync("lib/dist", { recursive: true }); require("fs").writeFileSync("lib/dist/.tsbuildinfo", "");' > node_modules/typescript/bin/tsc
cp package-lock.json node_modules/.package-lock.json
`;

export interface Project {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Makes of an empty folder a project of nothing but the set-up, on a machine without Python and compiler. */
export function bareProjectIn(root: string): Project {
  cpSync(SETUP, join(root, "lib/setup"), { recursive: true });
  cpSync(SHARE, join(root, "lib/util/machine-share.mjs"));
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  put("package.json", '{ "type": "module" }');
  put("package-lock.json", '{ "packages": { "": {}, "node_modules/typescript": { "version": "1.0.0" } } }');
  put("tsconfig.base.json", "{}");
  put("lib/tsconfig.json", "{}");
  put("lib/package.json", '{ "type": "module" }');
  put("bin/npm", FAKE_NPM);
  chmodSync(join(root, "bin/npm"), 0o755);
  return { root, env: bareEnvironment(root) };
}

/** No Python and no compiler; npm is the one that the project brings along. */
export function bareEnvironment(root: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${root}/bin:${process.env["PATH"] ?? ""}` };
  delete env["npm_execpath"];
  return { ...env, PYTHON: "/nowhere/python", CXX: "/nowhere/compiler" };
}
