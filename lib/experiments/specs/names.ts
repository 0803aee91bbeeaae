import type { MultiExitArchitecture } from "../../models/architecture.js";
import { architectureNamed } from "../../models/architectures.js";
import { type CascadeNetworkSpec } from "./network-spec.js";
import type { RunSpec } from "./spec.js";

/** A model that a run's weights give: its name, and how the network is run. */
export interface NamedModel {
  readonly model: string;
  /** As a cascade, serially, or from exit to exit. */
  readonly scheme: "parallel" | "serial" | "exits";
}

/**
 * The models of a spec: one, or of an ordinary network its cascade and its serial run. They are called what they are: a
 * cascade by scheme, heads and loss; a serial one with a head for each timestep and the exit weights of a Shallow-Deep
 * Network is SDN. The name of an architecture other than the paper's ResNet stands before that. A multi-exit network is
 * called by its architecture, and by its loss where that is not the published one.
 *
 * A name always comes from here, never from a file: a run from before its model had its name is found by its hash, its
 * trace by the file that DONE.json names, and both go by today's name (`runSummary`, `testTrace`).
 */
export function namedModels({ network, loss }: RunSpec): NamedModel[] {
  const architecture = architectureNamed(network.architecture);
  if (architecture.kind === "multiExit")
    return [{ model: `${architecture.model}${trainedOtherwise(architecture, loss)}`, scheme: "exits" }];
  const { nameOf } = architecture;
  const { scheme, heads } = network as CascadeNetworkSpec;
  if (scheme !== "ordinary") return [{ model: nameOf(trainedOverTime(scheme, heads, loss)), scheme }];
  return [
    { model: nameOf("CascadedCE"), scheme: "parallel" },
    { model: nameOf("SerialCE"), scheme: "serial" },
  ];
}

/** The name of a model whose loss counts at every timestep. */
function trainedOverTime(
  scheme: "parallel" | "serial",
  heads: CascadeNetworkSpec["heads"],
  { exitWeights }: RunSpec["loss"],
): string {
  const isWeighted = exitWeights !== undefined;
  if (isWeighted && scheme === "serial" && heads === "perTimestep") return "SDN";
  const name = scheme === "parallel" ? "CascadedTD" : "SerialTD";
  return `${name}${heads === "single" ? "" : "-MultiHead"}${isWeighted ? "-ExitWeights" : ""}`;
}

const EXIT_WEIGHTS = {
  equal: "EqualWeights",
  shallowDeep: "ExitWeights",
  mixed: "Mixed",
  disjoint: "Disjoint",
} as const;

/** What a loss other than the published one adds to a multi-exit network's name. */
function trainedOtherwise(
  published: MultiExitArchitecture,
  { lambda, exitWeights }: RunSpec["loss"],
): string {
  const kind = exitWeights?.kind ?? "equal";
  return `${lambda < 1 ? "-TD" : ""}${kind === published.exitWeights ? "" : `-${EXIT_WEIGHTS[kind]}`}`;
}

/** Name of a run: the training by architecture, scheme and heads, not the way its weights are run later. */
export function runName({ network }: RunSpec): string {
  const architecture = architectureNamed(network.architecture);
  if (architecture.kind === "multiExit") return architecture.name;
  const { scheme, heads } = network as CascadeNetworkSpec;
  const training =
    scheme === "ordinary"
      ? "ordinary-ce"
      : `${scheme === "parallel" ? "cascaded" : "serial"}-td${heads === "single" ? "" : "-multihead"}`;
  return architecture.nameOf(training).toLowerCase();
}
