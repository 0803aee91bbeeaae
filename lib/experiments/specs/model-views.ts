import type { CascadeArchitecture, MultiExitArchitecture } from "../../models/architecture.js";
import { architectureNamed } from "../../models/architectures.js";
import type { AnytimeNetwork } from "../../models/anytime-network.js";
import type { CascadedNetwork } from "../../models/cascaded-network.js";
import type { MultiExitNetwork } from "../../models/multi-exit-network.js";
import type { Delay } from "../../nn/delay.js";
import type { Scheme } from "../../nn/scheme.js";
import { namedModels } from "./names.js";
import { type CascadeNetworkSpec, isCascade, type NetworkSpec } from "./network-spec.js";
import type { RunSpec } from "./spec.js";

/** One way of running trained weights over time, under the name that figures show. */
export interface ModelView {
  readonly model: string;
  readonly network: AnytimeNetwork;
}

/**
 * The network as it is trained, for so many classes and images of side `imageSize`, in pixels. An ordinary network has a
 * single timestep and no delay.
 */
export function trainedNetwork({ network }: RunSpec, classes: number, imageSize: number): AnytimeNetwork {
  if (!isCascade(network)) return multiExitOf(network, classes, imageSize);
  const { scheme, delay, timesteps } = network;
  if (scheme !== "ordinary") return cascadeOf(network, classes, scheme, delay, timesteps);
  return cascadeOf(network, classes, "parallel", { kind: "none" }, 1);
}

/** The models that a run's weights give: one, or for an ordinary network its cascade and its serial run. */
export function modelViews(spec: RunSpec, classes: number, imageSize: number): ModelView[] {
  const { network } = spec;
  return namedModels(spec).map(({ model, scheme }) => {
    if (!isCascade(network) || scheme === "exits")
      return { model, network: trainedNetwork(spec, classes, imageSize) };
    return { model, network: cascadeOf(network, classes, scheme, network.delay, network.timesteps) };
  });
}

function cascadeOf(
  network: CascadeNetworkSpec,
  classes: number,
  kind: "parallel" | "serial",
  delay: Delay,
  timesteps: number | null,
): CascadedNetwork {
  const { architecture, stem, heads, temporalAffine, epsilon, momentum, serialScheme } = network;
  const scheme: Scheme =
    kind === "parallel" ? { kind, delay } : { kind, delay, asPublished: serialScheme === "published" };
  const norm = { epsilon, momentum, temporalAffine };
  const shared = { classes, stem, scheme, heads, norm, timesteps: timesteps ?? undefined };
  return (architectureNamed(architecture) as CascadeArchitecture).build(shared, network);
}

function multiExitOf(
  network: Exclude<NetworkSpec, CascadeNetworkSpec>,
  classes: number,
  imageSize: number,
): MultiExitNetwork {
  const { architecture, epsilon, momentum } = network;
  const shared = { classes, imageSize, norm: { epsilon, momentum, temporalAffine: false } };
  return (architectureNamed(architecture) as MultiExitArchitecture).build(shared, network);
}
