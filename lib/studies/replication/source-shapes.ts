import { type SourceShape, sourceShape } from "../../datasets/source-shape.js";
import type { ResolvedDatasetSource } from "../../datasets/source.js";
import { contentHash } from "../../util/content-hash.js";
import type { Training } from "./replication.js";

/** The different data sources of trainings; a study may train on others than those it was given. */
export function sourcesOf(trainings: readonly Training[]): ResolvedDatasetSource[] {
  return [...new Map(trainings.map(({ spec }) => [contentHash(spec.data), spec.data])).values()];
}

/** Looks at each source once and gives the shape of a training's data. */
export async function sourceShapes(
  trainings: readonly Training[],
): Promise<(training: Training) => SourceShape> {
  const shapes = new Map<string, SourceShape>();
  for (const source of sourcesOf(trainings)) shapes.set(contentHash(source), await sourceShape(source));
  return ({ spec }) => {
    const shape = shapes.get(contentHash(spec.data));
    if (shape === undefined) throw new RangeError("a training whose data nobody looked at");
    return shape;
  };
}
