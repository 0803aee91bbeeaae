import { existsSync } from "node:fs";
import { basename } from "node:path";
import { withoutArchiveEnding } from "../datasets/archive-kind.js";
import { parseDatasetSource } from "../datasets/parse-source.js";
import { resolveDatasetSource, type ResolvedDatasetSource } from "../datasets/source.js";
import type { NamedSource } from "../studies/replication/replication.js";
import { UserError } from "../util/errors.js";

/**
 * Data sets under their names, with the C-scores that were given for them: `<npz>`, or `<name>=<npz>` where there
 * are several data sets and it is not CIFAR-10's. A UserError for names that come twice or fit nothing.
 */
export async function namedSources(
  texts: readonly string[],
  cScores: readonly string[],
): Promise<readonly NamedSource[]> {
  const named: NamedSource[] = [];
  for (const text of texts) {
    const source = await parseDatasetSource(text);
    const name = nameOf(text, source);
    if (named.some((other) => other.name === name))
      throw new UserError(`--data names ${name} twice; each data set is given once`);
    named.push({ name, source });
  }
  const [first] = named;
  const usual = named.length === 1 && first !== undefined ? first.name : "cifar10";
  const scores = new Map(
    cScores.map((text) => {
      const [, name, path] = /^(\w+)=(.+)$/s.exec(text) ?? [];
      return [name ?? usual, path ?? text] as const;
    }),
  );
  for (const [name, path] of scores) {
    if (!named.some((one) => one.name === name))
      throw new UserError(`--c-scores are for ${name}, which no --data names`);
    if (!existsSync(path)) throw new UserError(`--c-scores: there is no file ${path}`);
  }
  return named.map(({ name, source }) => {
    const path = scores.get(name);
    return { name, source: path === undefined ? source : resolveDatasetSource({ ...source, cScores: path }) };
  });
}

/** The name that the text gives, or the kind of the data, or the folder's own name. */
function nameOf(text: string, source: ResolvedDatasetSource): string {
  const [, given] = /^(cifar10|cifar100|tinyimagenet)(?:=|$)/.exec(text) ?? [];
  if (given !== undefined) return given;
  return source.kind === "folder" ? withoutArchiveEnding(basename(source.path)) : source.kind;
}
