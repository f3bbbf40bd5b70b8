/** Rights on guest options: by key, by bridge, by storage. See qemu-server API2/Qemu.pm. Throws 403 or 500. */
import {
  isDriveKey,
  isNetKey,
  isUnusedKey,
  parseDrive,
  parseNet,
  type Drive,
} from '../guest/guest-config.ts';
import { rootUser } from '../access/permissions.ts';
import { die, paramError } from '../pve-error.ts';
import type { Call, Sim } from '../sim.ts';

const byPrivilege: Readonly<Record<string, readonly string[]>> = {
  'VM.Config.CPU': ['cores', 'cpu', 'cpulimit', 'cpuunits', 'numa', 'smp', 'sockets', 'vcpus'],
  'VM.Config.Memory': ['memory', 'balloon', 'shares'],
  'VM.Config.HWType': [
    'acpi',
    'audio0',
    'hotplug',
    'kvm',
    'machine',
    'scsihw',
    'smbios1',
    'tablet',
    'vga',
    'vmgenid',
    'watchdog',
  ],
  'VM.Config.Options': [
    'agent',
    'autostart',
    'bios',
    'description',
    'keyboard',
    'localtime',
    'migrate_downtime',
    'migrate_speed',
    'name',
    'onboot',
    'ostype',
    'protection',
    'reboot',
    'startdate',
    'startup',
    'tags',
    'tdf',
    'template',
  ],
  'VM.PowerMgmt': ['freeze'],
  'VM.Config.Disk': ['boot', 'bootdisk', 'vmstatestorage'],
};

const privilegeOf = new Map(
  Object.entries(byPrivilege).flatMap(([priv, keys]) => keys.map((key) => [key, priv])),
);
const cloudInitKeys = new Set([
  'cicustom',
  'cipassword',
  'citype',
  'ciuser',
  'ciupgrade',
  'nameserver',
  'searchdomain',
  'sshkeys',
]);

/** Only the ticket of root@pam may: a token of root is somebody else here. */
export function needRootFor(call: Call, option: string): void {
  if (call.params.flag(option) && call.user !== rootUser) {
    throw paramError({ [option]: 'Only root may use this option.' });
  }
}

/** A machine that is there, or one that is being made, in a pool or in none. */
export interface Subject {
  readonly vmid: number;
  readonly pool?: string | undefined;
}

/** RPCEnvironment.pm check_vm_perm: the privilege on the pool does as well. */
export function needOnGuest(
  sim: Sim,
  user: string,
  { vmid, pool }: Subject,
  ...anyOf: readonly string[]
): void {
  if (pool !== undefined && sim.rights.hasAny(user, `/pool/${pool}`, anyOf)) return;
  sim.rights.needAny(user, `/vms/${vmid}`, anyOf);
}

/** The privileges of which one is needed for a key; none: root@pam alone. */
function privilegesFor(key: string, value: string | undefined): readonly string[] {
  const known = privilegeOf.get(key);
  if (known !== undefined) return [known];
  if (/^numa\d+$/.test(key)) return ['VM.Config.CPU'];
  if (isNetKey(key)) return ['VM.Config.Network'];
  if (cloudInitKeys.has(key) || /^ipconfig\d+$/.test(key))
    return ['VM.Config.Cloudinit', 'VM.Config.Network'];
  if (isUnusedKey(key)) return ['VM.Config.Disk'];
  const isHarmless =
    (/^serial\d+$/.test(key) && (value === undefined || value === 'socket')) ||
    (/^usb\d+$/.test(key) && (value === undefined || /spice/i.test(value)));
  return isHarmless ? ['VM.Config.HWType'] : [];
}

/** check_vm_modify_config_perm; `values` lacks keys that are to be deleted. */
export function checkModifyRights(
  sim: Sim,
  user: string,
  subject: Subject,
  keys: readonly string[],
  values: Readonly<Record<string, string>>,
): void {
  if (user === rootUser) return;
  for (const key of keys) {
    const value = values[key];
    if (isDriveKey(key)) {
      if (value !== undefined && value !== '') needForDrive(sim, user, subject, key, value);
      continue;
    }
    if (key === 'vmstate') {
      needOnGuest(sim, user, subject, 'VM.Config.Disk');
      needOnGuest(sim, user, subject, 'VM.PowerMgmt');
      continue;
    }
    const privileges = privilegesFor(key, value);
    if (privileges.length === 0) die(`only root can set '${key}' config`);
    needOnGuest(sim, user, subject, ...privileges);
    // It changes what the host does.
    if (key === 'startup') sim.rights.need(user, '/', 'Sys.Modify');
  }
}

