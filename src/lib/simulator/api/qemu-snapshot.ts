/** Snapshots. See guest-common AbstractConfig.pm snapshot_create, snapshot_delete, snapshot_rollback. */
import {
  checkLock,
  detachedDisks,
  digestOf,
  drivesOf,
  isUnusedKey,
  loadGuest,
} from '../guest/guest-config.ts';
import { isRunning, isTemplate, noteChange } from '../guest/guest-view.ts';
import { die } from '../pve-error.ts';
import { lockGuest, needWritable, withLock, type Call, type Handlers, type Sim } from '../sim.ts';
import type { GuestConfig, GuestState, SnapshotState } from '../state.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import { textArg, type JobArgs, type Worker } from '../tasks/tasks.ts';
import { canSnapshot, storageOf } from '../guest/volumes.ts';
import { allocateState, checkSavable, stateSeconds } from '../guest/vmstate.ts';
import { markStarted, markStopped } from './qemu-power.ts';
import { without } from '../without.ts';

const guestOf = (call: Call): GuestState => loadGuest(call.sim, call.node, call.params.number('vmid'));

function list(call: Call): unknown {
  const guest = guestOf(call);
  const rows = guest.snapshots.map((one) => ({
    name: one.name,
    description: one.description,
    snaptime: one.snaptime,
    vmstate: one.vmstate ? 1 : 0,
    ...(one.parent === undefined ? {} : { parent: one.parent }),
  }));
  const current = {
    name: 'current',
    digest: digestOf(guest),
    description: 'You are here!',
    running: isRunning(guest) ? 1 : 0,
    ...(guest.parent === undefined ? {} : { parent: guest.parent }),
  };
  return [...rows, current];
}

function known(guest: GuestState, name: string): SnapshotState {
  return guest.snapshots.find((one) => one.name === name) ?? die(`snapshot '${name}' does not exist`);
}

function checkCreate(sim: Sim, guest: GuestState, name: string): void {
  if (isTemplate(guest)) die("you can't take a snapshot if it's a template");
  checkLock(guest);
  if (guest.snapshots.some((one) => one.name === name)) die(`snapshot name '${name}' already used`);
  const able = drivesOf(sim.contract, guest.config)
    .filter((drive) => !drive.isCdrom)
    .every((drive) => canSnapshot(storageOf(sim, drive.storage), sim.world.volume(drive.file, guest.node)));
  if (!able) die('snapshot feature is not available');
}

function create(call: Call): unknown {
  const { params } = call;
  const name = params.text('snapname');
  if (name === 'current') die("unable to use snapshot name 'current' (reserved name)");
  if (name === 'pending') die("unable to use snapshot name 'pending' (reserved name)");
  const guest = guestOf(call);
  if (params.flag('vmstate')) checkSavable(guest);
  const args = {
    vmid: guest.vmid,
    name,
    description: params.text('description'),
    vmstate: params.flag('vmstate'),
  };
  return call.startTask('qmsnapshot', String(guest.vmid), 'snapshot', args);
}

/** Runs `work` with the machine's lock held and its `lock:` entry set meanwhile. */
async function marked(
  sim: Sim,
  task: TaskContext,
  guest: GuestState,
  mark: string,
  seconds: number,
): Promise<void> {
  needWritable(sim, guest.node, guest.vmid);
  guest.config = { ...guest.config, lock: mark };
  try {
    await task.wait(mark, seconds * 1000);
  } finally {
    guest.config = without(guest.config, 'lock');
  }
}

export function snapshotWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    const name = textArg(args, 'name');
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      const guest = loadGuest(sim, task.node, vmid);
      if (!task.done('snapshot')) checkCreate(sim, guest, name);
      const withRam = args['vmstate'] === true && isRunning(guest);
      const vmstate: { readonly vmstate?: string } = withRam
        ? { vmstate: task.remember('vmstate', () => allocateState(sim, guest, name)) }
        : {};
      const seconds = sim.latency.snapshot_s + (withRam ? stateSeconds(sim, guest) : 0);
      try {
        await marked(sim, task, guest, 'snapshot', seconds);
      } catch (error) {
        if (vmstate.vmstate !== undefined) sim.world.removeVolume(vmstate.vmstate, guest.node);
        throw error;
      }
      const snapshot: SnapshotState = {
        name,
        ...(guest.parent === undefined ? {} : { parent: guest.parent }),
        snaptime: Math.floor(sim.clock.now() / 1000),
        description: textArg(args, 'description'),
        vmstate: withRam,
        config: { ...savedConfig(guest), ...vmstate },
      };
      guest.snapshots = [...guest.snapshots, snapshot];
      guest.parent = name;
    });
  };
}

function remove(call: Call): unknown {
  const guest = guestOf(call);
  const name = call.params.text('snapname');
  return call.startTask('qmdelsnapshot', String(guest.vmid), 'delsnapshot', { vmid: guest.vmid, name });
}

/** A worker that does something with one snapshot, under the machine's file lock. */
function onSnapshot(
  sim: Sim,
  work: (task: TaskContext, args: JobArgs, guest: GuestState, snapshot: SnapshotState) => Promise<void>,
): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    await task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
      const guest = loadGuest(sim, task.node, vmid);
      await work(task, args, guest, known(guest, textArg(args, 'name')));
    });
  };
}

