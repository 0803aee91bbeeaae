import { z } from "zod";
import { UserError } from "./errors.js";

/** The part of a JSON Schema that says what a field may hold. */
type Allowed = z.core.JSONSchema.BaseSchema;

/**
 * `value` as `schema` understands it, or a UserError that begins with `where`, names every wrong field, and ends with
 * the `remedy` where there is one.
 */
export function parseWithSchema<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
  remedy?: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = describeIssues(result.error, schema, value);
  throw new UserError(`${where}: ${[...issues, ...(remedy === undefined ? [] : [remedy])].join("; ")}`);
}

/** One sentence for each problem that `schema` has with `value`: the field's full path, what it is, what is allowed. */
export function describeIssues(error: z.ZodError, schema: z.ZodType, value: unknown): string[] {
  const root = allowedBy(schema);
  return error.issues.flatMap((issue) => {
    const given = valueAt(value, issue.path);
    const allowed = allowedAt(root, value, issue.path);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => unknownField([...issue.path, key], fieldNames(allowed, given)));
    }
    if (issue.code === "custom") return [`${fieldPath(issue.path)}: ${issue.message}`];
    const what = given === undefined ? "is missing" : `is ${shown(given)}`;
    const permitted = allowed.length > 0 ? choice(allowed.map(describeAllowed)) : issue.message;
    return [`${fieldPath(issue.path)} ${what}; allowed: ${permitted}`];
  });
}

const known = new WeakMap<z.ZodType, Allowed>();

/** What a schema allows, which takes longer to make than a value to check. */
function allowedBy(schema: z.ZodType): Allowed {
  const allowed = known.get(schema) ?? z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  known.set(schema, allowed);
  return allowed;
}

function unknownField(path: readonly PropertyKey[], names: readonly string[]): string {
  const key = String(path.at(-1));
  const nearest = nearestName(key, names);
  const suggestion = nearest === undefined ? "" : `, did you mean ${nearest}?`;
  return `${fieldPath(path)} is not a known field${suggestion === "" ? ";" : suggestion} allowed: ${names.join(", ")}`;
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "the value" : path.map(String).join(".");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((at, key) => (isRecord(at) ? at[String(key)] : undefined), value);
}

/** The schemas that apply to the field at `path`, following only union branches whose fixed fields fit `value`. */
function allowedAt(root: Allowed, value: unknown, path: readonly PropertyKey[]): Allowed[] {
  let here = branches(root, value);
  let at = value;
  for (const key of path) {
    at = valueAt(at, [key]);
    const child = at;
    here = here.flatMap((schema) => childSchemas(schema, key)).flatMap((schema) => branches(schema, child));
  }
  return here;
}

function childSchemas(schema: Allowed, key: PropertyKey): Allowed[] {
  const listed =
    typeof key === "number" ? (schema.prefixItems?.[key] ?? schema.items) : schema.properties?.[String(key)];
  const child = listed ?? schema.additionalProperties;
  return [child].flat().filter((item) => typeof item === "object");
}

/** A union's branches that `value` may have been meant for: all, unless the fields that all of them fix single some out. */
function branches(schema: Allowed, value: unknown): Allowed[] {
  const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (options === undefined) return [schema];
  const all = options
    .filter((option) => typeof option === "object")
    .flatMap((option) => branches(option, value));
  const objects = all.filter(({ type }) => type === "object").map(fixedFields);
  const telling = [...(objects[0]?.keys() ?? [])].filter((name) => objects.every((fixed) => fixed.has(name)));
  const fitting = all.filter((option) => tellingFieldsFit(option, telling, value));
  return fitting.length > 0 ? fitting : all;
}

/** Fields that may hold one value only, with that value. */
function fixedFields({ properties = {} }: Allowed): ReadonlyMap<string, unknown> {
  return new Map(
    Object.entries(properties).flatMap(([name, field]) =>
      typeof field === "object" && field.const !== undefined ? [[name, field.const] as const] : [],
    ),
  );
}

function tellingFieldsFit(schema: Allowed, telling: readonly string[], value: unknown): boolean {
  return isRecord(value)
    ? schema.type === "object" && telling.every((name) => value[name] === fixedFields(schema).get(name))
    : schema.type !== "object";
}

function fieldNames(allowed: readonly Allowed[], given: unknown): string[] {
  const names = allowed.flatMap((schema) => Object.keys(schema.properties ?? {}));
  const present = isRecord(given) ? Object.keys(given) : [];
  return [...new Set(names)].sort((a, b) => Number(present.includes(a)) - Number(present.includes(b)));
}

function choice(texts: readonly string[]): string {
  return [...new Set(texts)].join(" or ");
}

/** What a schema allows, in words. */
function describeAllowed(schema: Allowed): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.map(shown).join(", ")}`;
  if (schema.const !== undefined) return shown(schema.const);
  switch (schema.type) {
    case "integer":
      return `a whole number${range(schema)}`;
    case "number":
      return `a number${range(schema)}`;
    case "string":
      return schema.pattern === undefined
        ? `a text${lengths(schema.minLength, schema.maxLength)}`
        : `a text that matches /${schema.pattern}/`;
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "array":
      return `a list${lengths(schema.minItems, schema.maxItems)}`;
    case "object":
      return `an object${schema.properties === undefined ? "" : ` with the fields ${Object.keys(schema.properties).join(", ")}`}`;
    default:
      return "another value";
  }
}

function range(schema: Allowed): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, multipleOf } = schema;
  const limits = [
    exclusiveMinimum === undefined ? "" : `above ${exclusiveMinimum}`,
    minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? "" : `at least ${minimum}`,
    exclusiveMaximum === undefined ? "" : `below ${exclusiveMaximum}`,
    maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? "" : `at most ${maximum}`,
    multipleOf === undefined ? "" : `a multiple of ${multipleOf}`,
  ].filter((limit) => limit !== "");
  return limits.length === 0 ? "" : ` (${limits.join(" and ")})`;
}

function lengths(fewest: number | undefined, most: number | undefined): string {
  if (fewest === undefined && most === undefined) return "";
  if (most === undefined) return ` of length at least ${String(fewest)}`;
  return fewest === most ? ` of length ${most}` : ` of length ${fewest ?? 0} to ${most}`;
}

function shown(value: unknown): string {
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The name nearest to `key` by edit distance, if it is near enough to have been meant. */
function nearestName(key: string, names: readonly string[]): string | undefined {
  const [nearest] = names
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= Math.max(1, Math.ceil(key.length / 2))
    ? nearest.name
    : undefined;
}

/** Fewest insertions, deletions and replacements of one character that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + Number(a[i] !== b[j]);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
