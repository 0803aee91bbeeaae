import { isRecord } from "./records.js";

/** JSON text of plain data with every object's keys in sorted order: equal data, equal text. Throws on a number that JSON cannot hold. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (key, field: unknown) => {
    if (typeof field === "number" && !Number.isFinite(field)) {
      throw new TypeError(`${key} is ${field}, which has no JSON form`);
    }
    return isRecord(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : Number(a > b))))
      : field;
  });
}
