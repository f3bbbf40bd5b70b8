/** Two finished stands of a lab, each with a server and a PC, as commands on stands see them. */
import type { GuestInfo, Inventory, SnapshotInfo, VmConfig } from '../../../src/lib/inventory/types.ts';
import { formatSnapshotMark } from '../../../src/lib/marks/snapshot.ts';
import { viewOf, type ClusterView } from '../../../src/lib/plan/cluster/view.ts';
import { viewStands, type StandView } from '../../../src/lib/plan/stands/selected.ts';
import type { StandSelection } from '../../../src/lib/plan/stands/selection.ts';
import { guest, have, standOf } from '../builders.ts';

export const [ANNA_SRV, ANNA_PC, BORIS_SRV, BORIS_PC] = [10000, 10001, 10002, 10003] as const;

export interface Change {
  /** Where their disks are. */
  readonly storage?: string;
  readonly guests?: Readonly<Record<number, Partial<GuestInfo>>>;
  /** Further lines of the configurations. */
  readonly values?: Readonly<Record<number, Readonly<Record<string, string>>>>;
  /** Taken out of their pool, and removed, by somebody. */
  readonly outside?: readonly number[];
  readonly gone?: readonly number[];
  readonly inventory?: Partial<Inventory>;
  readonly selection?: StandSelection;
}

interface World {
  readonly have: Inventory;
  readonly index: ClusterView;
  readonly stands: readonly StandView[];
}

export function world({
  storage = 'ceph',
  guests = {},
  values = {},
  outside = [],
  gone = [],
  inventory,
  selection = {},
}: Change = {}): World {
  const names = { [ANNA_SRV]: 'srv', [ANNA_PC]: 'pc', [BORIS_SRV]: 'srv', [BORIS_PC]: 'pc' };
  const ids = [ANNA_SRV, ANNA_PC, BORIS_SRV, BORIS_PC].filter((vmid) => !gone.includes(vmid));
  const poolOf = (vmid: number) => (vmid < BORIS_SRV ? 'anna' : 'boris');
  const plain = have();
  const tank = { ...plain.storages[0]!, storage: 'tank', type: 'zfspool', shared: false };
  const seen: Inventory = {
    ...plain,
    storages: [...plain.storages, tank],
    guests: [
      ...plain.guests,
      ...ids.map((vmid) =>
        guest(vmid, {
          ...{ name: names[vmid], status: 'stopped' },
          ...(outside.includes(vmid) ? {} : { pool: poolOf(vmid) }),
          ...guests[vmid],
        }),
      ),
    ],
    vms: ids.map((vmid): VmConfig => ({
      ...{ vmid, node: 'pve1', digest: 'd' },
      values: { name: names[vmid], scsi0: `${storage}:vm-${vmid}-disk-0,size=8G`, ...values[vmid] },
    })),
    pools: [
      { pool: 'anna', comment: standOf('anna@pve', { srv: ANNA_SRV, pc: ANNA_PC }) },
      { pool: 'boris', comment: standOf('boris@pve', { srv: BORIS_SRV, pc: BORIS_PC }) },
    ],
    ...inventory,
  };
  const index = viewOf(seen);
  return { have: seen, index, stands: viewStands(selection, index, false) };
}

const taken = (name: string, description: string): SnapshotInfo => ({ name, description }) as SnapshotInfo;

/** `baseline` and what begins with `our` is ours, all else the student's; the oldest first. */
export function snapshots(
  lists: Readonly<Record<number, readonly string[]>>,
): ReadonlyMap<number, readonly SnapshotInfo[]> {
  return new Map(
    Object.entries(lists).map(([id, list]) => {
      const vmid = Number(id);
      const mark = (isBaseline: boolean) => formatSnapshotMark({ lab: 'net', vmid, isBaseline });
      return [
        vmid,
        list.map((name) =>
          taken(name, name === 'baseline' ? mark(true) : name.startsWith('our') ? mark(false) : 'of mine'),
        ),
      ];
    }),
  );
}
