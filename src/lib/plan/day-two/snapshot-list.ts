/** The snapshots of the selected stands as a list: whose each is, how old, and which machines lack one. Pure; plans nothing. */
import { momentOf } from '../../pve-values/moment.ts';
import { groupBy } from '../../group.ts';
import { sortedUnique } from '../../order.ts';
import type { StandMachine, StandView } from '../stands/selected.ts';
import { isReady } from './machines.ts';
import { ownerOf, type SnapshotOwner } from '../stands/snapshots.ts';
import { incapableDisk } from './snapshot-refusals.ts';
import type { SnapshotsInput } from './snapshots.ts';

export interface SnapshotRow {
  readonly name: string;
  readonly owner: SnapshotOwner;
  /** ISO 8601 UTC; null while it is being taken. */
  readonly taken: string | null;
  readonly ageSeconds: number | null;
  readonly withMemory: boolean;
  /** Null: there is none, or the caller is not shown it. */
  readonly memoryBytes: number | null;
}

export interface SnapshotMachine {
  readonly lab: string;
  readonly user: string;
  readonly pool: string;
  readonly vmid: number;
  readonly machine: string | null;
  readonly node: string | null;
  /** `none`: nothing of ours is there; `unreadable`: something is, and its snapshots cannot be read. */
  readonly state: 'listed' | 'unreadable' | 'none';
  /** The disk by which it can have no snapshots. */
  readonly incapable: string | null;
  readonly snapshots: readonly SnapshotRow[];
}

/** Of ours: some machines of the lab have it, these do not. */
interface SnapshotLack {
  readonly lab: string;
  readonly snapshot: string;
  readonly machines: readonly {
    readonly user: string;
    readonly vmid: number;
    readonly machine: string | null;
  }[];
}

export interface SnapshotReport {
  readonly machines: readonly SnapshotMachine[];
  readonly lacking: readonly SnapshotLack[];
}

interface Facts {
  /** ISO 8601. */
  readonly now: string;
  /** By `vmid snapshot`. */
  readonly sizes: ReadonlyMap<string, number>;
}

function rowsFor(
  one: StandMachine,
  { snapshots, baselines }: SnapshotsInput,
  { now, sizes }: Facts,
): SnapshotRow[] {
  return (snapshots.get(one.vmid) ?? []).map((snapshot): SnapshotRow => {
    const { name, time, withMemory } = snapshot;
    return {
      name,
      owner: ownerOf(snapshot, one.vmid, baselines.get(one.machine ?? '')),
      taken: time === undefined ? null : momentOf(time),
      ageSeconds: time === undefined ? null : Math.max(0, Math.floor(Date.parse(now) / 1000) - time),
      withMemory,
      memoryBytes: sizes.get(`${one.vmid} ${name}`) ?? null,
    };
  });
}

function machineOf(view: StandView, one: StandMachine, input: SnapshotsInput, facts: Facts): SnapshotMachine {
  const isThere = one.verdict === 'ours' && one.guest !== undefined;
  const disk = isReady(one) ? incapableDisk(one, input.index.storages) : undefined;
  return {
    lab: view.claim.lab,
    ...{ user: view.user, pool: view.pool, vmid: one.vmid },
    machine: one.machine ?? one.guest?.name ?? null,
    node: one.guest?.node ?? null,
    state: input.snapshots.has(one.vmid) ? 'listed' : isThere ? 'unreadable' : 'none',
    incapable: disk?.volume ?? null,
    snapshots: rowsFor(one, input, facts),
  };
}

function lackingIn(lab: string, machines: readonly SnapshotMachine[]): SnapshotLack[] {
  const listed = machines.filter(({ state }) => state === 'listed');
  const ours = listed.flatMap(({ snapshots }) => snapshots.filter(({ owner }) => owner !== 'student'));
  return sortedUnique(ours.map(({ name }) => name)).flatMap((snapshot): SnapshotLack[] => {
    const without = listed.filter(({ snapshots }) => !snapshots.some(({ name }) => name === snapshot));
    const names = without.map(({ user, vmid, machine }) => ({ user, vmid, machine }));
    return names.length === 0 ? [] : [{ lab, snapshot, machines: names }];
  });
}

export function listSnapshots(input: SnapshotsInput, facts: Facts): SnapshotReport {
  const machines = input.stands.flatMap((view) =>
    view.machines.filter(({ isSelected }) => isSelected).map((one) => machineOf(view, one, input, facts)),
  );
  const byLab = groupBy(machines, ({ lab }) => lab);
  return { machines, lacking: [...byLab].flatMap(([lab, ofLab]) => lackingIn(lab, ofLab)) };
}
