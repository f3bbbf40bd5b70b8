/** Asks the one verdict of the inventory: gathers its evidence, decides nothing. */
import type { ClusterView } from '../cluster/view.ts';
import { isHandedOut, verdictOn, type ClaimedId, type Verdict } from './ownership.ts';

/** Whose claim it is. */
export interface Claimant {
  readonly pool: string;
  readonly user: string;
}

/** `isCloning`: is any clone under way in the cluster? Absent: nobody asked. */
export function judgeClaimed(
  id: ClaimedId,
  claimant: Claimant,
  index: ClusterView,
  isCloning?: boolean,
): Verdict {
  const guest = index.guests.get(id.vmid);
  return verdictOn({
    id,
    pool: claimant.pool,
    guest,
    isAway: guest !== undefined && !index.online.has(guest.node),
    values: index.configs.get(id.vmid)?.values,
    isHandedOut: isHandedOut(index.marks.get(claimant.pool), claimant, index.acls),
    ...(isCloning === undefined ? {} : { isCloning }),
  });
}