export function deleteSnapshotWorker(sim: Sim): Worker {
  return onSnapshot(sim, async (task, _args, guest, snapshot) => {
    const { name } = snapshot;
    if (!task.done('snapshot-delete')) checkLock(guest);
    if (isTemplate(guest)) {
      // The lock is set before the refusal, and stays.
      guest.config = { ...guest.config, lock: 'snapshot-delete' };
      die("you can't delete a snapshot if vm is a template");
    }
    await marked(sim, task, guest, 'snapshot-delete', sim.latency.snapshot_s);
    const state = snapshot.config['vmstate'];
    if (state !== undefined) sim.world.removeVolume(state, guest.node);
    guest.snapshots = guest.snapshots
      .filter((one) => one !== snapshot)
      .map((one) => (one.parent === name ? reparented(one, snapshot.parent) : one));
    if (guest.parent === name) guest.parent = snapshot.parent;
  });
}

function reparented(snapshot: SnapshotState, parent: string | undefined): SnapshotState {
  if (parent !== undefined) return { ...snapshot, parent };
  const { name, snaptime, description, vmstate, config } = snapshot;
  return { name, snaptime, description, vmstate, config };
}

function rollback(call: Call): unknown {
  const guest = guestOf(call);
  const args = { vmid: guest.vmid, name: call.params.text('snapname'), start: call.params.flag('start') };
  return call.startTask('qmrollback', String(guest.vmid), 'rollback', args);
}

/** AbstractConfig.pm __snapshot_copy_config: notes and unused disks belong to the machine, not to a moment of it. */
function savedConfig(guest: GuestState): GuestConfig {
  return without(guest.config, 'description', 'lock', ...Object.keys(guest.config).filter(isUnusedKey));
}

/** __snapshot_apply_config: no rights are asked for what comes back, NICs, tags and protection included. */
function rolledBack(sim: Sim, guest: GuestState, snapshot: SnapshotState): GuestConfig {
  const kept = Object.entries(guest.config).filter(([key]) => key === 'description' || isUnusedKey(key));
  const config: GuestConfig = {
    ...without(
      snapshot.config,
      'description',
      'vmstate',
      ...Object.keys(snapshot.config).filter(isUnusedKey),
    ),
    ...Object.fromEntries(kept),
  };
  const files = new Set(drivesOf(sim.contract, snapshot.config).map((drive) => drive.file));
  const left = drivesOf(sim.contract, guest.config).filter((one) => !one.isCdrom && !files.has(one.file));
  return {
    ...config,
    ...detachedDisks(
      config,
      left.map((drive) => drive.file),
    ),
  };
}

/** ZFSPoolPlugin.pm volume_rollback_is_possible: ZFS would have to drop what came after. */
function checkRollback(sim: Sim, guest: GuestState, name: string): void {
  if (guest.snapshots.at(-1)?.name === name) return;
  for (const drive of drivesOf(sim.contract, guest.config)) {
    if (drive.isCdrom || !['zfspool', 'zfs'].includes(storageOf(sim, drive.storage).type)) continue;
    die(`can't rollback, '${name}' is not most recent snapshot on '${drive.file}'`);
  }
}

/** The section of a snapshot in the configuration file: its own description, not the machine's. */
export function snapshotConfig(snapshot: SnapshotState): Record<string, string | number> {
  const { config, parent, snaptime, description } = snapshot;
  return {
    ...without(config, 'description'),
    snaptime,
    ...(description === '' ? {} : { description }),
    ...(parent === undefined ? {} : { parent }),
  };
}

async function describe(call: Call): Promise<null> {
  const { sim, node, params } = call;
  const vmid = params.number('vmid');
  await withLock(lockGuest(sim, node, vmid, 'exclusive', 10_000), async () => {
    const guest = guestOf(call);
    checkLock(guest);
    const snapshot = known(guest, params.text('snapname'));
    await sim.clock.sleep(sim.latency.config_write_ms);
    const description = params.optText('description')?.trimEnd();
    if (description === undefined) return;
    guest.snapshots = guest.snapshots.map((one) => (one === snapshot ? { ...one, description } : one));
  });
  return null;
}

export function rollbackWorker(sim: Sim): Worker {
  return onSnapshot(sim, async (task, args, guest, snapshot) => {
    const { name } = snapshot;
    if (isTemplate(guest)) die("you can't rollback if vm is a template");
    checkRollback(sim, guest, name);
    if (!task.done('rollback')) checkLock(guest);
    if (isRunning(guest)) markStopped(sim, guest);
    const reading = snapshot.vmstate ? stateSeconds(sim, guest) : 0;
    await marked(sim, task, guest, 'rollback', sim.latency.rollback_s + reading);
    noteChange(sim, guest);
    guest.config = rolledBack(sim, guest, snapshot);
    guest.pending = {};
    guest.pendingDelete = [];
    guest.parent = name;
    if (snapshot.vmstate || args['start'] === true) markStarted(sim, guest);
  });
}

export const qemuSnapshotHandlers: Handlers = {
  'GET /nodes/{node}/qemu/{vmid}/snapshot': list,
  'POST /nodes/{node}/qemu/{vmid}/snapshot': create,
  'GET /nodes/{node}/qemu/{vmid}/snapshot/{snapname}': () => [{ cmd: 'rollback' }, { cmd: 'config' }],
  'GET /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config': (call) =>
    snapshotConfig(known(guestOf(call), call.params.text('snapname'))),
  'PUT /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config': describe,
  'DELETE /nodes/{node}/qemu/{vmid}/snapshot/{snapname}': remove,
  'POST /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback': rollback,
};
