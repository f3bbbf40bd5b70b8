/** Plans `templates replicate`: the copies that stands of a lab will need, before the first stand is there. */
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { createVmidAllocator } from '../cluster/free-vmids.ts';
import { findCloneWay, isWay, type Cluster, type ResolvedMachine } from './clone-ways.ts';
import { copiesRefused, isCopiesRefused, untoldWarnings } from './copies-refused.ts';
import { hostObstacle, maintenanceObstacle } from '../obstacles/node-obstacles.ts';
import type { NodeObstacle } from '../obstacles/obstacle.ts';
import { sayObstacle, wayOut } from '../obstacles/obstacle-text.ts';
import { resolveMachines } from './find.ts';
import { assertSound } from '../document/graph.ts';
import { viewOf, type ClusterView } from '../cluster/view.ts';
import { markTime } from '../../marks/time.ts';
import { compareNatural, sortedUnique } from '../../order.ts';
import { refuse } from '../document/refuse.ts';
import { createReplicaPlanner, type ReplicaPlanner } from './replica-steps.ts';
import { nodeOfStep } from '../document/step-traits.ts';
import type { NodesPlan, PlannedNode, Refusal } from '../document/plan.ts';
import { gapTexts } from '../document/text.ts';

export interface ReplicateInput {
  readonly lab: Lab;
  readonly have: Inventory;
  /** Absent: those that the lab's placement allows. */
  readonly nodes: readonly string[] | undefined;
}

interface Draft {
  readonly node: string;
  readonly refusals: Refusal[];
  /** What speaks against its machines; those are among the refusals. */
  readonly obstacles: NodeObstacle[];
  readonly notes: string[];
}

function wantedNodes({ lab, have, nodes }: ReplicateInput): string[] {
  const known = new Set(have.nodes.map(({ name }) => name));
  const unknown = (nodes ?? []).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    refuse([
      {
        code: 'NO_SUCH_NODE',
        message: `the cluster has no node ${unknown.join(', ')}`,
        hint: `nodes there: ${sortedUnique(known).join(', ')}`,
      },
    ]);
  }
  const { node, nodes: only, exclude } = lab.placement;
  const allowed = (name: string): boolean =>
    (node === undefined || node === name) && (only?.includes(name) ?? true) && !exclude.includes(name);
  return (nodes ?? have.nodes.map(({ name }) => name).filter(allowed)).toSorted(compareNatural);
}

function unavailable(
  node: string,
  { nodes }: ReplicateInput,
  { hosts }: ClusterView,
): Refusal | string | undefined {
  const isNamed = nodes?.includes(node) === true;
  const gone = hostObstacle(node, hosts);
  const obstacle = gone ?? (isNamed ? undefined : maintenanceObstacle(node, hosts));
  if (!obstacle) return undefined;
  const message = sayObstacle(obstacle, node);
  return isNamed ? { code: 'NODE_OFFLINE', message, hint: 'leave it out, or bring it up' } : message;
}

function addMachine(
  draft: Draft,
  resolved: ResolvedMachine,
  { planner, ...cluster }: Cluster & { readonly planner: ReplicaPlanner },
): void {
  const { machine } = resolved;
  const way = findCloneWay(resolved, draft.node, cluster);
  if (!isWay(way)) {
    draft.obstacles.push(way);
    const hint = wayOut(way, draft.node);
    const message = `machine ${machine.name}: ${sayObstacle(way, draft.node)}`;
    draft.refusals.push({ code: 'NO_CLONE', message, ...(hint === undefined ? {} : { hint }) });
    return;
  }
  if (way.by === 'new-replica') {
    const replica = planner.take(way.need);
    if ('code' in replica) draft.refusals.push(replica);
  }
}

function toNode({ node, refusals, notes }: Draft): PlannedNode {
  const [first] = refusals;
  if (!first) return { node, notes };
  const message = [...new Set(refusals.map((refusal) => refusal.message))].join('; ');
  return { node, refused: { ...first, message }, notes };
}

/** What the nodes' own refusals say in a word only. */
function untoldRefusal(drafts: readonly Draft[], { have }: ReplicateInput, index: ClusterView): string[] {
  const refused = copiesRefused(have, index);
  const isMet = drafts.some(({ obstacles }) => obstacles.some(isCopiesRefused));
  return refused && isMet ? untoldWarnings(refused) : [];
}

/** Nodes that need nothing are in the plan, too, so that a script sees that they were looked at. */
export function planReplicate(input: ReplicateInput): NodesPlan {
  const { lab, have } = input;
  const index = viewOf(have);
  const machines = resolveMachines(lab, have);
  const vmids = createVmidAllocator(lab.vmidRange, index, { vmids: [], bridges: [] });
  const planner = createReplicaPlanner({ index, vmids, since: markTime(have.now) });
  const drafts = wantedNodes(input).map((node): Draft => {
    const draft: Draft = { node, refusals: [], obstacles: [], notes: [] };
    const why = unavailable(node, input, index);
    if (typeof why === 'string') draft.notes.push(why);
    else if (why) draft.refusals.push(why);
    else for (const resolved of machines) addMachine(draft, resolved, { have, index, planner });
    return draft;
  });
  const steps = [...planner.claimSteps(), ...planner.workSteps()];
  assertSound(steps);
  // A copy that all nodes can clone from lives on its template's node, which need not be among those asked for.
  const homes = steps.flatMap((step) => nodeOfStep(step) ?? []);
  const others = sortedUnique(homes).filter((home) => !drafts.some(({ node }) => node === home));
  return {
    version: 2,
    command: 'templates',
    lab: lab.name,
    steps,
    stands: [],
    nodes: [...drafts.map(toNode), ...others.map((node) => ({ node, notes: [] }))].sort((a, b) =>
      compareNatural(a.node, b.node),
    ),
    warnings: [...gapTexts(have), ...untoldRefusal(drafts, input, index), ...planner.warnings()],
  };
}
