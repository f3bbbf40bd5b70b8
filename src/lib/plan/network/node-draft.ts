/** What `bridges create` and `bridges prune` share: a draft per node, one reload for it, a plan of all. */
import { PlanRefusedError } from '../../errors.ts';
import { stagedByOthers, stagedRefusal, type StagedByOthers } from './foreign-pending.ts';
import { refuse } from '../document/refuse.ts';
import type { Inventory, NodeNetwork } from '../../inventory/types.ts';
import { assertSound } from '../document/graph.ts';
import { sortedUnique } from '../../order.ts';
import type { NetworkApply, NetworkEdit, NetworkRemoval } from '../document/network-steps.ts';
import type { Step } from '../document/step.ts';
import { putIntoForce } from './steps.ts';
import type { NodesPlan, PlannedNode, Refusal } from '../document/plan.ts';

export interface NodeDraft {
  readonly edits: (NetworkEdit | NetworkRemoval)[];
  /** Have to be up or gone after the reload, beside what `edits` make and remove. */
  readonly up: string[];
  readonly gone: string[];
  readonly notes: string[];
  refused?: Refusal;
}

export function emptyDraft(): NodeDraft {
  return { edits: [], up: [], gone: [], notes: [] };
}

export function unreachable({ node }: Pick<NodeNetwork, 'node'>): Refusal {
  return {
    code: 'NODE_UNREACHABLE',
    message: `${node} is offline, or its network cannot be read`,
    hint: 'run the command again when the node is back',
  };
}

function reloadOf(node: string, { edits, up, gone }: NodeDraft): NetworkApply[] {
  const reason =
    edits.length === 0
      ? `an earlier apply did not get ${[...up, ...gone].join(', ')} done`
      : 'once, for all of them';
  return putIntoForce({ edits, up: new Map([[node, up]]), gone: new Map([[node, gone]]) }, () => ({
    reason,
  }));
}

function hasWork({ edits, up, gone }: NodeDraft): boolean {
  return edits.length + up.length + gone.length > 0;
}

export interface NodePlan {
  readonly planned: PlannedNode;
  readonly steps: readonly Step[];
}

/** Of a node on which something is to be applied. */
export function refusedBy(staged: StagedByOthers): Refusal {
  return stagedRefusal(staged, 'then run the command again');
}

/** Foreign edits only matter where something is to be applied. */
export function finishNode(network: NodeNetwork, draft: NodeDraft): NodePlan {
  const { node } = network;
  const staged = hasWork(draft) ? stagedByOthers(network) : undefined;
  const refused = draft.refused ?? (staged && refusedBy(staged));
  const planned = { node, notes: draft.notes, ...(refused ? { refused } : {}) };
  if (refused || !hasWork(draft)) return { planned, steps: [] };
  return { planned, steps: [...draft.edits, ...reloadOf(node, draft)] };
}

export function assertNodesExist(have: Inventory, nodes: readonly string[] | undefined): void {
  const known = sortedUnique(have.nodes.map(({ name }) => name));
  const missing = sortedUnique(nodes ?? []).filter((name) => !known.includes(name));
  if (missing.length === 0) return;
  throw new PlanRefusedError('NO_SUCH_NODE', `the cluster has no node ${missing.join(', ')}`, {
    hint: `nodes there: ${known.join(', ')}`,
  });
}

export function toPlan(nodes: readonly NodePlan[], warnings: readonly string[]): NodesPlan {
  const steps = nodes.flatMap((node) => node.steps);
  const refused = nodes.flatMap(({ planned }) => planned.refused ?? []);
  if (steps.length === 0 && refused.length > 0) refuse(refused);
  assertSound(steps);
  return {
    version: 2,
    command: 'bridges',
    lab: '',
    steps,
    stands: [],
    nodes: nodes
      .filter(({ planned, steps: own }) => own.length > 0 || planned.refused || planned.notes.length > 0)
      .map(({ planned }) => planned),
    warnings,
  };
}
