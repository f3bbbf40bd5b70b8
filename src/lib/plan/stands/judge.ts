/** Asks the one verdict of the inventory: gathers its evidence, decides nothing. */
import type { GuestInfo } from '../../inventory/types.ts';
import type { Claim } from '../../marks/pool.ts';
import type { ClusterView } from '../cluster/view.ts';
import {
  claimedIds,
  isHandedOut,
  isOfPoolUser,
  verdictOn,
  type ClaimedId,
  type Verdict,
} from './ownership.ts';

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

/** A guest that stands where a claim names it. */
export interface ClaimedGuest {
  readonly lab: string;
  /** Its place in the claim. */
  readonly at: number;
  readonly guest: GuestInfo;
}

/** The guests that stand where the claim names them, without those that are somebody else's. */
export function guestsOfClaim(claim: Claim, claimant: Claimant, index: ClusterView): ClaimedGuest[] {
  return claimedIds(claim).flatMap((id, at) => {
    const guest = index.guests.get(id.vmid);
    if (!guest || judgeClaimed(id, claimant, index) === 'foreign') return [];
    return [{ lab: claim.lab, at, guest }];
  });
}

/**
 * The machines of the pool's stands that have joined it. What else is in it, at a claimed number or not, its user made, or
 * somebody put there.
 */
export function machinesIn(pool: string, index: ClusterView): ClaimedGuest[] {
  const { user, claims = [] } = index.marks.get(pool) ?? {};
  if (user === undefined) return [];
  return claims.flatMap((claim) =>
    claimedIds(claim).flatMap((id, at) => {
      const guest = index.guests.get(id.vmid);
      if (guest?.pool !== pool) return [];
      const isOther = isOfPoolUser(pool, guest, judgeClaimed(id, { pool, user }, index));
      return isOther ? [] : [{ lab: claim.lab, at, guest }];
    }),
  );
}
