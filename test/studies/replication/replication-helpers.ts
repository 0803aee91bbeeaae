import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { before } from "node:test";
import { promisify } from "node:util";
import {
  planReplication,
  type Replication,
  type Training,
} from "../../../lib/studies/replication/replication.js";
import { sourceShapes } from "../../../lib/studies/replication/source-shapes.js";
import { trainingStatus } from "../../../lib/studies/replication/training-status.js";
import { SMALL_PROTOCOL } from "../small-study.js";

const project = resolve(import.meta.dirname, "..", "..", "..");

before(async () => {
  // Trainings run as processes of the compiled command line.
  const compiler = join(project, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [compiler, "--build", "lib"], { cwd: project });
});

export function small(...studies: Parameters<typeof planReplication>[0]["studies"]): Replication {
  return planReplication({ protocol: SMALL_PROTOCOL, studies, data: [] });
}

export function shapeOfAll(trainings: readonly Training[], root: string) {
  return sourceShapes(trainings).then((shapeOf) =>
    trainings.map((training) => trainingStatus(training, root, shapeOf(training))),
  );
}
