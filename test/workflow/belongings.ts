/**
 * What students of the random worlds do to their machines, and what is theirs there: snapshots, disks, memory that runs or is
 * saved, the configuration as they left it. A command may take what it names, of those whom it names, and nothing else.
 */
import fc from 'fast-check';
import type { ClusterState } from '../../src/lib/simulator/state.ts';

type Guest = ClusterState['guests'][number];

const MIB = 1024 ** 2;

/** A volume of it, where its first disk is. */
function withVolume(state: ClusterState, guest: Guest, name: string): { state: ClusterState; volid: string } {
  const disk = state.volumes.find(({ vmid }) => vmid === guest.vmid);
  const storage = disk?.storage ?? 'disks';
  const volid = `${storage}:vm-${guest.vmid}-${name}`;
  const where = disk?.node === undefined ? {} : { node: disk.node };
  const volume = { volid, storage, ...where, size: 512 * MIB, vmid: guest.vmid, format: 'raw' };
  if (state.volumes.some((one) => one.volid === volid)) return { state, volid };
  return { state: { ...state, volumes: [...state.volumes, { ...volume, content: 'images' }] }, volid };
}

function changed(state: ClusterState, guest: Guest, to: Partial<Guest>): ClusterState {
  return { ...state, guests: state.guests.map((one) => (one.vmid === guest.vmid ? { ...one, ...to } : one)) };
}

function snapshot(state: ClusterState, guest: Guest): ClusterState {
  const snaptime = Date.parse('2026-06-01T00:00:00Z') / 1000;
  const mine = { name: 'mine', snaptime, description: 'homework', vmstate: false };
  if (guest.snapshots.some(({ name }) => name === 'mine')) return state;
  const snapshots = [...guest.snapshots, { ...mine, config: { ...guest.config } }];
  return changed(state, guest, { snapshots, parent: 'mine' });
}

function hibernate(state: ClusterState, guest: Guest): ClusterState {
  if (guest.runningSince === undefined) return state;
  const saved = withVolume(state, guest, 'state-suspend-2026-06-01');
  const config = { ...guest.config, lock: 'suspended', vmstate: saved.volid };
  const off = { runningSince: undefined, pid: undefined, process: undefined, paused: false };
  return changed(saved.state, guest, { ...off, config });
}

function addDisk(state: ClusterState, guest: Guest): ClusterState {
  const { state: after, volid } = withVolume(state, guest, 'disk-9');
  return changed(after, guest, { config: { ...guest.config, scsi9: `${volid},size=512M` } });
}

function remove(state: ClusterState, { vmid }: Guest): ClusterState {
  return {
    ...state,
    guests: state.guests.filter((one) => one.vmid !== vmid),
    volumes: state.volumes.filter((one) => one.vmid !== vmid),
    pools: state.pools.map((pool) => ({ ...pool, vms: pool.vms.filter((id) => id !== vmid) })),
  };
}

/** A task of the student's, a backup or a migration died meanwhile: its lock stays. */
const LOCKS = ['backup', 'create', 'migrate', 'rollback', 'snapshot', 'snapshot-delete', 'suspending'];

const config = (state: ClusterState, guest: Guest, more: Guest['config']): ClusterState =>
  changed(state, guest, { config: { ...guest.config, ...more } });

const DEEDS: Readonly<Record<string, (state: ClusterState, guest: Guest) => ClusterState>> = {
  snapshot,
  hibernate,
  disk: addDisk,
  memory: (state, guest) => config(state, guest, { memory: '4096' }),
  notes: (state, guest) => config(state, guest, { description: 'homework' }),
  protection: (state, guest) => config(state, guest, { protection: '1' }),
  unplug: (state, guest) => {
    const left = Object.entries(guest.config).filter(([key]) => key !== 'net0');
    return changed(state, guest, { config: Object.fromEntries(left) });
  },
  pause: (state, guest) =>
    guest.runningSince === undefined ? state : changed(state, guest, { paused: true }),
  off: (state, guest) =>
    changed(state, guest, { runningSince: undefined, pid: undefined, process: undefined, paused: false }),
  remove,
  ...Object.fromEntries(
    LOCKS.map((lock) => [
      `lock ${lock}`,
      (state: ClusterState, guest: Guest) => config(state, guest, { lock }),
    ]),
  ),
};

export interface StudentDeed {
  readonly what: string;
  /** Which of the machines that are there. */
  readonly at: number;
}

export const studentDeeds: fc.Arbitrary<StudentDeed> = fc.record({
  what: fc.constantFrom('snapshot', 'snapshot', ...Object.keys(DEEDS)),
  at: fc.nat(11),
});

