/** Which machines can have snapshots, and why not. Plans nothing. */
import { takesSnapshots } from '../../pve-values/storage-types.ts';
import { volumesOf } from '../../pve-values/volumes.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import type { StandMachine } from '../stands/selected.ts';
import { sayMachine, type ReadyMachine } from './machines.ts';

interface Incapable {
  readonly storage: string;
  readonly type: string;
  readonly volume: string;
}

/** The disk for which PVE can take no snapshot. What a storage is that the caller may not see, PVE will say. */
export function incapableDisk(
  { guest, config }: Pick<ReadyMachine, 'guest' | 'config'>,
  storages: ClusterView['storages'],
): Incapable | undefined {
  for (const { kind, storage, name } of volumesOf(config.values)) {
    if (kind !== 'disk') continue;
    const type = storages.get(`${guest.node}/${storage}`)?.type;
    if (type === undefined || takesSnapshots(type, name)) continue;
    return { storage, type, volume: `${storage}:${name}` };
  }
  return undefined;
}

/** `reclone`: the command that brings it back all the same, where that is what is wanted. */
export function incapableRefusal(
  one: ReadyMachine,
  { storages }: ClusterView,
  reclone?: string,
): Refusal | undefined {
  const disk = incapableDisk(one, storages);
  if (!disk) return undefined;
  return {
    code: 'NO_SNAPSHOTS',
    message: `${sayMachine(one)} cannot have snapshots: its disk ${disk.volume} is on storage ${disk.storage} (${disk.type}), which takes none of it`,
    hint: [
      'move the disk to a storage that does (qcow2 in files, ZFS, LVM-thin, Ceph RBD)',
      ...(reclone === undefined ? [] : [`to go back, it can be cloned anew: ${reclone}`]),
    ].join('; '),
  };
}

export function snapshotsUnreadable(one: StandMachine): Refusal {
  return {
    code: 'SNAPSHOTS_UNREADABLE',
    message: `the snapshots of ${sayMachine(one)} cannot be read`,
    hint: 'see that the caller has VM.Audit on /vms, then run again',
  };
}

/** Of a frozen stand, whose student might have taken it. */
export function earlierRefusal(one: StandMachine, name: string, hint: string): Refusal {
  return {
    code: 'SNAPSHOT_NAME_TAKEN',
    message: `${sayMachine(one)} had a snapshot "${name}" before the freeze: it keeps an earlier state, and stays as it is`,
    hint,
  };
}
