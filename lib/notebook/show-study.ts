import type { StudyResult } from "../studies/study.js";
import { UserError } from "../util/errors.js";
import { showFigure } from "./show-figure.js";
import type { TableOptions } from "../util/table-cells.js";
import { showTable } from "./show-table.js";
import { showText } from "./show-text.js";

/** Shows a figure of a study, or why there is none. Call it with `await`. */
export async function showStudyFigure(
  result: StudyResult,
  name: string,
  { caption = false }: { readonly caption?: boolean } = {},
): Promise<void> {
  const part = partOrReason(result, "figure", name);
  if (typeof part === "string" || caption) showText(typeof part === "string" ? part : part.caption);
  if (typeof part !== "string") await showFigure(part.figure);
}

/** Shows a table of a study, or why there is none. */
export function showStudyTable(
  result: StudyResult,
  name: string,
  { title = false, ...options }: TableOptions & { readonly title?: boolean } = {},
): void {
  const part = partOrReason(result, "table", name);
  if (typeof part === "string" || title) showText(typeof part === "string" ? part : part.title);
  if (typeof part !== "string") showTable(part.rows, options);
}

type Parts = {
  readonly figure: StudyResult["figures"][number];
  readonly table: StudyResult["tables"][number];
};

/** The part of that name; the reason where nothing was tested; else a UserError that tells the names there are. */
export function partOrReason<Kind extends keyof Parts>(
  { figures, tables, notTested }: StudyResult,
  kind: Kind,
  name: string,
): Parts[Kind] | string {
  const parts: { readonly [K in keyof Parts]: readonly Parts[K][] } = { figure: figures, table: tables };
  const part = parts[kind].find((one) => one.name === name);
  if (part !== undefined) return part;
  if (notTested !== undefined) return `not tested here: ${notTested}`;
  const names = parts[kind].map((one) => one.name).join(", ");
  throw new UserError(`the study has no ${kind} "${name}"; it has ${names === "" ? "none" : names}`);
}
