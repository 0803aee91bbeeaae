import { architectureNamed } from "../../models/architectures.js";
import type { RunSpec } from "./spec.js";

/** A model that a run's weights give: its name, and how the network is run. */
export interface NamedModel {
  readonly model: string;
  readonly scheme: "parallel" | "serial";
}

/**
 * The models of a spec: one, or of an ordinary network its cascade and its serial run. They are called what they are, by
 * scheme, heads and loss; a serial network with a head for each timestep and the exit weights of a Shallow-Deep Network is
 * SDN. The name of an architecture other than the paper's ResNet stands before that.
 *
 * A name always comes from here, never from a file: a run from before its model had its name is found by its hash, its
 * trace by the file that DONE.json names, and both go by today's name (`runSummary`, `testTrace`).
 */
export function namedModels({ network, loss }: RunSpec): NamedModel[] {
  const { scheme } = network;
  const { nameOf } = architectureNamed(network.architecture);
  if (scheme !== "ordinary") return [{ model: nameOf(trainedOverTime(scheme, network.heads, loss)), scheme }];
  return [
    { model: nameOf("CascadedCE"), scheme: "parallel" },
    { model: nameOf("SerialCE"), scheme: "serial" },
  ];
}

/** The name of a model whose loss counts at every timestep. */
function trainedOverTime(
  scheme: NamedModel["scheme"],
  heads: RunSpec["network"]["heads"],
  { exitWeights }: RunSpec["loss"],
): string {
  const isWeighted = exitWeights !== undefined;
  if (isWeighted && scheme === "serial" && heads === "perTimestep") return "SDN";
  const name = scheme === "parallel" ? "CascadedTD" : "SerialTD";
  return `${name}${heads === "single" ? "" : "-MultiHead"}${isWeighted ? "-ExitWeights" : ""}`;
}

/** Name of a run: the training by architecture, scheme and heads, not the way its weights are run later. */
export function runName({ network }: RunSpec): string {
  const { scheme, heads } = network;
  const training =
    scheme === "ordinary"
      ? "ordinary-ce"
      : `${scheme === "parallel" ? "cascaded" : "serial"}-td${heads === "single" ? "" : "-multihead"}`;
  return architectureNamed(network.architecture).nameOf(training).toLowerCase();
}
