/** Asks the one verdict of a copy of a template, whose claim is in a pool of its own: gathers its evidence, decides nothing. */
import { isTemplate } from '../../pve-values/guest-flags.ts';
import type { GuestInfo, VmConfig } from '../../inventory/types.ts';
import { parseReplicaMark, REPLICA_POOL, type ReplicaClaim } from '../../marks/replica.ts';
import { verdictOn, type Verdict } from '../stands/ownership.ts';

/** What of the cluster is evidence. */
export interface Seen {
  readonly guests: ReadonlyMap<number, GuestInfo>;
  readonly configs: ReadonlyMap<number, VmConfig>;
  /** Nodes that are. */
  readonly online: ReadonlySet<string>;
}

export function judgeReplica(claim: ReplicaClaim, { guests, configs, online }: Seen): Verdict {
  const guest = guests.get(claim.vmid);
  const values = configs.get(claim.vmid)?.values;
  const isMarked = parseReplicaMark(values?.['description'] ?? '')?.vmid === claim.vmid;
  return verdictOn({
    id: claim,
    pool: REPLICA_POOL,
    guest,
    isAway: guest !== undefined && !online.has(guest.node),
    values,
    isHandedOut: isMarked && isTemplate(values),
  });
}
