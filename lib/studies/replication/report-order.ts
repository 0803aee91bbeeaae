import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PROTOCOLS, STUDIES } from "./protocols.js";
import type { ProtocolName } from "../study.js";

/** A study on a data set, in its place in the report; nobody waits for one left out. */
export interface ReportPlace {
  readonly data: string;
  readonly study: string;
  readonly leftOut?: boolean;
}

/**
 * Every study on the data sets of a call (`called`, by name) and on those that earlier calls left results of in `folder`, of which
 * nothing is missing. The paper's data sets come first, in its order.
 */
export function reportOrder(
  protocol: ProtocolName,
  called: readonly string[],
  folder: string,
): ReportPlace[] {
  const known = PROTOCOLS.full.datasets.map(({ name }) => name);
  const left = existsSync(join(folder, protocol)) ? readdirSync(join(folder, protocol)).sort() : [];
  const isThere = (data: string, study: string): boolean =>
    existsSync(join(folder, protocol, data, `${study}.json`));
  return [...new Set([...known, ...called, ...left])].flatMap((data) =>
    STUDIES.filter(({ name }) => called.includes(data) || isThere(data, name)).map((study) => ({
      data,
      study: study.name,
      leftOut: study.cannotRun() !== undefined,
    })),
  );
}
