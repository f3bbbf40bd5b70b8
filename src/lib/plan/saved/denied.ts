/** Why the planner did not make a choice of a saved plan again, in words. */
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import { REPLICA_POOL } from '../../marks/replica.ts';
import type { ClusterView } from '../cluster/view.ts';
import { hostObstacle } from '../obstacles/node-obstacles.ts';
import { sayObstacle } from '../obstacles/obstacle-text.ts';
import type { NodeChoice } from '../placement/nodes.ts';

export interface World {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly choice: NodeChoice;
}

/** `kind`: the same for all that are denied for the same reason. */
export interface Denial {
  readonly kind: string;
  readonly text: string;
}

export function whyNotVmid(vmid: number, instead: number | undefined, { lab, index }: World): Denial {
  const guest = index.guests.get(vmid);
  if (guest) return { kind: 'vmid guest', text: `VMID ${vmid} is taken by a guest on ${guest.node}` };
  const isReplica = index.replicaPool.claims.some((claim) => claim.vmid === vmid);
  const pool = isReplica ? REPLICA_POOL : index.claimants.get(vmid)?.[0];
  if (pool !== undefined) return { kind: 'vmid claim', text: `VMID ${vmid} is claimed by pool ${pool}` };
  const { first, last } = lab.vmidRange;
  if (vmid < first || vmid > last)
    return { kind: 'vmid range', text: `VMID ${vmid} is not in the lab's range ${first}–${last}` };
  return { kind: 'vmid', text: `VMID ${vmid} would be ${instead ?? 'another one'} now` };
}

export function whyNotBridge(
  iface: string,
  { node, instead }: { readonly node: string; readonly instead: string },
  { have, index }: World,
): Denial {
  if (index.bridges.get(node)?.has(iface) === true)
    return { kind: 'bridge', text: `bridge ${iface} exists on ${node}` };
  const other = have.networks.find(({ bridges }) => bridges.some((info) => info.iface === iface));
  if (other) return { kind: 'bridge', text: `bridge ${iface} exists on ${other.node}` };
  return { kind: 'bridge number', text: `bridge ${iface} on ${node} would be ${instead} now` };
}

export function whyNotNode(node: string, instead: string | undefined, { index, choice }: World): Denial {
  const obstacle = hostObstacle(node, index.hosts) ?? choice.obstacles.get(node);
  const text =
    (obstacle && sayObstacle(obstacle, node)) ??
    `a stand that was to go to ${node} would go to ${instead ?? 'another node'} now`;
  return { kind: `node ${node}`, text };
}
