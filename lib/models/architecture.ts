import { z } from "zod";
import type { CascadedNetwork, CascadeSpec } from "./cascaded-network.js";

/** A family of networks: all that a spec, a preset and a run need to know of it. */
export interface Architecture<Name extends string = string, Fields extends z.ZodRawShape = z.ZodRawShape> {
  /** What `network.architecture` of a spec calls it. */
  readonly name: Name;
  /** Its own fields of `network`. A field that all architectures share may stand here again, narrower. */
  readonly fields: Fields;
  /** What its models and runs are called, given the name of the paper's ResNet with the same scheme, heads and loss. */
  readonly nameOf: (likeResNet: string) => string;
  /** Whether it can be trained in mixed precision. */
  readonly mixedPrecision: boolean;
  /** The network as data, from what all networks share and an object that has its own fields among others. */
  readonly build: (shared: CascadeSpec, own: unknown) => CascadedNetwork;
}

/** An architecture whose `build` is given for its own fields, with their types. */
export function architecture<const Name extends string, Fields extends z.ZodRawShape>(
  given: Omit<Architecture<Name, Fields>, "build"> & {
    readonly build: (shared: CascadeSpec, own: z.output<z.ZodObject<Fields>>) => CascadedNetwork;
  },
): Architecture<Name, Fields> {
  return { ...given, build: (shared, own) => given.build(shared, z.object(given.fields).parse(own)) };
}
