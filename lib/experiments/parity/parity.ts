import type { Precision } from "../../nn/backend/kernels.js";
import { UserError } from "../../util/errors.js";
import { isRecord } from "../../util/records.js";
import { checkAnalyses } from "./check-analyses.js";
import { checkReferenceCase } from "./check-network.js";
import { checkOpponent, checkPublishedSizes } from "./check-opponent.js";
import { checkTdReference } from "./check-td.js";
import type { ParityRow } from "./parity-row.js";
import { parseReferenceCase } from "./reference-case.js";

/**
 * Holds this project to a file of numbers that the authors' own implementation computed, or an opponent's public one. One
 * with a `case` or a `config` has a network's logits, gradients and statistics, whose weights and images are remade from a
 * recipe; one whose parts each have a `config` has sizes of published networks; one with `td` has TD(lambda) targets and
 * losses, and analyses of a trace. A UserError where it is none of these.
 */
export function checkReference(json: unknown, where: string, precision: Precision): ParityRow[] {
  if (!isRecord(json)) throw new UserError(`${where} is not a reference file: it holds no object`);
  if ("config" in json) return checkOpponent(json, where, precision);
  const parts = Object.values(json);
  if (parts.length > 0 && parts.every((part) => isRecord(part) && "config" in part)) {
    return checkPublishedSizes(json, where);
  }
  if ("case" in json) return checkReferenceCase(parseReferenceCase(json, where), precision);
  if (!("td" in json))
    throw new UserError(`${where} is not a reference file: it holds neither "case", "config" nor "td"`);
  return [...checkAnalyses(json, where), ...checkTdReference(json.td, where)];
}
