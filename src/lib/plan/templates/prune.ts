/** Plans `templates prune`: removes replicas that nobody needs, and gives back their claims. */
import type { Inventory } from '../../inventory/types.ts';
import { assertSound } from '../document/graph.ts';
import { viewOf, type ClusterView } from '../cluster/view.ts';
import { compareNatural } from '../../order.ts';
import { formatReplicaPool, isReplicaPool, REPLICA_POOL, type ReplicaClaim } from '../../marks/replica.ts';
import type { Replica } from '../cluster/replicas.ts';
import { makeStep, type Step } from '../document/step.ts';
import { oursAt } from '../document/steps/place.ts';
import { replicaFate, replicaUses } from './use.ts';
import type { NodesPlan, PlannedNode } from '../document/plan.ts';
import { gapTexts } from '../document/text.ts';

export interface PruneInput {
  readonly have: Inventory;
  readonly minAgeSeconds: number;
  readonly nodes: readonly string[] | undefined;
  /** Only the claims of replicas that are gone: for the second look, after the removals. */
  readonly releaseOnly?: boolean;
}

const LOCK_WAIT_SECONDS = 60;

function removal({ claim, node }: Replica, why: string): Step {
  return makeStep(
    'vm.delete',
    String(claim.vmid),
    { reason: why },
    {
      ...oursAt({ node, vmid: claim.vmid }, REPLICA_POOL),
      lockWaitSeconds: LOCK_WAIT_SECONDS,
    },
  );
}

function release(going: readonly ReplicaClaim[], deletes: readonly Step[], index: ClusterView): Step[] {
  const pool = index.pools.get(REPLICA_POOL);
  if (!pool || !isReplicaPool(pool.comment)) return [];
  const { claims, others } = index.replicaPool;
  const left = claims.filter((claim) => !going.some(({ vmid }) => vmid === claim.vmid));
  const dependsOn = deletes.map(({ id }) => id);
  if (left.length === 0 && others.length === 0) {
    const frame = { reason: 'nothing is left in it', dependsOn };
    return [makeStep('pool.delete', REPLICA_POOL, frame, { pool: REPLICA_POOL, comment: pool.comment })];
  }
  if (going.length === 0) return [];
  // PVE takes destroyed VMs out by itself; ids that 0.1.0 claimed and that never became a VM are still members.
  const removeVmids = going
    .filter(({ state, vmid }) => state === 'unstated' && !index.guests.has(vmid))
    .map(({ vmid }) => vmid);
  const comment = formatReplicaPool({ claims: left, others });
  const frame = { reason: 'other replicas are still claimed', dependsOn };
  return [makeStep('pool.release', REPLICA_POOL, frame, { pool: REPLICA_POOL, comment, removeVmids })];
}

export function planPrune({ have, minAgeSeconds, nodes, releaseOnly = false }: PruneInput): NodesPlan {
  const index = viewOf(have);
  const judged = replicaUses(have, index)
    .filter(({ replica }) => nodes?.includes(replica.node) ?? true)
    .map((use) => ({ ...use, fate: replicaFate(use, minAgeSeconds, have) }))
    .filter(({ replica }) => !releaseOnly || replica.state === 'open' || replica.state === 'foreign');
  const going = judged.filter(({ fate }) => fate.goes);
  const isThere = ({ state, claim }: Replica): boolean =>
    state !== 'foreign' && (state !== 'open' || index.guests.has(claim.vmid));
  const deletes = going
    .filter(({ replica }) => isThere(replica))
    .map(({ replica, fate }) => removal(replica, fate.why))
    .sort((a, b) => compareNatural(a.id, b.id));
  const steps = [
    ...deletes,
    ...release(
      going.map(({ replica }) => replica.claim),
      deletes,
      index,
    ),
  ];
  assertSound(steps);
  const planned = new Map<string, { node: string; notes: string[] }>();
  for (const { replica, fate } of judged) {
    const entry = planned.get(replica.node) ?? { node: replica.node, notes: [] };
    planned.set(replica.node, entry);
    const { vmid, source } = replica.claim;
    if (!fate.goes) entry.notes.push(`replica ${vmid} of template ${source} stays: ${fate.why}`);
  }
  return {
    version: 2,
    command: 'templates',
    lab: '',
    steps,
    stands: [],
    nodes: [...planned.values()].sort((a, b) => compareNatural(a.node, b.node)) satisfies PlannedNode[],
    warnings: gapTexts(have),
  };
}

/** For `cleanup --orphans`, which removes stands: what it leaves to `templates prune`. */
export function unneededReplicas(have: Inventory, index: ClusterView, minAgeSeconds: number): string[] {
  const going = replicaUses(have, index).filter((use) => replicaFate(use, minAgeSeconds, have).goes);
  if (going.length === 0) return [];
  const list = going.map(({ replica }) => `${replica.claim.vmid} on ${replica.node}`).join(', ');
  return [
    `${going.length === 1 ? 'a replica of a template is' : `${going.length} replicas of templates are`} needed by nobody (${list}): \`deploy-stand templates prune\` removes ${going.length === 1 ? 'it' : 'them'}`,
  ];
}
