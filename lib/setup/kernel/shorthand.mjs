/**
 * `{ a, b }` in a cell. tslab turns a name of an earlier cell into a property of its exports, but overlooks it where
 * it stands for both key and value; written out, it is seen.
 */
import { createRequire } from "node:module";

/**
 * @typedef {object} Node
 * @property {number} kind
 * @property {(file: object) => number} getStart
 * @property {{ text: string }} [name]
 *
 * @typedef {object} Compiler
 * @property {(name: string, code: string, target: number, parents: boolean) => Node} createSourceFile
 * @property {(node: Node, visit: (node: Node) => void) => void} forEachChild
 * @property {(node: Node) => boolean} isShorthandPropertyAssignment
 * @property {{ Latest: number }} ScriptTarget
 */

const require = createRequire(import.meta.url);
/** @type {unknown} */
const loaded = require(require.resolve("@tslab/typescript-for-tslab", { paths: [require.resolve("tslab")] }));
const ts = /** @type {Compiler} */ (loaded);

/** What is to be put in where, from the first place to the last: `a` becomes `a: a`. */
function additions(/** @type {string} */ code) {
  const file = ts.createSourceFile("cell.ts", code, ts.ScriptTarget.Latest, true);
  /** @type {{ at: number, text: string }[]} */
  const found = [];
  const visit = (/** @type {Node} */ node) => {
    if (ts.isShorthandPropertyAssignment(node))
      found.push({ at: node.getStart(file), text: `${node.name?.text ?? ""}: ` });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The cell with every `{ a }` as `{ a: a }`. */
export function writtenOut(/** @type {string} */ code) {
  const added = additions(code);
  let text = "";
  let from = 0;
  for (const { at, text: more } of added) {
    text += code.slice(from, at) + more;
    from = at;
  }
  return text + code.slice(from);
}

/** The column in the cell itself, from 1, of a place in its text written out. */
export function ownColumn(
  /** @type {string} */ code,
  /** @type {number} */ line,
  /** @type {number} */ column,
) {
  const begin =
    code
      .split("\n")
      .slice(0, line - 1)
      .join("\n").length + (line > 1 ? 1 : 0);
  let own = column;
  for (const { at, text } of additions(code)) {
    const place = at - begin + 1;
    if (place < 1 || place >= own) continue;
    own = Math.max(place, own - text.length);
  }
  return own;
}