/** update_vm_api's $check_drive_perms, for the drive that is there and for the one that takes its place. */
export function needForDrive(sim: Sim, user: string, subject: Subject, key: string, value: string): void {
  const drive = parseDrive(sim.contract, key, value);
  if (drive.isCloudInit) needOnGuest(sim, user, subject, 'VM.Config.Cloudinit');
  needOnGuest(sim, user, subject, drive.isCdrom || drive.isCloudInit ? 'VM.Config.CDROM' : 'VM.Config.Disk');
}

/** GuestHelpers.pm check_vnet_access: SDN.Use on the bridge, or on the tag below it; vnets have their own zone. */
export function checkBridges(sim: Sim, user: string, entries: readonly (readonly [string, string])[]): void {
  if (!sim.facts.bridgePermissions || user === rootUser) return;
  for (const [key, value] of entries) {
    if (!isNetKey(key)) continue;
    const { bridge, tag, trunks } = parseNet(sim.contract, value);
    if (bridge === undefined) {
      // Before 9 the check was made for NICs that are not plugged in anywhere as well.
      if (sim.facts.major === 8) die('no sdn vnet ID specified');
      continue;
    }
    const zone = sim.world.sdn.vnets.find((one) => one.vnet === bridge)?.zone ?? 'localnetwork';
    const path = `/sdn/zones/${zone}/${bridge}`;
    if (tag !== undefined) sim.rights.need(user, `${path}/${tag}`, 'SDN.Use');
    for (const vlan of (trunks ?? '').split(';').filter((one) => one !== '')) {
      sim.rights.need(user, `${path}/${vlan.split('-')[0] ?? vlan}`, 'SDN.Use');
    }
    if (tag === undefined && trunks === undefined) sim.rights.need(user, path, 'SDN.Use');
  }
}

/** check_storage_access for a drive value that is about to be set. A new cloud-init drive is free for all. */
export function checkDriveAccess(sim: Sim, user: string, vmid: number, key: string, value: string): void {
  const drive = parseDrive(sim.contract, key, value);
  if (drive.file === 'none' || drive.file === `${drive.storage}:cloudinit`) return;
  if (drive.file === 'cdrom') {
    sim.rights.need(user, '/', 'Sys.Console');
    return;
  }
  const isNew = !drive.isCdrom && /^[^:]+:\d+(?:\.\d+)?$/.test(drive.file);
  if (!isNew) {
    checkVolumeAccess(sim, user, vmid, drive);
    return;
  }
  sim.rights.need(user, `/storage/${drive.storage}`, 'Datastore.AllocateSpace');
  const storage = sim.world.storages.get(drive.storage) ?? die(`storage '${drive.storage}' does not exist`);
  if (!storage.content.includes('images'))
    throw paramError({ storage: `storage '${drive.storage}' does not support vm images` });
}

/** Storage.pm check_volume_access: the own disks are free, images ask for the storage, others' disks for their owner. */
function checkVolumeAccess(sim: Sim, user: string, vmid: number, { storage, file }: Drive): void {
  if (storage === '') {
    if (user !== rootUser) die('Only root can pass arbitrary filesystem paths.');
    return;
  }
  if (!sim.world.storages.has(storage)) die(`storage '${storage}' does not exist`);
  const path = `/storage/${storage}`;
  if (sim.rights.has(user, path, 'Datastore.Allocate')) return;
  const owner = /(?:^|[:/])(?:vm|base|subvol)-(\d+)-[^/]*$/.exec(file)?.[1];
  if (/:(?:iso|vztmpl|import)\//.test(file)) {
    sim.rights.needAny(user, path, ['Datastore.AllocateSpace', 'Datastore.Audit']);
  } else if (owner === undefined) die(`missing privileges to access ${file}`);
  else if (Number(owner) !== vmid) {
    sim.rights.need(user, path, 'Datastore.Audit');
    sim.rights.need(user, `/vms/${owner}`, 'VM.Config.Disk');
  }
}
