import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PROTOCOLS, STUDIES } from "./protocols.js";
import type { ProtocolName } from "../study.js";

/** A study on a data set. */
export interface ReportPlace {
  readonly data: string;
  readonly study: string;
}

/**
 * What a call does (`called`), and what earlier calls left results of in `folder`. The paper's data sets come first, in its
 * order.
 */
export function reportOrder(
  protocol: ProtocolName,
  called: readonly ReportPlace[],
  folder: string,
): ReportPlace[] {
  const known = PROTOCOLS.full.datasets.map(({ name }) => name);
  const left = existsSync(join(folder, protocol)) ? readdirSync(join(folder, protocol)).sort() : [];
  const isIn = (data: string, study: string): boolean =>
    called.some((one) => one.data === data && one.study === study) ||
    existsSync(join(folder, protocol, data, `${study}.json`));
  return [...new Set([...known, ...called.map(({ data }) => data), ...left])].flatMap((data) =>
    STUDIES.filter(({ name }) => isIn(data, name)).map(({ name }) => ({ data, study: name })),
  );
}
