/** Asks the one verdict of what was read: gathers its evidence, for every planner, and decides nothing. */
import type { GuestInfo, VmConfig } from '../../inventory/types.ts';
import type { Claim, PoolMark } from '../../marks/pool.ts';
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

/** What of the cluster is evidence, as far as it was read. */
export interface Seen {
  readonly guests: ReadonlyMap<number, Pick<GuestInfo, 'node' | 'type' | 'pool' | 'lock'>>;
  readonly configs: { readonly get: (vmid: number) => Pick<VmConfig, 'values'> | undefined };
  /** Nodes that are. */
  readonly online: { readonly has: (node: string) => boolean };
  readonly marks: { readonly get: (pool: string) => Pick<PoolMark, 'claims'> | undefined };
  /** Rights of users, by `path subject`. */
  readonly acls: { readonly has: (entry: string) => boolean };
}

/** Where notes are all that was read of the configurations. */
export function notesAsConfigs(notes: ReadonlyMap<number, string | undefined>): Seen['configs'] {
  return {
    get: (vmid) => {
      const description = notes.get(vmid);
      return description === undefined ? undefined : { values: { description } };
    },
  };
}

/** `isCloning`: is any clone under way in the cluster? Absent: nobody asked. */
export function judgeClaimed(id: ClaimedId, claimant: Claimant, seen: Seen, isCloning?: boolean): Verdict {
  const guest = seen.guests.get(id.vmid);
  return verdictOn({
    id,
    pool: claimant.pool,
    guest,
    isAway: guest !== undefined && !seen.online.has(guest.node),
    values: seen.configs.get(id.vmid)?.values,
    isHandedOut: isHandedOut(seen.marks.get(claimant.pool), claimant, seen.acls),
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
