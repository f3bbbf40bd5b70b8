/** Carries a change of options out on a guest: drives, NICs, what must wait for a restart. Checks no rights. */
import {
  checkProtection,
  detachedDisks,
  isDriveKey,
  isInSnapshot,
  isNetKey,
  isUnusedKey,
  parseDrive,
  printDrive,
} from './guest-config.ts';
import { isRunning, noteChange, printSize } from './guest-view.ts';
import { nicProblem } from '../network/network-check.ts';
import { bootOrder, checkBootOrder, printBootOrder } from './option-rules.ts';
import { die, paramError } from '../pve-error.ts';
import { needWritable, type Sim } from '../sim.ts';
import type { GuestConfig, GuestState } from '../state.ts';
import { dropState, isHibernated } from './vmstate.ts';
import { activateStorage, addVolume, cloudInitVolid, linkedChildren } from './volumes.ts';
import { without } from '../without.ts';

export interface ConfigChange {
  readonly set: Readonly<GuestConfig>;
  readonly remove: readonly string[];
  readonly force: boolean;
}

/** Creates what `storage:32` and `storage:cloudinit` ask for, and checks what is attached. */
export function realizeDrive(sim: Sim, node: string, vmid: number, key: string, value: string): string {
  const drive = parseDrive(sim.contract, key, value);
  if (drive.file === 'none' || drive.file === 'cdrom') return value;
  const storage = activateStorage(sim, drive.storage, node);
  const asked = drive.file.slice(drive.storage.length + 1);
  if (asked === 'cloudinit') {
    const volid = cloudInitVolid(storage, vmid);
    if (!sim.world.volume(volid, node)) addVolume(sim, { storage, node, vmid, size: 4 * 1024 ** 2, volid });
    return printDrive(drive, volid, { media: 'cdrom' });
  }
  if (/^\d+(?:\.\d+)?$/.test(asked)) {
    const size = Math.round(Number(asked) * 1024 ** 3);
    const volume = addVolume(sim, { storage, node, vmid, size, format: drive.options['format'] });
    return printDrive(drive, volume.volid, { size: printSize(size) });
  }
  const volume = sim.world.volume(drive.file, node) ?? die(`volume '${drive.file}' does not exist`);
  if (volume.vmid !== undefined && volume.vmid !== vmid)
    die(`cannot attach '${drive.file}' - owned by VM ${volume.vmid}`);
  return drive.isCdrom ? value : printDrive(drive, drive.file, { size: printSize(volume.size) });
}

/** AbstractConfig.pm add_unused_volume; the key that it got. */
export function addUnused(guest: GuestState, volid: string): string {
  const entry = detachedDisks(guest.config, [volid]);
  guest.config = { ...guest.config, ...entry };
  return Object.keys(entry).join('');
}

/** QemuServer.pm try_deallocate_drive. */
function freeDrive(sim: Sim, guest: GuestState, volid: string): void {
  if (isInSnapshot(sim.contract, guest, volid))
    die(`unable to delete '${volid}' - volume is still in use (snapshot?)`);
  if (linkedChildren(sim, volid).length > 0)
    die(`base volume '${volid.slice(volid.indexOf(':') + 1)}' is still in use by linked cloned`);
  sim.world.removeVolume(volid, guest.node);
}

function detachDrive(sim: Sim, guest: GuestState, key: string, force: boolean): void {
  const value = guest.config[key];
  if (value === undefined) return;
  const drive = parseDrive(sim.contract, key, value);
  const isMedium = drive.isCdrom && !drive.isCloudInit;
  if (!isMedium && (force || isUnusedKey(key))) freeDrive(sim, guest, drive.file);
  guest.config = without(guest.config, key);
  if (isMedium || force || isUnusedKey(key)) return;
  if (drive.isCloudInit) {
    sim.world.removeVolume(drive.file, guest.node);
    return;
  }
  addUnused(guest, drive.file);
}

/** By option, what a running machine did not take. */
type Problems = Record<string, string>;

/** Options that a running machine takes at once; the rest stays pending (QemuServer.pm vmconfig_hotplug_pending). */
const fastOptions = [
  'autostart',
  'description',
  'hookscript',
  'lock',
  'migrate_downtime',
  'migrate_speed',
  'name',
  'onboot',
  'protection',
  'shares',
  'startup',
  'tags',
  'vmstatestorage',
];

function isFast(sim: Sim, key: string): boolean {
  // Written past the pending section since 8 (API2/Qemu.pm update_vm_api).
  return fastOptions.includes(key) || (key === 'cipassword' && sim.facts.major > 7);
}

