/** Whether a stand takes an apply on its node, and so cannot be made there while others have staged something. */
import { hasOwnNetworks } from '../../config/lab/networks.ts';
import type { Lab } from '../../config/types.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import type { NetworkEdit } from '../document/network-steps.ts';
import { stagedByOthers } from './foreign-pending.ts';
import { missingReserved } from './shared-steps.ts';

interface Place {
  readonly lab: Lab;
  readonly node: string;
  readonly have: Inventory;
  readonly index: ClusterView;
}

function stagedOn({ node, index }: Place): ReturnType<typeof stagedByOthers> {
  return stagedByOthers(index.hosts.networks.get(node));
}

/** Of a new stand, in words. One with networks of its own always takes an apply; else only for a reserved bridge to be made. */
export function stagedBeforeNew(place: Place): string | undefined {
  const { lab, node } = place;
  if (!hasOwnNetworks(lab) && missingReserved(lab, node, place).length === 0) return undefined;
  return stagedOn(place)?.say();
}

/** Of one whose networks are planned: nothing of it is made then. */
export function stagedBefore(
  { steps, down }: { readonly steps: readonly NetworkEdit[]; readonly down: readonly string[] },
  place: Place,
): Refusal | undefined {
  const { lab, node } = place;
  if (steps.length + down.length + missingReserved(lab, node, place).length === 0) return undefined;
  const staged = stagedOn(place);
  return (
    staged && {
      code: 'FOREIGN_PENDING_CHANGES',
      message: staged.say(),
      hint: `apply or revert them on ${node} (${node} → System → Network), then run again`,
    }
  );
}
