/** Whose a snapshot is, and which machines can have one. The one place that tells them apart; plans nothing. */
import type { SnapshotInfo } from '../../inventory/types.ts';
import { parseSnapshotMark } from '../../marks/snapshot.ts';
import { takesSnapshots } from '../../pve-values/storage-types.ts';
import { volumesOf } from '../../pve-values/volumes.ts';
import type { ClusterView } from '../cluster/view.ts';
import type { Refusal } from '../document/plan.ts';
import { sayMachine, type ReadyMachine } from './machines.ts';

/** `baseline`: of ours, the state that the machine was handed out in. */
export type SnapshotOwner = 'baseline' | 'ours' | 'student';

/** VMID → its snapshots, the oldest first; of those that are missing they cannot be read. */
export type SnapshotLists = ReadonlyMap<number, readonly SnapshotInfo[]>;

/** Machine → the name of its baseline, by the lab's file. */
export type Baselines = ReadonlyMap<string, string>;

/** What a lab calls it that says no more than that it wants one. */
const DEFAULT_BASELINE = 'baseline';

/** `baseline`: what the lab's file calls it; what deploy took before it marked snapshots is known by that. */
export function ownerOf(
  { name, description }: SnapshotInfo,
  vmid: number,
  baseline: string | undefined,
): SnapshotOwner {
  const mark = parseSnapshotMark(description);
  if (mark?.vmid === vmid) return mark.isBaseline ? 'baseline' : 'ours';
  return name === baseline ? 'baseline' : 'student';
}

/** The one to go back to where none is named. */
export function baselineOf(
  snapshots: readonly SnapshotInfo[],
  vmid: number,
  baseline: string | undefined,
): string | undefined {
  const named = baseline === undefined ? undefined : snapshots.find(({ name }) => name === baseline);
  const marked = snapshots.findLast((one) => ownerOf(one, vmid, undefined) === 'baseline');
  return (named ?? marked ?? snapshots.find(({ name }) => name === DEFAULT_BASELINE))?.name;
}

export interface Incapable {
  readonly storage: string;
  readonly type: string;
  readonly volume: string;
}

/** The disk for which PVE can take no snapshot. */
export function incapableDisk(
  { guest, config }: Pick<ReadyMachine, 'guest' | 'config'>,
  storages: ClusterView['storages'],
): Incapable | undefined {
  for (const { kind, storage, name } of volumesOf(config.values)) {
    if (kind !== 'disk') continue;
    const type = storages.get(`${guest.node}/${storage}`)?.type ?? '';
    if (!takesSnapshots(type, name)) return { storage, type, volume: `${storage}:${name}` };
  }
  return undefined;
}

export function incapableRefusal(one: ReadyMachine, { storages }: ClusterView): Refusal | undefined {
  const disk = incapableDisk(one, storages);
  if (!disk) return undefined;
  return {
    code: 'NO_SNAPSHOTS',
    message: `${sayMachine(one)} cannot have snapshots: its disk ${disk.volume} is on storage ${disk.storage} (${disk.type === '' ? 'of a type that is not known' : disk.type}), which takes none of it`,
    hint: 'move the disk to a storage that does (qcow2 in files, ZFS, LVM-thin, Ceph RBD); to go back, it can be cloned anew (reset --reclone)',
  };
}

export function unreadableRefusal(one: ReadyMachine): Refusal {
  return {
    code: 'SNAPSHOTS_UNREADABLE',
    message: `the snapshots of ${sayMachine(one)} cannot be read`,
    hint: 'see that the caller has VM.Audit on /vms, then run again',
  };
}
