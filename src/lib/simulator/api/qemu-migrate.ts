/** `POST …/migrate`. See qemu-server API2/Qemu.pm migrate_vm, QemuMigrate.pm, AbstractMigrate.pm. */
import { checkLock, loadGuest, printDrive, type Drive } from '../guest/guest-config.ts';
import { isRunning, isTemplate, noteChange } from '../guest/guest-view.ts';
import { requestMigration } from '../ha-manager.ts';
import { firstNicProblem } from '../network/network-check.ts';
import { cpuProblemOn, mappedDevices, missingMappings } from '../guest/host-resources.ts';
import { die, errorText, paramError } from '../pve-error.ts';
import { isOlderMachine, machineProblem, processOf, qemuOn } from '../guest/qemu-version.ts';
import { runPreStartHook } from '../guest/start-check.ts';
import { lockGuest, type Call, type Handlers, type Sim } from '../sim.ts';
import type { GuestState, StorageState, VolumeState } from '../state.ts';
import type { TaskContext } from '../tasks/running-task.ts';
import { textArg, type Worker } from '../tasks/tasks.ts';
import { activateStorage, addVolume, checkEnabled, linkedChildren, storageOf } from '../guest/volumes.ts';
import { localDrives, localResources, realDrives } from './qemu-migrate-check.ts';
import { landingStorage, parseStorageMap, type StorageMap } from './storage-map.ts';
import { needRootFor } from './qemu-rights.ts';
import { without } from '../without.ts';

/** API2/Qemu.pm, check_storage_access_migrate. */
function needStorageAccess({ sim, user }: Call, id: string, target: string): void {
  const storage = checkEnabled(sim, id, target);
  sim.rights.need(user, `/storage/${id}`, 'Datastore.AllocateSpace');
  if (!storage.content.includes('images')) die(`storage '${id}' does not support vm images`);
}

/** What the endpoint looks at before there is a task: the storages of the map, or those of the same names. */
function checkStorages(call: Call, guest: GuestState, target: string): string | undefined {
  const { sim, params, node, user } = call;
  const wanted = params.optText('targetstorage');
  const map = wanted === undefined ? undefined : parseStorageMap(wanted);
  if (map && !map.identity) {
    sim.rights.need(user, `/vms/${guest.vmid}`, 'VM.Config.Disk');
    for (const id of map.pairs.values()) needStorageAccess(call, id, target);
    if (map.fallback !== undefined) needStorageAccess(call, map.fallback, target);
    return wanted;
  }
  for (const { storage } of realDrives(sim, guest)) {
    checkEnabled(sim, storage, node);
    checkEnabled(sim, storage, target);
  }
  return wanted;
}

function migrate(call: Call): unknown {
  const { sim, params, node, user } = call;
  const target = params.text('target');
  if (target === node) throw paramError({ target: 'target is local node.' });
  if (!sim.world.nodes.has(target)) die(`no such cluster node '${target}'`);
  for (const option of ['force', 'migration_type', 'migration_network']) {
    if (params.has(option) && user !== 'root@pam')
      throw paramError({ [option]: 'Only root may use this option.' });
  }
  needRootFor(call, 'force');
  const guest = loadGuest(sim, node, params.number('vmid'));
  checkLock(guest);
  if (isRunning(guest) && !params.flag('online')) die("can't migrate running VM without --online");
  const targetStorage = checkStorages(call, guest, target);
  const managed = sim.world.haResources.has(`vm:${guest.vmid}`);
  const args = {
    vmid: guest.vmid,
    target,
    withLocalDisks: params.flag('with-local-disks'),
    targetStorage: targetStorage ?? null,
  };
  return call.startTask(
    managed ? 'hamigrate' : 'qmigrate',
    String(guest.vmid),
    managed ? 'ha-migrate' : 'migrate',
    args,
  );
}

/** What a storage writes and reads as a stream (`volume_export_formats`); no common one, no transfer. */
function streamOf(type: string, format: string): string {
  if (type === 'zfspool') return 'zfs';
  return format === 'qcow2' || format === 'vmdk' ? `${format}+size` : 'raw+size';
}

function isTransferable(from: StorageState, to: StorageState, format: string): boolean {
  if (from.storage === to.storage) return true;
  if (!['dir', 'btrfs', 'zfspool', 'lvmthin', 'lvm'].includes(to.type)) return false;
  const stream = streamOf(from.type, format);
  if (stream === 'zfs' || to.type === 'zfspool') return from.type === to.type;
  return stream === 'raw+size' || to.type === 'dir';
}

