import type { Architecture } from "./architecture.js";
import { BOOSTNET } from "./boostnet.js";
import { BRANCHY_RESNET } from "./branchy-resnet.js";
import { DENSENET } from "./cascaded-densenet.js";
import { RESNET } from "./cascaded-resnet.js";
import { MSDNET } from "./msdnet.js";
import { SDN_RESNET } from "./shallow-deep-network.js";
import { SMALL_RESNET } from "./small-resnet.js";
import { ZERO_TIME_WASTE } from "./zero-time-waste.js";

/** Every architecture that a spec can ask for. A new one is a file of its own and a line here. */
export const ARCHITECTURES = [
  RESNET,
  DENSENET,
  MSDNET,
  SDN_RESNET,
  BRANCHY_RESNET,
  ZERO_TIME_WASTE,
  BOOSTNET,
  SMALL_RESNET,
] as const;

/** The name of an architecture, as `network.architecture` of a spec has it. */
export type ArchitectureName = (typeof ARCHITECTURES)[number]["name"];

/** The architecture of a name. */
export function architectureNamed(name: ArchitectureName): Architecture {
  const all: readonly Architecture[] = ARCHITECTURES;
  return all.find((one) => one.name === name) as Architecture;
}
