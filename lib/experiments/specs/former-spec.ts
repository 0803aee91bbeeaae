import { UserError } from "../../util/errors.js";
import { type Fields, isRecord } from "../../util/records.js";

/**
 * Specs as they were written until 2026-11-26, before a network said its architecture. A ResNet had no `architecture`;
 * a DenseNet was a ResNet of depth 18 and width 1 with `densenet: { growth, layers }` beside them. Both directions are
 * here and nowhere else: files of that form are read for good, and a run's hash is that of its spec in that form, so
 * that a training has the same name whenever it was begun. Architectures added since then have one form alone.
 */

/** What stood in the places of a ResNet's fields in a DenseNet's spec. */
const BESIDE_DENSENET = { depth: 18, width: 1 };

/** A spec, perhaps of the former form, in today's; what is no spec stays as it is, for the schema to refuse. */
export function upgradedSpec(value: unknown, where: string): unknown {
  if (!isRecord(value) || !isRecord(value["network"])) return value;
  const { network } = value;
  if (!("architecture" in network)) return { ...value, network: upgradedNetwork(network) };
  if (!("densenet" in network)) return value;
  throw new UserError(
    `${where}: network.densenet is from before networks had an architecture; write network.architecture "densenet" with its own fields network.growth and network.layers`,
  );
}

function upgradedNetwork(network: Fields): Fields {
  const { densenet, ...others } = network;
  if (!isRecord(densenet)) return { architecture: "resnet", ...network };
  const { depth, width, ...shared } = others;
  // Any other depth or width was refused, and is so again as a field that a DenseNet does not have.
  const isUsual = depth === BESIDE_DENSENET.depth && width === BESIDE_DENSENET.width;
  return { architecture: "densenet", ...densenet, ...(isUsual ? shared : others) };
}

/** A spec in the form that its hash is taken of: the former one, for the architectures that had it. */
export function formerSpec(spec: unknown): unknown {
  return isRecord(spec) && isRecord(spec["network"])
    ? { ...spec, network: formerNetwork(spec["network"]) }
    : spec;
}

function formerNetwork(network: Fields): Fields {
  const { architecture, ...others } = network;
  if (architecture === "resnet") return others;
  if (architecture !== "densenet") return network;
  const { growth, layers, ...shared } = others;
  return { ...BESIDE_DENSENET, densenet: { growth, layers }, ...shared };
}
