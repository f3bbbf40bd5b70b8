/** What a replica that is to be made takes, once for all stands that wait for it. Knows no limits. */
import type { Volume } from '../../pve-values/volumes.ts';
import { resourceKey, type Demand } from './capacity.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { ReplicaNeed } from '../templates/replica-needs.ts';
import { begun } from '../templates/replica-steps.ts';

export interface Disk {
  readonly storage: string;
  /** Bytes. */
  readonly size: number;
}

export function disksIn(volumes: readonly Volume[]): Disk[] {
  return volumes.flatMap(({ kind, storage, bytes }) => (kind === 'disk' ? [{ storage, size: bytes }] : []));
}

/** The copy's disks, where they end up. */
export function replicaDisks({ source, storage, targetStorage }: ReplicaNeed): Disk[] {
  return disksIn(source.volumes).map((disk) => ({
    ...disk,
    storage: targetStorage ?? storage ?? disk.storage,
  }));
}

export function storageDemand(node: string, disks: readonly Disk[], { storages }: ClusterView): Demand {
  const demand = new Map<string, number>();
  for (const { storage, size } of disks) {
    const row = storages.get(`${node}/${storage}`);
    if (!row) continue;
    const key = resourceKey.storage(row);
    demand.set(key, (demand.get(key) ?? 0) + size);
  }
  return demand;
}

/**
 * Key → what it takes: the copy where it belongs, with its VMID; and room for one copy on its way where the template is,
 * because PVE copies there first. What an earlier run has made of it is no longer asked for.
 */
export function replicaDemands(need: ReplicaNeed, index: ClusterView): ReadonlyMap<string, Demand> {
  const { source, home, storage } = need;
  const present = begun(need, index.replicas);
  const isThere = present?.state === 'unfinished';
  const own = new Map(isThere && present.node === home ? [] : storageDemand(home, replicaDisks(need), index));
  if (!present) own.set(resourceKey.vmids, 1);
  const demands = new Map<string, Demand>([[resourceKey.replica(source.vmid, home), own]]);
  if (isThere || home === source.node) return demands;
  // What is on shared storage stays there when the copy moves.
  const passing = replicaDisks({ source, home, eject: [], ...(storage === undefined ? {} : { storage }) });
  const local = passing.filter(
    (disk) => index.storages.get(`${source.node}/${disk.storage}`)?.shared !== true,
  );
  return demands.set(resourceKey.transit(source.vmid), storageDemand(source.node, local, index));
}
