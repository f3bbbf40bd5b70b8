/** Carries a change of options out on a guest: drives, NICs, what must wait for a restart. Checks no rights. */
import { detachedDisks, isDriveKey, isNetKey, parseDrive, printDrive, without } from './guest-config.ts';
import { splitList } from './contract/formats.ts';
import { splitProperties } from './contract/property-string.ts';
import { isRunning, noteChange, printSize } from './guest-view.ts';
import { nicProblem } from './network-check.ts';
import { die, paramError } from './pve-error.ts';
import { checkWritable, type Sim } from './sim.ts';
import type { GuestConfig, GuestState } from './state.ts';
import { dropState, isHibernated } from './vmstate.ts';
import { activateStorage, addVolume, cloudInitVolid } from './volumes.ts';

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

function detachDrive(sim: Sim, guest: GuestState, key: string, force: boolean): void {
  const value = guest.config[key];
  if (value === undefined) return;
  const drive = parseDrive(sim.contract, key, value);
  guest.config = without(guest.config, key);
  if (drive.isCdrom && !drive.isCloudInit) return;
  if (force || drive.isCloudInit || key.startsWith('unused')) {
    sim.world.removeVolume(drive.file, guest.node);
    return;
  }
  guest.config = { ...guest.config, ...detachedDisks(guest.config, [drive.file]) };
}

/** Options that a running machine takes at once; the rest stays pending (QemuServer.pm vmconfig_hotplug_pending). */
const fastOptions = new Set([
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
]);

/** `key: ` without a value is no line that the parser of the file knows: an empty value is the option's end. */
export const emptyKeys = (set: Readonly<GuestConfig>): string[] =>
  Object.keys(set).filter((key) => set[key] === '');

function emptyRemoved({ set, remove, force }: ConfigChange): ConfigChange {
  const empty = emptyKeys(set);
  return { set: without(set, ...empty), remove: [...remove, ...empty], force };
}

function applySet(
  sim: Sim,
  guest: GuestState,
  key: string,
  value: string,
  problems: Record<string, string>,
): void {
  const stored = isDriveKey(key) ? realizeDrive(sim, guest.node, guest.vmid, key, value) : value;
  // 8 and 9 write a cloud-init password past the pending changes.
  const atOnce = fastOptions.has(key) || (key === 'cipassword' && sim.facts.major > 7);
  if (!isRunning(guest) || atOnce) {
    if (isDriveKey(key) && guest.config[key] !== undefined) detachDrive(sim, guest, key, false);
    guest.config = { ...guest.config, [key]: stored };
    guest.pending = without(guest.pending, key);
    return;
  }
  if (isNetKey(key)) {
    const problem = nicProblem(sim, guest.node, stored);
    if (!problem) {
      guest.config = { ...guest.config, [key]: stored };
      guest.pending = without(guest.pending, key);
      return;
    }
    problems[key] = `hotplug problem - ${problem.text}`;
  }
  guest.pending = { ...guest.pending, [key]: stored };
}

function applyRemove(sim: Sim, guest: GuestState, key: string, force: boolean): void {
  guest.pending = without(guest.pending, key);
  if (guest.config[key] === undefined) return;
  // Update_vm_api: giving up the saved memory of a hibernated machine takes its lock away, too.
  if (key === 'vmstate') {
    dropState(sim, guest, ...(isHibernated(guest) ? ['lock'] : []));
    return;
  }
  if (isRunning(guest) && !fastOptions.has(key) && !isNetKey(key)) {
    guest.pendingDelete = [...new Set([...guest.pendingDelete, key])];
  } else if (isDriveKey(key) || key.startsWith('unused')) detachDrive(sim, guest, key, force);
  else guest.config = without(guest.config, key);
}

/** `boot=order=…` names what is there, or comes with the same change. */
function checkBootOrder(sim: Sim, guest: GuestState, { set, remove }: ConfigChange): void {
  const boot = set['boot'];
  const format = sim.contract.formats.get('pve-qm-boot');
  const parsed = boot === undefined || !format ? undefined : splitProperties(boot, format);
  const order = parsed?.ok === true ? splitList(parsed.values['order'] ?? '') : [];
  for (const device of order) {
    const exists = [guest.config, guest.pending, set].some((one) => one[device] !== undefined);
    // The stray quote is PVE's.
    if (!exists || remove.includes(device)) die(`invalid bootorder: device '${device}' does not exist'`);
  }
}

export function applyChange(
  sim: Sim,
  guest: GuestState,
  written: ConfigChange,
  revert: readonly string[] = [],
): void {
  const change = emptyRemoved(written);
  checkBootOrder(sim, guest, change);
  checkWritable(sim, guest);
  noteChange(sim, guest);
  for (const key of revert) guest.pending = without(guest.pending, key);
  guest.pendingDelete = guest.pendingDelete.filter(
    (key) => !revert.includes(key) && change.set[key] === undefined,
  );
  for (const key of change.remove) applyRemove(sim, guest, key, change.force);
  const problems: Record<string, string> = {};
  for (const [key, value] of Object.entries(change.set)) applySet(sim, guest, key, value, problems);
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
