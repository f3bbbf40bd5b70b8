/** Which VMs hang on which replica, and which replicas nobody needs. Plans nothing. */
import { isTemplate } from '../../pve-values/guest-flags.ts';
import type { Inventory } from '../../inventory/types.ts';
import type { ClusterView } from '../cluster/view.ts';
import { isOlder } from '../../marks/time.ts';
import { clonesOf, isFresh, type Replica } from '../cluster/replicas.ts';
import { formatVmids } from '../../marks/vmid-ranges.ts';

/** VMIDs that stands claim, of all labs. */
export function claimedVmids(index: Pick<ClusterView, 'marks'>): Set<number> {
  const claimed = new Set<number>();
  for (const mark of index.marks.values()) {
    for (const claim of mark.claims) for (const vmid of claim.vmids) claimed.add(vmid);
  }
  return claimed;
}

export interface ReplicaUse {
  readonly replica: Replica;
  readonly freshness: 'fresh' | 'stale' | 'unknown' | 'source-gone';
  /** VMs of stands that are, or may be, linked clones of it. */
  readonly clones: readonly number[];
}

function freshnessOf(replica: Replica, have: Inventory): ReplicaUse['freshness'] {
  const { source } = replica.claim;
  const config = have.templates.find(({ vmid }) => vmid === source);
  const guest = have.guests.find(({ vmid }) => vmid === source);
  if (!guest) return have.hidden?.guests === false ? 'source-gone' : 'unknown';
  if (!config) return 'unknown';
  if (!isTemplate(config.values)) return 'source-gone';
  return isFresh(replica, config) ? 'fresh' : 'stale';
}

/** `have` has to hold the configurations of all templates and of all VMs of ours. */
export function replicaUses(have: Inventory, index: ClusterView): ReplicaUse[] {
  const claimed = claimedVmids(index);
  return index.replicas.map((replica) => ({
    replica,
    freshness: freshnessOf(replica, have),
    clones: clonesOf(replica, have, index.configs, claimed),
  }));
}

/** Why a replica may go, or stays. */
export interface ReplicaFate {
  readonly goes: boolean;
  readonly why: string;
}

function isBusy({ claim }: Replica, have: Inventory): boolean {
  const ids = new Set([String(claim.vmid), String(claim.source)]);
  return have.tasks.some((task) => ids.has(task.id));
}

/** In doubt it stays. Nothing goes that is younger than asked for: a run may have planned with it. */
export function replicaFate(
  { replica, freshness, clones }: ReplicaUse,
  minAgeSeconds: number,
  have: Inventory,
): ReplicaFate {
  const stays = (why: string): ReplicaFate => ({ goes: false, why });
  const { state, claim } = replica;
  if (state === 'foreign' && claim.state !== 'reserved')
    return stays('a guest that is not ours stands at its number');
  if (state === 'unreadable') return stays('it cannot be read');
  if (clones.length > 0) {
    const many = clones.length > 1;
    return stays(
      `${many ? 'VMs' : 'VM'} ${formatVmids(clones)} ${many ? 'are linked clones' : 'is a linked clone'} of it`,
    );
  }
  if (isBusy(replica, have)) return stays('a task is at work on it or its template');
  if (!isOlder(claim.since, minAgeSeconds, have.now)) return stays('it is younger than --min-age');
  if (state === 'foreign') return { goes: true, why: 'somebody else took its number' };
  if (state === 'open') return { goes: true, why: 'claimed, never made' };
  if (state === 'unfinished') return { goes: true, why: 'never finished' };
  if (freshness === 'stale') return { goes: true, why: `template ${claim.source} was changed since` };
  if (freshness === 'source-gone') return { goes: true, why: `template ${claim.source} is gone` };
  return { goes: true, why: 'no VM is a linked clone of it' };
}
