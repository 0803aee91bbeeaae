import { type Delay, firstNeeded, type MergePlan, planMerge } from "./delay.js";
import { selectFrom, type StepSelection, type Timeline } from "./timeline.js";

/** When what a layer delays takes part. The delay holds back the stem in both. */
export type Scheme =
  /** Every layer updates at every timestep, and its branch is delayed. */
  | { readonly kind: "parallel"; readonly delay: Delay }
  /**
   * One layer more at each timestep: the branch of layer i (from 1) counts as zero until t >= i, and then at once,
   * so that n layers take n evaluations; or delayed, as published.
   */
  | {
      readonly kind: "serial";
      readonly delay: Delay;
      /**
       * As the authors' code has it: the branch is delayed here too. What layer i adds at t = i is of its input at
       * t = i - 1, which is not its last: blocks 1 to 8 are first felt at t = 2, 2, 3, ..., 8, each is evaluated twice
       * on a fixed image, and under changing frames the answer at t depends on frames 0 to t - 1.
       */
      readonly asPublished?: boolean;
      /**
       * Layers are evaluated also where they count as zero, as in the authors' code, so that running statistics that
       * nothing reads are kept up as well. It changes nothing else.
       */
      readonly keepsUnreadStatistics?: boolean;
    };

/** The delay of the branches: the scheme's own, but none in the serial scheme unless it is as published. */
function branchDelay(scheme: Scheme): Delay {
  return scheme.kind === "parallel" || scheme.asPublished === true ? scheme.delay : { kind: "none" };
}

/** First timestep at which the branch of the layer at `position` counts. */
export function countsFrom(scheme: Scheme, position: number): number {
  return scheme.kind === "serial" ? position : 0;
}

/** Which distinct steps of a layer's input its branch is evaluated on, and how branch and shortcut meet. */
export function planLayer(
  scheme: Scheme,
  position: number,
  input: Timeline,
): { branchInput: StepSelection; plan: (branch: Timeline, shortcut: Timeline) => MergePlan } {
  const delay = branchDelay(scheme);
  const from = countsFrom(scheme, position);
  const everywhere = scheme.kind === "serial" && scheme.keepsUnreadStatistics === true;
  return {
    branchInput: selectFrom(input, everywhere ? 0 : firstNeeded(delay, from)),
    plan: (branch, shortcut) => planMerge(delay, branch, shortcut, from),
  };
}
