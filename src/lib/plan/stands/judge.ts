/** Asks the one verdict of the inventory: gathers its evidence, decides nothing. */
import type { Claim } from '../../marks/pool.ts';
import { parseReplicaMark, REPLICA_POOL, type ReplicaClaim } from '../../marks/replica.ts';
import type { HaveIndex } from '../have-index.ts';
import { verdictOn, type ClaimedId, type Verdict } from './ownership.ts';

/** Whose claim it is. */
export interface Claimant {
  readonly pool: string;
  readonly user: string;
}

/** `isCloning`: is any clone under way in the cluster? Absent: nobody asked. */
export function judgeClaimed(
  id: ClaimedId,
  claim: Pick<Claim, 'frozen'>,
  { pool, user }: Claimant,
  index: HaveIndex,
  isCloning?: boolean,
): Verdict {
  const guest = index.guests.get(id.vmid);
  return verdictOn({
    id,
    pool,
    guest,
    isAway: guest !== undefined && !index.online.has(guest.node),
    values: index.configs.get(id.vmid)?.values,
    isHandedOut: claim.frozen !== undefined || index.acls.has(`/pool/${pool} ${user}`),
    ...(isCloning === undefined ? {} : { isCloning }),
  });
}

/** Of a copy of a template, whose claim is in a pool of its own. */
export function judgeReplica(
  claim: ReplicaClaim,
  { guests, configs, online }: Pick<HaveIndex, 'guests' | 'configs' | 'online'>,
): Verdict {
  const guest = guests.get(claim.vmid);
  const values = configs.get(claim.vmid)?.values;
  const isMarked = parseReplicaMark(values?.['description'] ?? '')?.vmid === claim.vmid;
  return verdictOn({
    id: claim,
    pool: REPLICA_POOL,
    guest,
    isAway: guest !== undefined && !online.has(guest.node),
    values,
    isHandedOut: isMarked && values?.['template'] === '1',
  });
}
