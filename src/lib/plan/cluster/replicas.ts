/** The replicas there are, by their claims and marks, and which VMs hang on them. Plans nothing. */
import { isTemplate } from '../../pve-values/guest-flags.ts';
import { mayBeMachine } from '../../pve-values/guest-kinds.ts';
import { hangsOn, volumesOf } from '../../pve-values/volumes.ts';
import { storageTraits } from '../../pve-values/storage-types.ts';
import type { GuestInfo, Inventory, StorageInfo, VmConfig } from '../../inventory/types.ts';
import { ownVmMark } from '../../marks/vm.ts';
import { parseReplicaMark, type ReplicaClaim, type ReplicaPool } from '../../marks/replica.ts';
import { judgeReplica, type Seen } from './judge-replica.ts';
import type { Verdict } from '../stands/ownership.ts';
import { toTemplate, type Template } from './templates.ts';

/**
 * What the verdict (stands/ownership.ts) comes to. `ready`: ours, and a template. `open`: claimed, and nothing is there yet
 * but perhaps a clone under way. `foreign`: something is there that is not ours; it is left alone. `unreadable`: nothing can
 * be told, its node may be down.
 */
type ReplicaState = 'ready' | 'unfinished' | 'open' | 'foreign' | 'unreadable';

export interface Replica {
  readonly claim: ReplicaClaim;
  readonly state: ReplicaState;
  /** Where the VM is; for `open` ones where it is to be. */
  readonly node: string;
  /** Of the source, as it was when the copy was ordered. Undefined while nothing is there. */
  readonly digest?: string;
  readonly config?: VmConfig;
  /** What there is to clone, once it is `ready`. */
  readonly template?: Template;
}

function stateOf(verdict: Verdict, config: VmConfig | undefined): ReplicaState {
  switch (verdict) {
    case 'missing':
    case 'open':
    case 'in-flight':
      return 'open';
    case 'ours':
    case 'unjoined': {
      if (!config) return 'unreadable';
      const isDone = isTemplate(config.values) && config.values['lock'] === undefined;
      return verdict === 'ours' && isDone ? 'ready' : 'unfinished';
    }
    case 'zombie':
      return 'unfinished';
    case 'away':
    case 'unreadable':
      return 'unreadable';
    case 'left-pool':
    case 'foreign':
    case 'unsealed':
    case 'doubtful':
      return 'foreign';
  }
}

export function readReplicas({ claims }: ReplicaPool, index: Seen): Replica[] {
  return claims.map((claim): Replica => {
    const guest = index.guests.get(claim.vmid);
    const config = index.configs.get(claim.vmid);
    const verdict = judgeReplica(claim, index);
    const state = stateOf(verdict, config);
    // The rest of a failed removal is a copy of nothing.
    const mark =
      verdict === 'zombie' ? undefined : config && parseReplicaMark(config.values['description'] ?? '');
    return {
      claim,
      state,
      node: state === 'open' ? claim.node : (config?.node ?? guest?.node ?? claim.node),
      ...(mark === undefined || state === 'foreign' ? {} : { digest: mark.digest }),
      ...(config === undefined ? {} : { config, template: toTemplate(config) }),
    };
  });
}

/** A copy of the source as it is now? Any edit of the source's configuration counts. */
export function isFresh({ digest }: Replica, source: Pick<Template, 'digest'>): boolean {
  return digest === source.digest;
}

function rowOf(have: Inventory, node: string, storage: string): StorageInfo | undefined {
  return have.storages.find((row) => row.node === node && row.storage === storage);
}

/**
 * VMs of ours that are, or may be, linked clones of the replica. Where volume ids do not tell, the VM's mark does; a VM
 * there whose mark is lost or cannot be read counts as one.
 */
export function clonesOf(
  replica: Replica,
  have: Inventory,
  configs: ReadonlyMap<number, VmConfig>,
  claimed: ReadonlySet<number>,
): number[] {
  const { vmid } = replica.claim;
  const storages = (replica.template?.volumes ?? []).filter(({ kind }) => kind === 'disk');
  const silent = new Set(
    storages
      .map(({ storage }) => rowOf(have, replica.node, storage))
      .filter((row) => !storageTraits(row?.type ?? '').tellsBase)
      .map((row) => row?.storage ?? ''),
  );
  const isClone = (guest: GuestInfo): boolean => {
    const config = configs.get(guest.vmid);
    if (!config) return silent.size > 0 && guest.node === replica.node;
    const volumes = volumesOf(config.values);
    if (volumes.some((volume) => hangsOn(volume, vmid))) return true;
    const onIt = guest.node === replica.node && volumes.some(({ storage }) => silent.has(storage));
    if (!onIt) return false;
    const mark = ownVmMark(guest.vmid, config.values);
    return mark === undefined || mark.base === vmid;
  };
  return have.guests
    .filter((guest) => mayBeMachine(guest) && claimed.has(guest.vmid) && isClone(guest))
    .map((guest) => guest.vmid)
    .sort((a, b) => a - b);
}

/** Linked clones of a template among the VMs of stands; null where volume ids do not tell. */
export function clonesOfTemplate(
  template: Template,
  index: {
    readonly storages: ReadonlyMap<string, StorageInfo>;
    readonly configs: ReadonlyMap<number, VmConfig>;
  },
  claimed: ReadonlySet<number>,
): number | null {
  const disks = template.volumes.filter(({ kind }) => kind === 'disk');
  const types = disks.map(({ storage }) => index.storages.get(`${template.node}/${storage}`)?.type ?? '');
  if (!types.map(storageTraits).every(({ tellsBase, links }) => tellsBase || !links)) return null;
  return [...index.configs.values()].filter(
    ({ vmid, values }) =>
      claimed.has(vmid) && volumesOf(values).some((volume) => hangsOn(volume, template.vmid)),
  ).length;
}
