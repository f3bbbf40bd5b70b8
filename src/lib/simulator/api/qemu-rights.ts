/** Rights on guest options: by key, by bridge, by storage. See qemu-server API2/Qemu.pm. Throws 403 or 500. */
import { isDriveKey, isNetKey, parseDrive, parseNet } from '../guest-config.ts';
import { rootUser } from '../permissions.ts';
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

/** A machine's own path, or the pool that it is about to join: either will do (RPCEnvironment.pm check_vm_perm). */
export interface Where {
  readonly vmid: number;
  readonly pool?: string | undefined;
}

/** check_vm_perm; any one of the privileges when `any`. */
export function needOnGuest(
  sim: Sim,
  user: string,
  where: Where,
  privs: readonly string[],
  any = false,
): void {
  const { rights } = sim;
  const { pool } = where;
  const held = (path: string): boolean =>
    any ? rights.hasAny(user, path, privs) : privs.every((priv) => rights.has(user, path, priv));
  if (pool !== undefined && held(`/pool/${pool}`)) return;
  if (any) rights.needAny(user, `/vms/${where.vmid}`, privs);
  else rights.need(user, `/vms/${where.vmid}`, ...privs);
}

function needForKey(sim: Sim, user: string, where: Where, key: string, value: string | undefined): void {
  const need = (...privs: readonly string[]): void => needOnGuest(sim, user, where, privs);
  const priv = privilegeOf.get(key);
  if (priv !== undefined) {
    need(priv);
    if (key === 'startup') sim.rights.need(user, '/', 'Sys.Modify');
  } else if (/^numa\d+$/.test(key)) need('VM.Config.CPU');
  else if (isNetKey(key)) need('VM.Config.Network');
  else if (cloudInitKeys.has(key) || /^ipconfig\d+$/.test(key)) {
    needOnGuest(sim, user, where, ['VM.Config.Cloudinit', 'VM.Config.Network'], true);
  } else if (/^unused\d+$/.test(key)) need('VM.Config.Disk');
  else if (/^serial\d+$/.test(key) && (value === undefined || value === 'socket')) need('VM.Config.HWType');
  else if (/^usb\d+$/.test(key) && (value === undefined || /spice/i.test(value))) need('VM.Config.HWType');
  else die(`only root can set '${key}' config`);
}

/** check_vm_modify_config_perm; `values` lacks keys that are to be deleted. */
export function checkModifyRights(
  sim: Sim,
  user: string,
  where: Where,
  keys: readonly string[],
  values: Readonly<Record<string, string>>,
): void {
  if (user === rootUser) return;
  for (const key of keys) {
    const value = values[key];
    if (!isDriveKey(key)) needForKey(sim, user, where, key, value);
    else if (value !== undefined && value !== '') needForDrive(sim, user, where, key, value);
  }
}

/** update_vm_api's $check_drive_perms, for the drive that is there and for the one that takes its place. */
export function needForDrive(sim: Sim, user: string, where: Where, key: string, value: string): void {
  const drive = parseDrive(sim.contract, key, value);
  if (drive.isCloudInit) needOnGuest(sim, user, where, ['VM.Config.Cloudinit', 'VM.Config.CDROM']);
  else needOnGuest(sim, user, where, [drive.isCdrom ? 'VM.Config.CDROM' : 'VM.Config.Disk']);
}

/** GuestHelpers.pm check_vnet_access: SDN.Use on the bridge, or on the tag below it; vnets have their own zone. */
export function checkBridges(sim: Sim, user: string, entries: readonly (readonly [string, string])[]): void {
  if (!sim.facts.bridgePermissions || user === rootUser) return;
  for (const [key, value] of entries) {
    if (!isNetKey(key)) continue;
    const { bridge, tag, trunks } = parseNet(sim.contract, value);
    if (bridge === undefined) {
      // 8 looks the NIC's vnet up all the same; 9 has nothing to check then.
      if (sim.facts.major === 8) die('no sdn vnet ID specified');
      continue;
    }
    const zone = sim.world.fixed.sdn.vnets.find((one) => one.vnet === bridge)?.zone ?? 'localnetwork';
    const path = `/sdn/zones/${zone}/${bridge}`;
    if (tag !== undefined) sim.rights.need(user, `${path}/${tag}`, 'SDN.Use');
    for (const vlan of (trunks ?? '').split(';').filter((one) => one !== '')) {
      sim.rights.need(user, `${path}/${vlan.split('-')[0] ?? vlan}`, 'SDN.Use');
    }
    if (tag === undefined && trunks === undefined) sim.rights.need(user, path, 'SDN.Use');
  }
}

/**
 * check_storage_access and Storage.pm check_volume_access, for a drive value that is about to be set. A cloud-init drive
 * takes no right on the storage that it is made on, and a machine's own volumes take none either.
 */
export function checkDriveAccess(sim: Sim, user: string, vmid: number, key: string, value: string): void {
  const drive = parseDrive(sim.contract, key, value);
  const volume = drive.file.slice(drive.storage.length + 1);
  if (drive.file === 'none' || volume === 'cloudinit') return;
  if (drive.file === 'cdrom') {
    sim.rights.need(user, '/', 'Sys.Console');
    return;
  }
  if (!sim.world.storages.has(drive.storage)) die(`storage '${drive.storage}' does not exist`);
  const path = `/storage/${drive.storage}`;
  if (!drive.isCdrom && /^\d+(?:\.\d+)?$/.test(volume)) {
    sim.rights.need(user, path, 'Datastore.AllocateSpace');
    if (!sim.world.storages.get(drive.storage)?.content.includes('images'))
      throw paramError({ storage: `storage '${drive.storage}' does not support vm images` });
    return;
  }
  const owner = /(?:^|\/)(?:vm|base)-(\d+)-/.exec(volume)?.[1];
  if (owner === undefined) {
    sim.rights.needAny(user, path, ['Datastore.AllocateSpace', 'Datastore.Audit']);
  } else if (Number(owner) !== vmid) {
    sim.rights.need(user, path, 'Datastore.Audit');
    sim.rights.need(user, `/vms/${owner}`, 'VM.Config.Disk');
  }
}
