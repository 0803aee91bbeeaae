import { contentHash } from "../../util/content-hash.js";
import { formerSpec } from "./former-spec.js";

/** Hash of a spec, of today's form or a former one: equal for equal trainings, and what names a run. */
export function specHash(spec: unknown): string {
  return contentHash(formerSpec(spec));
}
