import { architectureNamed } from "../../models/architectures.js";
import type { CascadedNetwork } from "../../models/cascaded-network.js";
import type { Delay } from "../../nn/delay.js";
import type { Scheme } from "../../nn/scheme.js";
import { namedModels } from "./names.js";
import type { RunSpec } from "./spec.js";

/** One way of running trained weights over time, under the name that figures show. */
export interface ModelView {
  readonly model: string;
  readonly network: CascadedNetwork;
}

/** The network as it is trained. An ordinary network has a single timestep and no delay. */
export function trainedNetwork(spec: RunSpec, classes: number): CascadedNetwork {
  const { scheme, delay } = spec.network;
  if (scheme !== "ordinary") return networkOf(spec, classes, scheme, delay, spec.network.timesteps);
  return networkOf(spec, classes, "parallel", { kind: "none" }, 1);
}

/** The models that a run's weights give: one, or for an ordinary network its cascade and its serial run. */
export function modelViews(spec: RunSpec, classes: number): ModelView[] {
  const { delay, timesteps } = spec.network;
  return namedModels(spec).map(({ model, scheme }) => ({
    model,
    network: networkOf(spec, classes, scheme, delay, timesteps),
  }));
}

function networkOf(
  { network }: RunSpec,
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
  return architectureNamed(architecture).build(shared, network);
}
