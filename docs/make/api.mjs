/** docs/api.md: every name that lib/index.ts exports, with its declaration and docstring, in the sections of that file. */
import { fileURLToPath } from "node:url";
import { dirname } from "node:path";
import ts from "typescript";
import { generated } from "./generated.mjs";

const INDEX = fileURLToPath(new URL("../../lib/index.ts", import.meta.url));
const LIB = dirname(INDEX);

const configFile = ts.readConfigFile(`${LIB}/tsconfig.json`, (path) => ts.sys.readFile(path));
const { options } = ts.parseJsonConfigFileContent(/** @type {unknown} */ (configFile.config), ts.sys, LIB);
const program = ts.createProgram([INDEX], { ...options, noEmit: true });
const checker = program.getTypeChecker();
const index = program.getSourceFile(INDEX);
if (index === undefined) throw new Error(`${INDEX} cannot be read`);

/** @type {string[]} */
const undocumented = [];
const sections = index.statements.filter(ts.isExportDeclaration).map((statement) => {
  const clause = statement.exportClause;
  const names = clause !== undefined && ts.isNamedExports(clause) ? [...clause.elements] : [];
  return [headingOf(statement), ...names.map(entryOf)].filter((part) => part !== "").join("\n\n");
});

if (undocumented.length > 0) {
  console.error(`lib/index.ts exports names without a docstring of a sentence: ${undocumented.join(", ")}`);
  process.exitCode = 1;
}
const title =
  '# What the library exports\n\nMade from the docstrings by `npm run docs`; `import { … } from "anytime-cascade"`.';
await generated("docs/api.md", `${title}\n\n${sections.join("\n\n")}\n`);

/** The comment before a statement of the index, which begins a section. @param {ts.Statement} statement */
function headingOf(statement) {
  const text = statement.getFullText();
  const comment = /^\/\/ (.+)$/m.exec(text.slice(0, text.length - statement.getText().length))?.[1];
  return comment === undefined ? "" : `## ${comment}`;
}

/** @param {ts.ExportSpecifier} name */
function entryOf(name) {
  const exported = checker.getSymbolAtLocation(name.name);
  if (exported === undefined) throw new Error(`${name.getText()} is not known`);
  const symbol = checker.getAliasedSymbol(exported);
  const doc = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
  if (!/(\w+\W+){3,}/.test(doc)) undocumented.push(name.name.text);
  const declared = (symbol.declarations ?? []).map(declarationText).filter((text) => text !== "");
  return `### ${name.name.text}\n\n\`\`\`ts\n${declared.join("\n")}\n\`\`\`\n\n${markdown(doc)}`;
}

/** A docstring whose <words in brackets> Markdown does not take for tags. @param {string} doc */
function markdown(doc) {
  const unquoted = (/** @type {string} */ line) =>
    line.startsWith("    ")
      ? line
      : line.replace(/`[^`]*`|<(?=[a-z])/gi, (part) => part.replace(/^</, "\\<"));
  return doc.split("\n").map(unquoted).join("\n");
}

/** A declaration as it stands in its file, without what it does. @param {ts.Declaration} node @returns {string} */
function declarationText(node) {
  if (ts.isFunctionDeclaration(node)) return upTo(node, node.body);
  if (ts.isVariableDeclaration(node)) return variableText(node);
  if (!ts.isClassDeclaration(node)) return upTo(node, undefined);
  const heads = node.members.filter(isPublic).map((member) => `  ${memberText(member)}`);
  const heritage = (node.heritageClauses ?? []).map((clause) => ` ${clause.getText()}`).join("");
  return `class ${node.name?.text ?? ""}${heritage} {\n${heads.join("\n")}\n}`;
}

/** @param {ts.ClassElement} member */
function isPublic(member) {
  const named = member.name !== undefined && ts.isPrivateIdentifier(member.name);
  return !named && (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) === 0;
}

/** @param {ts.ClassElement} member */
function memberText(member) {
  const doc = ts.getJSDocCommentsAndTags(member).map((comment) => comment.getText());
  const body = "body" in member ? /** @type {ts.Block | undefined} */ (member.body) : undefined;
  return [...doc, upTo(member, body)].join("\n  ");
}

/**
 * A constant and its type, which is left out where it is neither written nor short.
 * @param {ts.VariableDeclaration} node
 */
function variableText(node) {
  const type = node.type?.getText() ?? checker.typeToString(checker.getTypeAtLocation(node));
  const short = node.type !== undefined || (type.length < 80 && !type.includes("import("));
  return `const ${node.name.getText()}${short ? `: ${type}` : ""};`;
}

/** @param {ts.Node} node @param {ts.Node | undefined} end */
function upTo(node, end) {
  const text = node.getSourceFile().text.slice(node.getStart(), end?.getStart() ?? node.end);
  return text.replace(/^export (declare )?/, "").trim();
}
