import { z } from "zod";
import type { Architecture } from "../../models/architecture.js";
import { ARCHITECTURES } from "../../models/architectures.js";

const delaySchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("oneStepDelay") }),
  z.strictObject({ kind: z.literal("exponentialSmoothing"), alpha: z.number().min(0).lt(1) }),
]);

/** What a spec says of every network, whatever its architecture. */
const SHARED = {
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
  epsilon: z.number().gt(0).max(1),
  momentum: z.number().gt(0).max(1),
  /** Timesteps T; null for the number of residual blocks or of dense layers + 1. */
  timesteps: z.int().min(2).max(1000).nullable(),
};

type NetworkOf<One> =
  One extends Architecture<infer Name, infer Fields>
    ? z.output<
        z.ZodObject<
          Omit<typeof SHARED, keyof Fields> & Fields & { architecture: z.ZodLiteral<Name> },
          z.core.$strict
        >
      >
    : never;

/** A network as a spec describes it: what all architectures share beside the fields of its own. */
export type NetworkSpec = NetworkOf<(typeof ARCHITECTURES)[number]>;

/** The network of one architecture: its own fields stand first, and count where a shared one has the same name. */
const memberOf = ({ name, fields }: Architecture) =>
  z
    .strictObject({ architecture: z.literal(name), ...fields, ...SHARED, ...fields })
    .refine(({ scheme, heads }) => scheme !== "ordinary" || heads === "single", {
      path: ["heads"],
      message: 'an ordinary network is trained on its one final output; allowed with it: "single"',
    })
    .refine(({ scheme, serialScheme }) => scheme !== "parallel" || serialScheme === undefined, {
      path: ["serialScheme"],
      message: "a parallel network is never run serially; leave network.serialScheme out",
    });

type Member = ReturnType<typeof memberOf>;

/** A union by `architecture`. Its type is that of the list of architectures, which a list made by `map` has lost. */
export const networkSchema = z.discriminatedUnion(
  "architecture",
  ARCHITECTURES.map(memberOf) as [Member, ...Member[]],
) as unknown as z.ZodType<NetworkSpec>;

/** Width of a ResNet; of other architectures, whose size other fields tell, 1. */
export function widthOf(network: NetworkSpec): number {
  return "width" in network ? network.width : 1;
}
