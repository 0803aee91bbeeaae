import { readFileSync } from "node:fs";
import type { z } from "zod";
import { UserError } from "./errors.js";
import { fileError } from "./files.js";
import { parseJson } from "./json-text.js";
import { parseWithSchema } from "./schema.js";
import { visibleText } from "./visible-text.js";

/**
 * The content of a JSON file as `schema` understands it. A UserError says that the file cannot be read, is not JSON, or
 * which of its fields are wrong; `remedy` ends the sentence with what to do then, such as "delete it".
 */
export function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  remedy?: string,
): z.output<Schema> {
  return decodeJson(textOf(path), path, schema, remedy);
}

/** The same of a text that was read from `where`. */
export function decodeJson<Schema extends z.ZodType>(
  text: string,
  where: string,
  schema: Schema,
  remedy?: string,
): z.output<Schema> {
  return parseWithSchema(schema, parsed(text, where, remedy), where, remedy);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

function parsed(text: string, where: string, remedy: string | undefined): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const advice = remedy === undefined ? "" : `; ${remedy}`;
    // It quotes what is there, line breaks and all.
    throw new UserError(`${where} is not valid JSON: ${visibleText(error.message)}${advice}`);
  }
}
