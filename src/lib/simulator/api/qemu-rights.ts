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

function needForKey(sim: Sim, user: string, path: string, key: string, value: string | undefined): void {
  const priv = privilegeOf.get(key);
  if (priv !== undefined) {
    sim.rights.need(user, path, priv);
    if (key === 'startup') sim.rights.need(user, '/', 'Sys.Modify');
  } else if (/^numa\d+$/.test(key)) sim.rights.need(user, path, 'VM.Config.CPU');
  else if (isNetKey(key)) sim.rights.need(user, path, 'VM.Config.Network');
  else if (cloudInitKeys.has(key) || /^ipconfig\d+$/.test(key)) {
    sim.rights.needAny(user, path, ['VM.Config.Cloudinit', 'VM.Config.Network']);
  } else if (key === 'vmstate') {
    for (const one of ['VM.Config.Disk', 'VM.PowerMgmt']) sim.rights.need(user, path, one);
  } else if (/^unused\d+$/.test(key)) sim.rights.need(user, path, 'VM.Config.Disk');
  else if (/^serial\d+$/.test(key) && (value === undefined || value === 'socket')) {
    sim.rights.need(user, path, 'VM.Config.HWType');
  } else if (/^usb\d+$/.test(key) && (value === undefined || /spice/i.test(value))) {
    sim.rights.need(user, path, 'VM.Config.HWType');
  } else die(`only root can set '${key}' config`);
}

/** check_vm_modify_config_perm; `values` lacks keys that are to be deleted. */
export function checkModifyRights(
  sim: Sim,
  user: string,
  vmid: number,
  keys: readonly string[],
  values: Readonly<Record<string, string>>,
): void {
  if (user === rootUser) return;
  for (const key of keys) {
    if (isDriveKey(key) || key === 'cdrom') {
      const isCdrom = key === 'cdrom' || isCdromValue(sim, key, values[key]);
      sim.rights.need(user, `/vms/${vmid}`, isCdrom ? 'VM.Config.CDROM' : 'VM.Config.Disk');
    } else needForKey(sim, user, `/vms/${vmid}`, key, values[key]);
  }
}

function isCdromValue(sim: Sim, key: string, value: string | undefined): boolean {
  return value !== undefined && parseDrive(sim.contract, key, value).isCdrom;
}

/** GuestHelpers.pm check_vnet_access: SDN.Use on the bridge, or on the tag below it; vnets have their own zone. */
export function checkBridges(sim: Sim, user: string, entries: readonly (readonly [string, string])[]): void {
  if (!sim.facts.bridgePermissions || user === rootUser) return;
  for (const [key, value] of entries) {
    if (!isNetKey(key)) continue;
    const { bridge, tag, trunks } = parseNet(sim.contract, value);
    if (bridge === undefined) continue;
    const zone = sim.world.sdn.vnets.find((one) => one.vnet === bridge)?.zone ?? 'localnetwork';
    const path = `/sdn/zones/${zone}/${bridge}`;
    if (tag !== undefined) sim.rights.need(user, `${path}/${tag}`, 'SDN.Use');
    for (const vlan of (trunks ?? '').split(';').filter((one) => one !== '')) {
      sim.rights.need(user, `${path}/${vlan.split('-')[0] ?? vlan}`, 'SDN.Use');
    }
    if (tag === undefined && trunks === undefined) sim.rights.need(user, path, 'SDN.Use');
  }
}

/** check_storage_access for a drive value that is about to be set. */
export function checkDriveAccess(sim: Sim, user: string, key: string, value: string): void {
  const drive = parseDrive(sim.contract, key, value);
  if (drive.file === 'none') return;
  if (drive.file === 'cdrom') {
    sim.rights.need(user, '/', 'Sys.Console');
    return;
  }
  if (!sim.world.storages.has(drive.storage)) die(`storage '${drive.storage}' does not exist`);
  const privs = [
    'Datastore.AllocateSpace',
    ...(drive.isCdrom && !drive.isCloudInit ? ['Datastore.Audit'] : []),
  ];
  sim.rights.needAny(user, `/storage/${drive.storage}`, privs);
  const isNew = /^[^:]+:(?:\d+(?:\.\d+)?|cloudinit)$/.test(drive.file);
  if (isNew && !sim.world.storages.get(drive.storage)?.content.includes('images')) {
    throw paramError({ [key]: `storage '${drive.storage}' does not support vm images` });
  }
}