/** QemuMigrate.pm prepare: target_storage_check_available, of each volume. */
function missingLanding(
  sim: Sim,
  guest: GuestState,
  target: string,
  map: StorageMap | undefined,
): string | undefined {
  for (const { storage, file, isCdrom, isCloudInit } of realDrives(sim, guest)) {
    try {
      const there = checkEnabled(sim, landingStorage(map, checkEnabled(sim, storage, guest.node)), target);
      const kind = isCdrom && !isCloudInit ? 'iso' : 'images';
      if (!there.content.includes(kind))
        return `${file}: content type '${kind}' is not available on storage '${there.storage}'`;
    } catch (error) {
      return errorText(error);
    }
  }
  return undefined;
}

/** QemuMigrate.pm prepare: QEMU hands it on since 10.1. */
function hasStuckClipboard(sim: Sim, guest: GuestState): boolean {
  if (!/(?:^|,)clipboard=vnc(?:,|$)/.test(guest.config['vga'] ?? '')) return false;
  return sim.facts.major < 9 || isOlderMachine(processOf(sim, guest).machine, '10.1');
}

/** What the log says; the exit status is only ever `migration aborted`. */
function obstacle(
  sim: Sim,
  guest: GuestState,
  target: string,
  withLocalDisks: boolean,
  map: StorageMap | undefined,
): string | undefined {
  const node = guest.node;
  const running = isRunning(guest);
  const devices = localResources(guest);
  if (devices.length > 0) return `can't migrate VM which uses local devices: ${devices.join(', ')}`;
  const missing = missingMappings(sim, target, guest.config);
  if (missing.length > 0) return `can't migrate to '${target}': missing mapped devices ${missing.join(', ')}`;
  const mapped = mappedDevices(guest.config);
  if (running && mapped.length > 0)
    return `can't live migrate running VM which uses following mapped devices: ${mapped.join(', ')}`;
  if (running && hasStuckClipboard(sim, guest))
    return sim.facts.major < 9
      ? "VMs with 'clipboard' set to 'vnc' are not live migratable!"
      : "VMs with 'clipboard' set to 'vnc' are not live migratable with QEMU/machine versions older than 10.1!";
  const gone = missingLanding(sim, guest, target, map);
  if (gone !== undefined) return gone;
  for (const drive of localDrives(sim, guest)) {
    if (drive.isCdrom && !drive.isCloudInit)
      return `can't migrate local cdrom '${drive.file}': local cdrom image`;
    if (drive.isCdrom) continue;
    const storage = storageOf(sim, drive.storage);
    const volume = sim.world.volume(drive.file, node);
    if (!['dir', 'btrfs', 'zfspool', 'lvmthin', 'lvm'].includes(storage.type))
      return `can't migrate '${drive.file}'`;
    const there = storageOf(sim, landingStorage(map, storage));
    if (!running && volume && !isTransferable(storage, there, volume.format))
      return `cannot migrate from storage type '${storage.type}' to '${there.type}'`;
    if (volume?.parent !== undefined)
      return `can't migrate '${drive.file}' as it's a clone of '${volume.parent}'`;
    if (running && !withLocalDisks)
      return "can't live migrate attached local disks without with-local-disks option";
    if (guest.snapshots.length > 0) {
      if (running) return 'online storage migration not possible if non-replicated snapshot exists';
      const keeps = storage.type === 'zfspool' || (volume?.format === 'qcow2' && storage.type === 'dir');
      if (!keeps) return 'non-migratable snapshot exists';
    }
    if (isTemplate(guest) && linkedChildren(sim, drive.file).length > 0) {
      return `can't migrate template: '${drive.file}' is referenced by linked clone(s)`;
    }
  }
  return undefined;
}

function moveLocalDisk(
  sim: Sim,
  guest: GuestState,
  drive: Drive,
  source: VolumeState,
  target: string,
  map: StorageMap | undefined,
): void {
  const from = storageOf(sim, drive.storage);
  const storage = storageOf(sim, landingStorage(map, from));
  sim.world.removeVolume(source.volid, guest.node);
  // Storage.pm storage_migrate keeps the name, where storages of that kind spell names alike.
  const keepsName = storage.storage === drive.storage || storage.type === from.type;
  const name = source.volid.slice(source.volid.indexOf(':'));
  const moved = addVolume(sim, {
    storage,
    node: target,
    vmid: guest.vmid,
    size: source.size,
    format: source.format,
    volid: keepsName ? `${storage.storage}${name}` : undefined,
  });
  guest.config = { ...guest.config, [drive.key]: printDrive(drive, moved.volid) };
}

