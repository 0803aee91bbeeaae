import { z } from "zod";
import type { CascadeArchitecture, MultiExitArchitecture } from "../../models/architecture.js";
import { type ArchitectureName, architectureNamed, ARCHITECTURES } from "../../models/architectures.js";

const delaySchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("oneStepDelay") }),
  z.strictObject({ kind: z.literal("exponentialSmoothing"), alpha: z.number().min(0).lt(1) }),
]);

/** What a spec says of every network, whatever its architecture. */
const SHARED = {
  epsilon: z.number().gt(0).max(1),
  momentum: z.number().gt(0).max(1),
};

/** What it says of every cascade besides. */
const SHARED_BY_CASCADES = {
  stem: z.enum(["cifar", "imagenet"]),
  /** "ordinary": trained as an ordinary network, on its final output; run as a cascade and serially afterwards. */
  scheme: z.enum(["parallel", "serial", "ordinary"]),
  /**
   * How residuals come in where the network is run serially. "published": delayed, as in the authors' code; "undelayed":
   * this project's own, at once at each block's turn. Left out of specs from before there was a choice: undelayed.
   */
  serialScheme: z.enum(["published", "undelayed"]).optional(),
  delay: delaySchema,
  heads: z.enum(["single", "perTimestep"]),
  temporalAffine: z.boolean(),
  ...SHARED,
  /** Timesteps T; null for the number of residual blocks or of dense layers + 1. */
  timesteps: z.int().min(2).max(1000).nullable(),
};

type Described<Name extends string, Own, Shared> = z.output<
  z.ZodObject<Omit<Shared, keyof Own> & Own & { architecture: z.ZodLiteral<Name> }, z.core.$strict>
>;

type NetworkOf<One> =
  One extends CascadeArchitecture<infer Name, infer Fields>
    ? Described<Name, Fields, typeof SHARED_BY_CASCADES>
    : One extends MultiExitArchitecture<infer Name, infer Fields>
      ? Described<Name, Fields, typeof SHARED>
      : never;

/** A network as a spec describes it: what all of its kind share beside the fields of its architecture. */
export type NetworkSpec = NetworkOf<(typeof ARCHITECTURES)[number]>;

/** A cascade as a spec describes it. */
export type CascadeNetworkSpec = NetworkOf<Extract<(typeof ARCHITECTURES)[number], { kind: "cascade" }>>;

/** Whether a spec's network is a cascade, and has the fields that cascades share. */
export function isCascade(network: NetworkSpec): network is CascadeNetworkSpec {
  return architectureNamed(network.architecture).kind === "cascade";
}

/** Names of all fields that the network of an architecture may have. */
export function fieldsOf(architecture: ArchitectureName): readonly string[] {
  const { kind, fields } = architectureNamed(architecture);
  return Object.keys({ ...fields, ...(kind === "cascade" ? SHARED_BY_CASCADES : SHARED) });
}

/** A cascade of one architecture: its own fields stand first, and count where a shared one has the same name. */
const cascadeMember = ({ name, fields }: CascadeArchitecture) =>
  z
    .strictObject({ architecture: z.literal(name), ...fields, ...SHARED_BY_CASCADES, ...fields })
    .refine(({ scheme, heads }) => scheme !== "ordinary" || heads === "single", {
      path: ["heads"],
      message: 'an ordinary network is trained on its one final output; allowed with it: "single"',
    })
    .refine(({ scheme, serialScheme }) => scheme !== "parallel" || serialScheme === undefined, {
      path: ["serialScheme"],
      message: "a parallel network is never run serially; leave network.serialScheme out",
    });

/** A multi-exit network of one architecture. */
const multiExitMember = ({ name, fields, faultOf }: MultiExitArchitecture) =>
  z
    .strictObject({ architecture: z.literal(name), ...fields, ...SHARED, ...fields })
    .superRefine((network, context) => {
      const fault = faultOf(network);
      if (fault !== undefined)
        context.addIssue({ code: "custom", path: [fault.field], message: fault.message });
    });

type Member = ReturnType<typeof cascadeMember> | ReturnType<typeof multiExitMember>;

/** A union by `architecture`. Its type is that of the list of architectures, which a list made by `map` has lost. */
export const networkSchema = z.discriminatedUnion(
  "architecture",
  ARCHITECTURES.map((one): Member =>
    one.kind === "cascade" ? cascadeMember(one) : multiExitMember(one),
  ) as [Member, ...Member[]],
) as unknown as z.ZodType<NetworkSpec>;

/** Channels of the first stage of a ResNet of width 1. */
const USUAL_CHANNELS = 64;

/** Width of a ResNet; of a network with exits its first channels beside those of a ResNet of width 1; of a DenseNet 1. */
export function widthOf(network: NetworkSpec): number {
  if ("width" in network) return network.width;
  if (!("channels" in network)) return 1;
  const [first = USUAL_CHANNELS] = [network.channels].flat();
  return first / USUAL_CHANNELS;
}
