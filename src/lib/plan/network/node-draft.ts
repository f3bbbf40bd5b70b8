/** What `bridges create` and `bridges prune` share: a draft per node, one reload for it, a plan of all. */
import { PlanRefusedError } from '../../errors.ts';
import { foreignPending } from './foreign-pending.ts';
import { refuse } from '../document/refuse.ts';
import type { Inventory, NodeNetwork } from '../../inventory/types.ts';
import { assertSound } from '../document/graph.ts';
import { sortedUnique } from '../../order.ts';
import { makeStep, type Step, type StepOf } from '../document/step.ts';
import type { NodesPlan, PlannedNode, Refusal } from '../document/plan.ts';

export interface NodeDraft {
  readonly edits: Step[];
  /** Have to be up after the reload; those of `edits` included. */
  readonly up: string[];
  readonly gone: string[];
  readonly notes: string[];
  refused?: Refusal;
}

export function emptyDraft(): NodeDraft {
  return { edits: [], up: [], gone: [], notes: [] };
}

function pendingRefusal(network: NodeNetwork): Refusal | undefined {
  const message = foreignPending(network);
  if (message === undefined) return undefined;
  return {
    code: 'FOREIGN_PENDING_CHANGES',
    message,
    hint: `apply or revert them in ${network.node} → System → Network, then run the command again`,
  };
}

export function unreachable({ node }: NodeNetwork): Refusal {
  return {
    code: 'NODE_UNREACHABLE',
    message: `${node} is offline, or its network cannot be read`,
    hint: 'run the command again when the node is back',
  };
}

function reloadOf(node: string, { edits, up, gone }: NodeDraft): StepOf<'network.reload'> {
  const staged = edits.filter((step) => step.kind !== 'bridge.delete');
  const onlyLeft = edits.length === 0;
  const down = up.filter((iface) => !staged.some((step) => 'bridge' in step && step.bridge === iface));
  const left = [...down, ...(onlyLeft ? gone : [])];
  const reason = onlyLeft ? `an earlier apply did not get ${left.join(', ')} done` : 'once, for all of them';
  return makeStep(
    'network.reload',
    node,
    { reason, after: edits.map((step) => step.id) },
    { node, bridges: sortedUnique(up), ...(gone.length === 0 ? {} : { gone: sortedUnique(gone) }) },
  );
}

function hasWork({ edits, up, gone }: NodeDraft): boolean {
  return edits.length + up.length + gone.length > 0;
}

export interface NodePlan {
  readonly planned: PlannedNode;
  readonly steps: readonly Step[];
}

/** Foreign edits only matter where something is to be applied. */
export function finishNode(network: NodeNetwork, draft: NodeDraft): NodePlan {
  const { node } = network;
  const refused = hasWork(draft) ? (draft.refused ?? pendingRefusal(network)) : draft.refused;
  const planned = { node, notes: draft.notes, ...(refused ? { refused } : {}) };
  if (refused || !hasWork(draft)) return { planned, steps: [] };
  return { planned, steps: [...draft.edits, reloadOf(node, draft)] };
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