/** Why QEMU does not start there; the machine type is pinned to the QEMU of the source. */
function startProblem(
  sim: Sim,
  guest: GuestState,
  target: string,
  map: StorageMap | undefined,
): string | undefined {
  try {
    runPreStartHook(sim, target, guest.vmid, guest.config);
    for (const { storage } of realDrives(sim, guest))
      activateStorage(sim, landingStorage(map, storageOf(sim, storage)), target);
  } catch (error) {
    return errorText(error);
  }
  const nic = firstNicProblem(sim, target, guest.config);
  if (nic) return nic.text;
  return (
    machineProblem(sim, target, processOf(sim, guest).machine) ?? cpuProblemOn(sim, target, guest.config)
  );
}

async function move(
  sim: Sim,
  task: TaskContext,
  guest: GuestState,
  target: string,
  map: StorageMap | undefined,
): Promise<void> {
  const disks = localDrives(sim, guest).flatMap((drive) => {
    const volume = sim.world.volume(drive.file, task.node);
    return volume ? [{ drive, volume }] : [];
  });
  const bytes = disks.reduce((sum, { volume }) => sum + volume.size, 0);
  const memory = isRunning(guest) ? 2 : 1;
  task.log(
    `starting migration of VM ${guest.vmid} to node '${target}' (10.0.0.${sim.world.node(target).id})`,
  );
  const seconds = sim.latency.migrate_s * memory + (bytes / 1024 ** 3) * sim.latency.migrate_s_per_gib;
  await task.wait('transfer', seconds * 1000);
  if (!sim.world.node(target).online) abort(task, "Can't connect to destination address using public key");
  const problem = isRunning(guest) ? startProblem(sim, guest, target, map) : undefined;
  if (problem !== undefined) {
    // Phase 2 is over what it began: the machine stays up where it is, and the end is another word.
    task.log(`[${target}] ${problem}`);
    task.log(`ERROR: online migrate failure - remote command failed with exit code 255`);
    task.log('aborting phase 2 - cleanup resources');
    task.log('migrate_cancel');
    task.log('ERROR: migration finished with problems (duration 00:00:05)');
    die('migration problems');
  }
  task.once('moved', () => {
    noteChange(sim, guest);
    for (const { drive, volume } of disks) moveLocalDisk(sim, guest, drive, volume, target, map);
    guest.config = without(guest.config, 'lock');
    if (isRunning(guest)) guest.process = { ...processOf(sim, guest), qemu: qemuOn(sim, target) };
    sim.world.moveGuest(guest, target);
  });
}

function abort(task: TaskContext, why: string): never {
  task.log(`ERROR: migration aborted (duration 00:00:01): ${why}`);
  return die('migration aborted');
}

/** Whoever waited for another migration of the machine finds it gone, or locked. */
function prepare(sim: Sim, task: TaskContext, vmid: number): GuestState {
  try {
    const guest = loadGuest(sim, task.node, vmid);
    if (!task.done('transfer')) checkLock(guest);
    return guest;
  } catch (error) {
    return abort(task, errorText(error));
  }
}

export function migrateWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    const target = textArg(args, 'target');
    if (task.done('moved')) return;
    const file = `/var/lock/qemu-server/pve-migrate-${vmid}`;
    await task.locked(sim.locks.flock(task.node, file, 'exclusive', 10_000), () =>
      task.locked(lockGuest(sim, task.node, vmid, 'exclusive', 10_000), async () => {
        const guest = prepare(sim, task, vmid);
        const { targetStorage } = args;
        const map = typeof targetStorage === 'string' ? parseStorageMap(targetStorage) : undefined;
        // Before the machine is locked: a second request of that moment is not refused, but waits.
        await task.wait('connect', sim.world.node(target).online ? 300 : 3_000);
        if (!sim.world.node(target).online)
          abort(task, "Can't connect to destination address using public key");
        const problem = obstacle(sim, guest, target, args['withLocalDisks'] === true, map);
        if (problem !== undefined) {
          task.log(`ERROR: ${problem}`);
          abort(task, "can't migrate VM - check log");
        }
        guest.config = { ...guest.config, lock: 'migrate' };
        try {
          await move(sim, task, guest, target, map);
        } finally {
          guest.config = without(guest.config, 'lock');
        }
      }),
    );
  };
}

/** The manager does it later, with a qmigrate task of its own. */
export function haMigrateWorker(sim: Sim): Worker {
  return async (task, args) => {
    const vmid = Number(args['vmid']);
    const target = textArg(args, 'target');
    const kind = sim.world.guests.get(vmid)?.type === 'lxc' ? 'ct' : 'vm';
    task.log(`Requesting HA migration for ${kind.toUpperCase()} ${vmid} to node ${target}`);
    await task.wait('queue', 200);
    task.once('requested', () => requestMigration(sim, `${kind}:${vmid}`, target));
  };
}

export const qemuMigrateHandlers: Handlers = {
  'POST /nodes/{node}/qemu/{vmid}/migrate': migrate,
};