/** Machines of students: made since, and in a pool of theirs; before that nobody but us has a right on them. */
function machinesOf({ guests, pools }: ClusterState, isNew: (vmid: number) => boolean): Guest[] {
  const members = pools.flatMap(({ comment, vms }) => (comment.startsWith('deploy-stand user=') ? vms : []));
  return guests.filter(({ vmid }) => isNew(vmid) && members.includes(vmid));
}

export function withDeeds(
  state: ClusterState,
  deeds: readonly StudentDeed[],
  isNew: (vmid: number) => boolean,
): ClusterState {
  return deeds.reduce((so, { what, at }) => {
    const machines = machinesOf(so, isNew);
    const guest = machines[at % Math.max(1, machines.length)];
    // Nobody changes a machine that is under a lock.
    return guest && guest.config['lock'] === undefined ? DEEDS[what]!(so, guest) : so;
  }, state);
}

/** What of a student's a command takes, or puts elsewhere, by its name. */
export type Taken = 'config' | 'memory' | 'snapshots' | 'machine' | 'machine without snapshots';

const ON_ITS_OWN = ['lock', 'vmstate', 'parent', 'runningmachine', 'runningcpu', 'runningcpus'];

const configOf = ({ config: own }: Guest): string =>
  JSON.stringify(
    Object.entries(own)
      .filter(([key]) => !ON_ITS_OWN.includes(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** What the guest has in memory is there, running or on disk. */
function keepsMemory(before: Guest, after: Guest, { volumes }: ClusterState): boolean {
  const { lock, vmstate } = after.config;
  const isSaved = lock === 'suspended' && volumes.some(({ volid }) => volid === vmstate);
  if (before.runningSince !== undefined) return after.runningSince === before.runningSince || isSaved;
  return before.config['lock'] !== 'suspended' || after.runningSince !== undefined || isSaved;
}

const homeworkOf = ({ snapshots }: Guest): Guest['snapshots'] =>
  snapshots.filter(({ description }) => description === 'homework');

function lostOf(before: Guest, after: Guest, state: ClusterState, takes: ReadonlySet<Taken>): string[] {
  const isHere = (volid: string) => state.volumes.some((one) => one.volid === volid);
  const disks = Object.values(before.config).flatMap(
    (value) => /^[^:,]+:vm-\d+-disk-\d+/.exec(value)?.[0] ?? [],
  );
  const snapshots = homeworkOf(before);
  const isKept = (one: Guest['snapshots'][number]) =>
    after.snapshots.some(
      (now) => JSON.stringify({ ...now, parent: '' }) === JSON.stringify({ ...one, parent: '' }),
    );
  return [
    ...(takes.has('snapshots') || snapshots.every(isKept) ? [] : ['snapshots']),
    ...disks.filter((volid) => !isHere(volid)).map((volid) => `disk ${volid}`),
    ...(takes.has('config') || configOf(before) === configOf(after) ? [] : ['configuration']),
    ...(takes.has('memory') || keepsMemory(before, after, state) ? [] : ['memory']),
  ];
}

/** Of machines that `isNamed`, what the command does not name; of all others, anything. */
export function lostSince(
  before: ClusterState,
  after: ClusterState,
  of: {
    readonly takes: ReadonlySet<Taken>;
    readonly isNew: (vmid: number) => boolean;
    readonly isNamed: (vmid: number) => boolean;
  },
): string[] {
  const now = new Map(after.guests.map((guest) => [guest.vmid, guest]));
  return machinesOf(before, of.isNew).flatMap((guest) => {
    const takes = of.isNamed(guest.vmid) ? of.takes : new Set<Taken>();
    const left = now.get(guest.vmid);
    if (takes.has('machine')) return [];
    if (takes.has('machine without snapshots') && homeworkOf(guest).length === 0) return [];
    const lost = left ? lostOf(guest, left, after, takes) : ['machine'];
    return lost.map((what) => `${guest.vmid}: ${what}`);
  });
}

/** VMIDs of the stands that a command with this selection is about, by the claims. */
export function namedBy(
  { pools }: ClusterState,
  { lab, users }: { readonly lab?: string; readonly users?: readonly { readonly userid: string }[] },
): Set<number> {
  return new Set(
    pools.flatMap(({ comment }) => {
      const user = /^deploy-stand user=(\S+)/m.exec(comment)?.[1];
      if (users && !users.some(({ userid }) => userid === user)) return [];
      const lines = comment.split('\n').filter((line) => lab === undefined || line.startsWith(`lab=${lab} `));
      return lines.flatMap((line) => [...line.matchAll(/:(\d+)/g)].map(([, vmid]) => Number(vmid)));
    }),
  );
}

/** Rights of students, as text. */
export const rightsOf = ({ acl }: ClusterState): string[] =>
  acl
    .map(({ path, type, subject, role, propagate }) => `${path} ${type} ${subject} ${role} ${propagate}`)
    .sort();
