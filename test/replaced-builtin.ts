import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** Does `work` while a function of node:fs is another one, for whoever imports it by its name. */
export async function withReplaced<Name extends "readdirSync" | "rmSync">(
  name: Name,
  by: (original: (typeof fs)[Name]) => (typeof fs)[Name],
  work: () => void | Promise<void>,
): Promise<void> {
  const original = fs[name];
  fs[name] = by(original);
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    fs[name] = original;
    syncBuiltinESMExports();
  }
}
