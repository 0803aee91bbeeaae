import type { RunRecord } from "../runs/run-record.js";
import { type RunRow, runRows, type RunValue } from "./run-rows.js";

/** What two runs do not have in common. */
export interface RunDifference {
  /** Fields of the specs that differ; "" where a spec has no such field. */
  readonly spec: readonly { readonly field: string; readonly first: RunValue; readonly second: RunValue }[];
  /** Accuracies on the test images of models that both have, at each timestep that both have. */
  readonly results: readonly {
    readonly model: string;
    readonly timestep: number;
    readonly first: number;
    readonly second: number;
    /** second - first */
    readonly difference: number;
  }[];
}

/** Two runs against each other: what was asked for, and what came out. */
export function runDifference(first: RunRecord, second: RunRecord): RunDifference {
  const [a, b] = [runRows([first]), runRows([second])];
  return {
    spec: specDifferences(a[0]?.spec ?? {}, b[0]?.spec ?? {}),
    results: a.flatMap((row) =>
      b.filter(({ model }) => model === row.model).flatMap((other) => accuracies(row, other)),
    ),
  };
}

function specDifferences(a: RunRow["spec"], b: RunRow["spec"]): RunDifference["spec"] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((field) => a[field] !== b[field])
    .map((field) => ({ field, first: a[field] ?? "", second: b[field] ?? "" }));
}

function accuracies(a: RunRow, b: RunRow): RunDifference["results"] {
  const { model } = a;
  if (model === null) return [];
  return (a.accuracy ?? []).flatMap((first, timestep) => {
    const second = b.accuracy?.[timestep];
    return second === undefined ? [] : [{ model, timestep, first, second, difference: second - first }];
  });
}
