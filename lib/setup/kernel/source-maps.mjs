/**
 * Lines of a cell as its reader counts them. tslab compiles a cell twice, TypeScript to JavaScript and modules to
 * functions, without saying where anything went: here both compilations keep maps, which are followed backwards.
 */
import { createRequire, SourceMap } from "node:module";
import { ownColumn } from "./shorthand.mjs";

/** @typedef {import("node:module").SourceMapPayload} SourceMapPayload */
/** @typedef {{ line: number, column: number }} Place both from 1 */

const require = createRequire(import.meta.url);
const INLINE = /\n\/\/# sourceMappingURL=data:application\/json;base64,(\S+)\s*$/;

/** Of the cell that was compiled last: TypeScript to JavaScript, then modules to functions. @type {SourceMap[]} */
let latest = [];
/** By the name of the cell's script. @type {Map<string, { code: string, maps: SourceMap[], prefix: number }>} */
const cells = new Map();

/** Must be called before tslab is loaded: its compiler keeps maps from then on. */
export function keepSourceMaps() {
  const path = require.resolve("@tslab/typescript-for-tslab", { paths: [require.resolve("tslab")] });
  /** @type {unknown} */
  const loaded = require(path);
  const ts = /** @type {Compiler} */ (loaded);
  const cached = require.cache[path];
  if (cached === undefined) return;
  cached.exports = {
    .../** @type {object} */ (loaded),
    createWatchCompilerHost: (
      /** @type {unknown} */ files,
      /** @type {object} */ options,
      /** @type {unknown[]} */ ...rest
    ) => ts.createWatchCompilerHost(files, { ...options, inlineSourceMap: true }, ...rest),
    sys: withoutLibraryWatches(ts.sys),
    transpileModule: (/** @type {string} */ code, /** @type {TranspileOptions} */ options) =>
      transpiled(ts, code, options),
  };
}

/**
 * @typedef {{ compilerOptions: object }} TranspileOptions
 * @typedef {{ outputText: string, sourceMapText?: string }} Transpiled
 * @typedef {{
 *   createWatchCompilerHost: (files: unknown, options: object, ...rest: unknown[]) => unknown,
 *   transpileModule: (code: string, options: TranspileOptions) => Transpiled,
 *   sys: Record<Watch, (path: string, ...rest: unknown[]) => { close(): void }>,
 * }} Compiler
 */

/** @typedef {"watchFile" | "watchDirectory"} Watch */

/**
 * A kernel loads the library once, and packages: their files are not watched. Rebuilt under a running kernel, they would
 * leave tslab with an update that it does not expect, and no cell would run any more.
 *
 * @param {Compiler["sys"]} sys
 * @returns {Compiler["sys"]}
 */
function withoutLibraryWatches(sys) {
  const watch =
    (/** @type {Watch} */ how) =>
    (/** @type {string} */ path, /** @type {unknown[]} */ ...rest) =>
      /\/(lib\/dist|node_modules)(\/|$)/.test(path) ? { close: () => undefined } : sys[how](path, ...rest);
  /** @type {unknown} */
  const changed = Object.assign(Object.create(sys), {
    watchFile: watch("watchFile"),
    watchDirectory: watch("watchDirectory"),
  });
  return /** @type {Compiler["sys"]} */ (changed);
}

/** @returns {Transpiled} */
function transpiled(
  /** @type {Compiler} */ ts,
  /** @type {string} */ code,
  /** @type {TranspileOptions} */ options,
) {
  const map = INLINE.exec(code)?.[1];
  const compilerOptions = { ...options.compilerOptions, sourceMap: true };
  const result = ts.transpileModule(code.replace(INLINE, ""), { ...options, compilerOptions });
  if (map !== undefined)
    latest = [Buffer.from(map, "base64").toString(), result.sourceMapText ?? ""].map(parsedMap);
  return { ...result, outputText: result.outputText.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "") };
}

function parsedMap(/** @type {string} */ text) {
  /** @type {unknown} */
  const payload = JSON.parse(text);
  return new SourceMap(/** @type {SourceMapPayload} */ (payload));
}

/** Remembers code and maps of the cell compiled last under the name of its script, a function of tslab's. */
export function rememberCell(
  /** @type {string} */ name,
  /** @type {string} */ code,
  /** @type {string} */ script,
) {
  const prefix = /^\((?:async )?function\(exports, require\) \{ /.exec(script)?.[0].length ?? 0;
  cells.set(name, { code, maps: latest, prefix });
}

/** The text of a stack with each place in a cell as it is in the cell's own lines: `cell-2:3:7`. */
export function inOwnLines(/** @type {string} */ stack) {
  return stack.replaceAll(
    /\b(cell-\d+):(\d+):(\d+)/g,
    (text, /** @type {string} */ name, /** @type {string} */ line, /** @type {string} */ column) => {
      const place = ownPlace(name, { line: Number(line), column: Number(column) });
      return place === undefined ? text : `${name}:${String(place.line)}:${String(place.column)}`;
    },
  );
}

/** @returns {Place | undefined} */
function ownPlace(/** @type {string} */ name, /** @type {Place} */ { line, column }) {
  const cell = cells.get(name);
  if (cell === undefined || cell.maps.length === 0) return undefined;
  /** @type {Place} */
  let place = { line: line - 1, column: column - 1 - (line === 1 ? cell.prefix : 0) };
  for (const map of [...cell.maps].reverse()) {
    const entry = map.findEntry(place.line, place.column);
    if (!("originalLine" in entry)) return undefined;
    place = { line: entry.originalLine, column: entry.originalColumn };
  }
  // tslab puts a line of its own before each cell.
  return { line: place.line, column: ownColumn(cell.code, place.line, place.column + 1) };
}
