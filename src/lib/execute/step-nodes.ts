/** The steps of a plan as nodes: what each waits for, and what waits for it. Starts nothing. */
import type { Step } from '../plan/document/step.ts';
import type { Limits, Slot } from './limits.ts';
import type { Queued } from './ready-queues.ts';

export interface Node extends Queued {
  readonly step: Step;
  readonly dependents: { readonly node: Node; readonly must: boolean }[];
  state: 'waiting' | 'started' | 'settled';
  /** Edges to steps that have not ended. */
  open: number;
  /** Set while it queues for a place once more, after it stepped aside. */
  resume: ((slot: Slot) => void) | undefined;
}

export function buildGraph(steps: readonly Step[], limits: Limits): Node[] {
  const nodes = steps.map((step, index): Node => {
    const keys = limits.keysOf(step);
    return { step, index, keys, dependents: [], state: 'waiting', open: 0, resume: undefined };
  });
  const byId = new Map(nodes.map((node) => [node.step.id, node]));
  for (const node of nodes) {
    const connect = (id: string, must: boolean) => {
      const before = byId.get(id);
      if (!before) return; // never in a sound plan
      before.dependents.push({ node, must });
      node.open += 1;
    };
    for (const id of node.step.dependsOn) connect(id, true);
    for (const id of node.step.after) connect(id, false);
  }
  return nodes;
}
