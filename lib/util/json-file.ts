import { readFileSync } from "node:fs";
import type { z } from "zod";
import { UserError } from "./errors.js";
import { fileError } from "./files.js";
import { parseWithSchema } from "./schema.js";

/**
 * The content of a JSON file as `schema` understands it. A UserError says that the file cannot be read, is not JSON, or
 * which of its fields are wrong; `remedy` ends the sentence with what to do then, such as "delete it".
 */
export function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  remedy?: string,
): z.output<Schema> {
  const content = parsed(path, remedy);
  return parseWithSchema(schema, content, path, remedy);
}

function parsed(path: string, remedy: string | undefined): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw fileError(error, "read", path);
    const advice = remedy === undefined ? "" : `; ${remedy}`;
    throw new UserError(`${path} is not valid JSON: ${error.message}${advice}`);
  }
}
