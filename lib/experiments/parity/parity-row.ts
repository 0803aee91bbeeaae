/** One compared quantity; `limit` is null where float32 itself drifts too far for a comparison to mean anything. */
export interface ParityRow {
  readonly case: string;
  readonly quantity: string;
  /** See `relative-error.ts`; infinite where nothing could be compared. */
  readonly error: number;
  readonly limit: number | null;
  readonly passed: boolean;
}

export function parityRow(
  caseName: string,
  quantity: string,
  error: number,
  limit: number | null,
): ParityRow {
  return { case: caseName, quantity, error, limit, passed: limit === null || error <= limit };
}

/** Limit of what both sides compute in float64. */
export const FLOAT64_LIMIT = 1e-9;
