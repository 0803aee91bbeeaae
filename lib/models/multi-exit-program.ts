import type { MergePlan } from "../nn/delay.js";
import { type GraphNode, IMAGE, inputsOf } from "../nn/feature-graph.js";
import { named } from "../nn/pass.js";
import { ABSENT, type Timeline, valueAt } from "../nn/timeline.js";
import type { MultiExitNetwork } from "./multi-exit-network.js";
import type { Answer, MeetInstruction, Program } from "./program.js";
import {
  addChain,
  addMeeting,
  beginDraft,
  type Draft,
  type EqualRowsOf,
  finish,
  shapeOf,
  type View,
} from "./program-draft.js";

/**
 * The program of a feed-forward network with exits on images that do not change: every value has one step, due at the
 * first exit that needs it.
 */
export function multiExitProgram(
  { nodes, exits, boosting }: MultiExitNetwork,
  side: number,
  images: Timeline,
  equalRows: EqualRowsOf,
): Program {
  const { draft, seen } = beginDraft(side, { step: [0], rows: images.rows }, equalRows);
  const views = new Map([[IMAGE, seen]]);
  const rectified = rectifiedAtOnce({ nodes, exits });
  for (const node of nodes) views.set(node.name, addNode(draft, node, views, rectified));
  const answers = exits.map(({ name, input, chain, logitsBefore }, t): Answer => {
    const { value } = addChain(draft, chain, named(views, input));
    return { x: value, step: 0, classifier: name, readsBefore: t > 0 && logitsBefore !== undefined };
  });
  return finish(draft, answers, boosting?.share);
}

/** Names of the sums that nobody reads but the ReLU on them, which are so one with it. */
function rectifiedAtOnce({ nodes, exits }: Pick<MultiExitNetwork, "nodes" | "exits">): ReadonlySet<string> {
  const readers = [...nodes.flatMap(inputsOf), ...exits.map(({ input }) => input)];
  const sums = new Set(nodes.filter(({ kind }) => kind === "add").map(({ name }) => name));
  const onSums = nodes.flatMap((node) => (node.kind === "relu" && sums.has(node.input) ? [node.input] : []));
  return new Set(onSums.filter((sum) => readers.filter((name) => name === sum).length === 1));
}

function addNode(
  draft: Draft,
  node: GraphNode,
  views: ReadonlyMap<string, View>,
  rectified: ReadonlySet<string>,
): View {
  const inputs = inputsOf(node).map((name) => named(views, name));
  const first = valueAt(inputs, 0);
  switch (node.kind) {
    case "chain":
      return addChain(draft, node.chain, first);
    case "add":
      return meet(draft, rectified.has(node.name) ? "addRelu" : "add", first, valueAt(inputs, 1));
    case "relu":
      return rectified.has(node.input) ? first : meet(draft, "addRelu", first);
    case "concatenate":
      return inputs.slice(1).reduce((joined, next) => meet(draft, "concatenate", next, joined), first);
  }
}

/** Without any delay. */
function meet(draft: Draft, combine: MeetInstruction["combine"], residual: View, shortcut?: View): View {
  const { channels } = shapeOf(draft, residual);
  const before = combine === "concatenate" && shortcut ? shapeOf(draft, shortcut).channels : 0;
  const plan: MergePlan = {
    ...{ timeline: residual.timeline, carry: 0, gain: 1, firstCounted: 0 },
    ...{ residual: [0], shortcut: [shortcut === undefined ? ABSENT : 0] },
  };
  return addMeeting(
    draft,
    { combine, residual: residual.value, shortcut: shortcut?.value, plan },
    before + channels,
  );
}
