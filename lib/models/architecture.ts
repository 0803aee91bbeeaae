import { z } from "zod";
import type { ExitWeights } from "../losses/exit-weights.js";
import type { CascadedNetwork, CascadeSpec } from "./cascaded-network.js";
import type { MultiExitNetwork, MultiExitSpec } from "./multi-exit-network.js";

/** Why an object of an architecture's own fields describes no network: which field, and what is wrong with it. */
export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

interface Family<Name extends string, Fields extends z.ZodRawShape> {
  /** What `network.architecture` of a spec calls it. */
  readonly name: Name;
  /** Its own fields of `network`. A field that all of its kind share may stand here again, narrower. */
  readonly fields: Fields;
}

/** A family of cascades: all that a spec, a preset and a run need to know of it. */
export interface CascadeArchitecture<
  Name extends string = string,
  Fields extends z.ZodRawShape = z.ZodRawShape,
> extends Family<Name, Fields> {
  readonly kind: "cascade";
  /** What its models and runs are called, given the name of the paper's ResNet with the same scheme, heads and loss. */
  readonly nameOf: (likeResNet: string) => string;
  /** Whether it can be trained in mixed precision. */
  readonly mixedPrecision: boolean;
  /** The network as data, from what all cascades share and an object that has its own fields among others. */
  readonly build: (shared: CascadeSpec, own: unknown) => CascadedNetwork;
}

/** A family of feed-forward networks with exits, likewise. It is trained in float32. */
export interface MultiExitArchitecture<
  Name extends string = string,
  Fields extends z.ZodRawShape = z.ZodRawShape,
> extends Family<Name, Fields> {
  readonly kind: "multiExit";
  /** What its models are called where they are trained as published. */
  readonly model: string;
  /** How its exits are weighted in training as published: equally and unchanged, or by a schedule. */
  readonly exitWeights: "equal" | ExitWeights["kind"];
  /** What of its own fields does not go together; undefined where all does. */
  readonly faultOf: (own: unknown) => FieldFault | undefined;
  /** The network as data, from what all multi-exit networks share and an object that has its own fields among others. */
  readonly build: (shared: MultiExitSpec, own: unknown) => MultiExitNetwork;
}

/** A family of networks. */
export type Architecture = CascadeArchitecture | MultiExitArchitecture;

type Own<Fields extends z.ZodRawShape> = z.output<z.ZodObject<Fields>>;

/** A family of cascades whose `build` is given for its own fields, with their types. */
export function cascadeArchitecture<const Name extends string, Fields extends z.ZodRawShape>(
  given: Omit<CascadeArchitecture<Name, Fields>, "kind" | "build"> & {
    readonly build: (shared: CascadeSpec, own: Own<Fields>) => CascadedNetwork;
  },
): CascadeArchitecture<Name, Fields> {
  const own = z.object(given.fields);
  return { ...given, kind: "cascade", build: (shared, value) => given.build(shared, own.parse(value)) };
}

/** A family of multi-exit networks whose functions are given for its own fields, with their types. */
export function multiExitArchitecture<const Name extends string, Fields extends z.ZodRawShape>(
  given: Omit<MultiExitArchitecture<Name, Fields>, "kind" | "build" | "faultOf"> & {
    readonly build: (shared: MultiExitSpec, own: Own<Fields>) => MultiExitNetwork;
    readonly faultOf?: (own: Own<Fields>) => FieldFault | undefined;
  },
): MultiExitArchitecture<Name, Fields> {
  const own = z.object(given.fields);
  return {
    ...given,
    kind: "multiExit",
    faultOf: (value) => given.faultOf?.(own.parse(value)),
    build: (shared, value) => given.build(shared, own.parse(value)),
  };
}