function applySet(sim: Sim, guest: GuestState, key: string, value: string, problems: Problems): void {
  // A line without a value is written, and lost at the next reading.
  if (value === '') {
    if (!isRunning(guest) || isFast(sim, key)) guest.config = without(guest.config, key);
    guest.pending = without(guest.pending, key);
    return;
  }
  const stored = isDriveKey(key) ? realizeDrive(sim, guest.node, guest.vmid, key, value) : value;
  if (!isRunning(guest) || isFast(sim, key)) {
    if (isDriveKey(key) && guest.config[key] !== undefined) detachDrive(sim, guest, key, false);
    guest.config = { ...guest.config, [key]: stored };
    guest.pending = without(guest.pending, key);
    return;
  }
  if (isNetKey(key)) {
    const problem = nicProblem(sim, guest.node, key, stored);
    if (!problem) {
      guest.config = { ...guest.config, [key]: stored };
      guest.pending = without(guest.pending, key);
      return;
    }
    problems[key] = `hotplug problem - ${problem.text}`;
  }
  guest.pending = { ...guest.pending, [key]: stored };
}

/** Protection keeps what holds data, be it pending only. */
function checkRemovable(guest: GuestState, key: string): void {
  const value = guest.config[key] ?? guest.pending[key];
  if (value === undefined) return;
  if (key === 'vmstate') checkProtection(guest, `vmstate '${value}'`);
  else if (isUnusedKey(key)) checkProtection(guest, `unused disk '${value}'`);
  else if (isDriveKey(key)) checkProtection(guest, `drive '${key}'`);
}

/** vm_deviceunplug: IDE and SATA wait for the machine to stop, what it boots from does not go at all. */
function unplugDrive(sim: Sim, guest: GuestState, key: string, force: boolean, problems: Problems): void {
  const order = bootOrder(guest.config['boot']);
  const isHot = /^(?:scsi|virtio)\d+$/.test(key);
  if (isHot && !order.includes(key)) {
    detachDrive(sim, guest, key, force);
    return;
  }
  if (isHot) problems[key] = `hotplug problem - can't unplug bootdisk '${key}'`;
  guest.pendingDelete = [...new Set([...guest.pendingDelete, key])];
}

function applyRemove(sim: Sim, guest: GuestState, key: string, force: boolean, problems: Problems): void {
  checkRemovable(guest, key);
  guest.pending = without(guest.pending, key);
  if (guest.config[key] === undefined) return;
  // Update_vm_api: giving up the saved memory of a hibernated machine takes its lock away, too.
  if (key === 'vmstate') {
    dropState(sim, guest, ...(isHibernated(guest) ? ['lock'] : []));
    return;
  }
  if (isDriveKey(key) || isUnusedKey(key)) {
    if (isRunning(guest) && isDriveKey(key)) unplugDrive(sim, guest, key, force, problems);
    else detachDrive(sim, guest, key, force);
  } else if (isRunning(guest) && !isFast(sim, key) && !isNetKey(key)) {
    guest.pendingDelete = [...new Set([...guest.pendingDelete, key])];
  } else guest.config = without(guest.config, key);
}

/** Deleted devices leave the boot order, new discs join it; nothing where the order stays as it is. */
function followedOrder(sim: Sim, guest: GuestState, { set, remove }: ConfigChange): string | undefined {
  const order = bootOrder(guest.config['boot']);
  if (order.length === 0 || set['boot'] !== undefined || remove.includes('boot')) return undefined;
  const discs = Object.entries(set).filter(([key, value]) => {
    const drive = isDriveKey(key) && value !== '' ? parseDrive(sim.contract, key, value) : undefined;
    return drive?.isCdrom === true && !drive.isCloudInit && !order.includes(key);
  });
  const kept = order.filter((key) => !remove.includes(key) || guest.config[key] === undefined);
  if (kept.length === order.length && discs.length === 0) return undefined;
  return printBootOrder([...kept, ...discs.map(([key]) => key)]);
}

export function applyChange(
  sim: Sim,
  guest: GuestState,
  change: ConfigChange,
  revert: readonly string[] = [],
): void {
  needWritable(sim, guest.node, guest.vmid);
  checkBootOrder(guest, change);
  noteChange(sim, guest);
  const boot = followedOrder(sim, guest, change);
  const set = boot === undefined ? change.set : { ...change.set, boot };
  for (const key of revert) guest.pending = without(guest.pending, key);
  guest.pendingDelete = guest.pendingDelete.filter((key) => !revert.includes(key) && set[key] === undefined);
  const problems: Problems = {};
  for (const key of change.remove) applyRemove(sim, guest, key, change.force, problems);
  for (const [key, value] of Object.entries(set)) applySet(sim, guest, key, value, problems);
  if (Object.keys(problems).length > 0) throw paramError(problems);
}

/** What was changed while the machine ran comes true when it stops or starts. */
export function applyPending(sim: Sim, guest: GuestState): void {
  for (const key of guest.pendingDelete) {
    if (isDriveKey(key)) detachDrive(sim, guest, key, false);
    else guest.config = without(guest.config, key);
  }
  guest.config = { ...guest.config, ...guest.pending };
  guest.pending = {};
  guest.pendingDelete = [];
}
