/** Snapshots of VMs, and what going back to one brings back: one call per VM, which PVE lists nowhere together. Judges none. */
import pMap from 'p-map';
import type { ConfigValues, SnapshotRow } from '../proxmox/types.ts';
import type { GuestAt } from '../pve-values/guest-kinds.ts';
import { storageOfVolume } from '../pve-values/volumes.ts';
import { unlessForbidden, unlessUnread } from './forbidden.ts';
import type { ReadContext } from './pools.ts';
import { PARALLEL_READS } from './parallel.ts';
import type { SnapshotInfo } from './types.ts';

const quietly = (): void => undefined;

/** PVE lists them in no order; one that is being taken is the youngest. */
function byAge(rows: readonly SnapshotRow[]): SnapshotInfo[] {
  const time = ({ time = Infinity }: SnapshotRow): number => time;
  const sorted = [...rows].sort((a, b) => {
    if (time(a) !== time(b)) return time(a) - time(b);
    return a.parent === b.name ? 1 : b.parent === a.name ? -1 : 0;
  });
  return sorted.map(({ name, description, time: taken, vmstate }) => ({
    ...{ name, description, withMemory: vmstate },
    ...(taken === undefined ? {} : { time: taken }),
  }));
}

async function snapshotsOf(guest: GuestAt, { pve, hard }: ReadContext): Promise<SnapshotInfo[] | undefined> {
  // A machine that is gone, a node that is away: what needs its snapshots says so of that machine.
  const rows = await unlessUnread(pve.snapshots(guest, hard), undefined);
  return rows && byAge(rows);
}

/** VMID → its snapshots, the oldest first; VMs of which they cannot be read are missing. */
export async function readSnapshots(
  guests: readonly GuestAt[],
  context: ReadContext,
): Promise<ReadonlyMap<number, readonly SnapshotInfo[]>> {
  const lists = await pMap(
    guests,
    async (guest) => [guest.vmid, await snapshotsOf(guest, context)] as const,
    { concurrency: PARALLEL_READS },
  );
  return new Map(lists.flatMap(([vmid, list]) => (list ? [[vmid, list] as const] : [])));
}

/** VMID → the configuration in the snapshot that is named; VMs of which it cannot be read are missing. */
export async function readSnapshotConfigs(
  wanted: readonly (GuestAt & { readonly snapshot: string })[],
  { pve, hard }: ReadContext,
): Promise<ReadonlyMap<number, ConfigValues>> {
  const configs = await pMap(
    wanted,
    async (one) => {
      const read = pve.snapshotConfig(one, one.snapshot, hard);
      return [one.vmid, await unlessForbidden(read, undefined, quietly)] as const;
    },
    { concurrency: PARALLEL_READS },
  );
  return new Map(configs.flatMap(([vmid, values]) => (values ? [[vmid, values] as const] : [])));
}

interface SavedMemory extends GuestAt {
  readonly snapshot: string;
  readonly volume: string;
}

async function sizesOn(
  place: { readonly node: string; readonly storage: string },
  { pve, hard }: ReadContext,
): Promise<readonly (readonly [string, number])[]> {
  const rows = await unlessUnread(pve.imageSizes(place, hard), []);
  return rows.map(({ volid, bytes }) => [volid, bytes] as const);
}

/** `vmid snapshot` → bytes of its saved memory, as far as the caller is shown them; one list per node and storage. */
export async function readMemorySizes(
  wanted: readonly (GuestAt & { readonly snapshot: string })[],
  context: ReadContext,
): Promise<ReadonlyMap<string, number>> {
  const { pve, hard } = context;
  const found = await pMap(
    wanted,
    async (one): Promise<SavedMemory[]> => {
      const read = pve.snapshotConfig(one, one.snapshot, hard);
      const volume = (await unlessForbidden(read, undefined, quietly))?.['vmstate'];
      return volume === undefined ? [] : [{ ...one, volume }];
    },
    { concurrency: PARALLEL_READS },
  );
  const memories = found.flat();
  const places = new Map(
    memories.map(({ node, volume }) => {
      const storage = storageOfVolume(volume);
      return [`${node} ${storage}`, { node, storage }] as const;
    }),
  );
  const lists = await pMap([...places.values()], (place) => sizesOn(place, context), {
    concurrency: PARALLEL_READS,
  });
  const sizes = new Map(lists.flat());
  return new Map(
    memories.flatMap(({ vmid, snapshot, volume }) => {
      const bytes = sizes.get(volume);
      return bytes === undefined ? [] : [[`${vmid} ${snapshot}`, bytes] as const];
    }),
  );
}
