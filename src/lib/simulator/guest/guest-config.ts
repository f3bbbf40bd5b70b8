/** Reading and writing values of a guest's configuration. Pure, apart from drawing MAC addresses. */
import type { Contract } from '../contract/parse-tables.ts';
import { splitList } from '../contract/formats.ts';
import { printProperties, splitProperties, type Properties } from '../contract/property-string.ts';
import { die } from '../pve-error.ts';
import { randomMac, sha1 } from '../access/secrets.ts';
import type { Sim } from '../sim.ts';
import type { GuestConfig, GuestState } from '../state.ts';
import { without } from '../without.ts';

function parseProperties(contract: Contract, format: string, text: string): Properties {
  const known = contract.formats.get(format);
  const parsed = known && splitProperties(text, known);
  return parsed?.ok === true ? parsed.values : die(`unable to parse '${text}'`);
}

export const parseNet = (contract: Contract, text: string): Properties =>
  parseProperties(contract, '$net', text);

/** QemuServer.pm print_net: `<model>=<mac>` first, the rest by name. */
export function printNet(net: Readonly<Properties>): string {
  const { model = '', macaddr = '', ...rest } = net;
  return [`${model}=${macaddr}`, printProperties(rest, Object.keys(rest).sort())]
    .filter((part) => part !== '')
    .join(',');
}

export function macPrefix(sim: Sim): string | undefined {
  return sim.world.datacenter['mac_prefix'] ?? sim.facts.macPrefix;
}

/** A net without a MAC gets a new one, on every write (QemuServer.pm parse_net). */
export function completeNet(sim: Sim, text: string): string {
  const net = parseNet(sim.contract, text);
  return printNet({ ...net, macaddr: net['macaddr'] ?? randomMac(sim.world, macPrefix(sim)) });
}

export const isNetKey = (key: string): boolean => /^net\d+$/.test(key);
export const isDriveKey = (key: string): boolean =>
  /^(?:(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0)$/.test(key);

/** Volumes that the machine owns and does not use. */
export const isUnusedKey = (key: string): boolean => /^unused\d+$/.test(key);

/** The entries that disks get which no drive names any more. */
export function detachedDisks(config: Readonly<GuestConfig>, files: readonly string[]): GuestConfig {
  const added: GuestConfig = {};
  for (const file of files) {
    let i = 0;
    while (config[`unused${i}`] !== undefined || added[`unused${i}`] !== undefined) i += 1;
    added[`unused${i}`] = file;
  }
  return added;
}

export interface Drive {
  readonly key: string;
  readonly file: string;
  readonly storage: string;
  readonly options: Readonly<Properties>;
  readonly isCdrom: boolean;
  readonly isCloudInit: boolean;
}

export function parseDrive(contract: Contract, key: string, text: string): Drive {
  const options = parseProperties(contract, `$${key.replace(/\d+$/, '')}`, text);
  const file = options['file'] ?? '';
  const isCloudInit = /(?:^|[:/-])cloudinit(?:\.|$)/.test(file);
  return {
    key,
    file,
    storage: file.includes(':') ? file.slice(0, file.indexOf(':')) : '',
    options,
    isCloudInit,
    isCdrom: options['media'] === 'cdrom' || file === 'none' || file === 'cdrom',
  };
}

export function printDrive(drive: Drive, file: string, more: Readonly<Properties> = {}): string {
  const options = without({ ...drive.options, ...more }, 'file');
  const rest = printProperties(options, Object.keys(options).sort());
  return rest === '' ? file : `${file},${rest}`;
}

export function drivesOf(contract: Contract, config: Readonly<GuestConfig>): Drive[] {
  return Object.entries(config)
    .filter(([key]) => isDriveKey(key))
    .map(([key, value]) => parseDrive(contract, key, value))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Whether a snapshot holds on to a volume, as far as Drive.pm is_volume_in_use looks at snapshots. */
export function isInSnapshot(contract: Contract, guest: GuestState, volid: string): boolean {
  return guest.snapshots.some(({ config }) =>
    drivesOf(contract, config).some((drive) => !drive.isCdrom && drive.file === volid),
  );
}

/** GuestHelpers.pm get_unique_tags without a tag-style: lower case, sorted, joined by `;`. */
export function normalizeTags(text: string): string {
  return [...new Set(splitList(text.toLowerCase()))].sort().join(';');
}

/** Configuration text, only good for its digest and for comparing. */
export function digestOf(guest: GuestState): string {
  return sha1(JSON.stringify([guest.config, guest.pending, guest.pendingDelete, guest.snapshots]));
}

export function checkLock(guest: GuestState): void {
  const lock = guest.config['lock'];
  if (lock !== undefined) die(`VM is locked (${lock})`);
}

/** AbstractConfig.pm check_protection. */
export function checkProtection({ config }: GuestState, what: string): void {
  if (config['protection'] === '1') die(`can't remove ${what} - protection mode enabled`);
}

/** GuestHelpers load_config: only this node's machines exist here. */
export function loadGuest(sim: Sim, node: string, vmid: number): GuestState {
  const guest = sim.world.guests.get(vmid);
  if (guest?.type !== 'qemu' || guest.node !== node) {
    die(`Configuration file 'nodes/${node}/qemu-server/${vmid}.conf' does not exist`);
  }
  return guest;
}

/** Where PVE asks for the process before it reads the configuration (QemuConfig.pm assert_config_exists_on_node). */
export function findGuest(sim: Sim, node: string, vmid: number): GuestState {
  const guest = sim.world.guests.get(vmid);
  if (guest?.type !== 'qemu' || guest.node !== node) {
    die(`unable to find configuration file for VM ${vmid} on node '${node}'`);
  }
  return guest;
}
