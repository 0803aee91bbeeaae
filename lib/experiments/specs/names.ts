import { architectureNamed } from "../../models/architectures.js";
import type { RunSpec } from "./spec.js";

/** Name of a run: the training by architecture, scheme and heads, not the way its weights are run later. */
export function runName({ network }: RunSpec): string {
  const { scheme, heads } = network;
  const training =
    scheme === "ordinary"
      ? "ordinary-ce"
      : `${scheme === "parallel" ? "cascaded" : "serial"}-td${heads === "single" ? "" : "-multihead"}`;
  return architectureNamed(network.architecture).nameOf(training).toLowerCase();
}
