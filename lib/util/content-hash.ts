import { canonicalJson } from "./canonical-json.js";
import { sha256 } from "./files.js";

/** First 12 hexadecimal digits of the SHA-256 of plain data's canonical JSON. */
export function contentHash(value: unknown): string {
  return sha256(canonicalJson(value)).slice(0, 12);
}
