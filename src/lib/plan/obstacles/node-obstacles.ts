/**
 * What keeps a node from taking a machine, by what is known before the first write: the one table that deploy, copies of
 * templates and balance share; what only a move meets is in balance/pve/target-obstacles.ts. Each rule is a sentence of
 * PVE's that would end a clone, a start or a migration there.
 */
import {
  cpuNeeds,
  cpusOf,
  hostDevices,
  neededFiles,
  versionedMachine,
  sevNeeds,
  usesKvm,
  type NeededFile,
} from '../../pve-values/host-ties.ts';
import { isAtLeast } from '../../pve-values/version.ts';
import type { Volume } from '../../pve-values/volumes.ts';
import { compareNatural } from '../../order.ts';
import type { VnetInfo } from '../../inventory/types.ts';
import { USUAL_MTU } from '../../pve-values/interfaces.ts';
import type { Hosts } from '../cluster/hosts.ts';
import type { NodeObstacle, StorageObstacle } from './obstacle.ts';

type Values = Readonly<Record<string, string>>;

function first<T, R>(items: Iterable<T>, judge: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = judge(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function hostObstacle(node: string, { nodes }: Hosts): NodeObstacle | undefined {
  const info = nodes.get(node);
  if (!info) return { code: 'node-missing' };
  return info.online ? undefined : { code: 'node-offline' };
}

export function maintenanceObstacle(node: string, { nodes }: Hosts): NodeObstacle | undefined {
  return nodes.get(node)?.maintenance === true ? { code: 'maintenance' } : undefined;
}

/** pve-storage Storage.pm, storage_check_enabled and activate_storage: what every use of a volume begins with. */
export function storageObstacle(
  node: string,
  storage: string,
  { storages, stock }: Pick<Hosts, 'storages' | 'stock'>,
): StorageObstacle | undefined {
  const row = storages.get(`${node}/${storage}`);
  if (row) return row.active ? undefined : { code: 'storage-offline', storage };
  if (!stock.definitions) return { code: 'storage-unseen', storage };
  const definition = Object.hasOwn(stock.definitions, storage) ? stock.definitions[storage] : undefined;
  if (!definition) return { code: 'storage-undefined', storage };
  if (definition.disabled) return { code: 'storage-disabled', storage };
  const { nodes } = definition;
  return nodes && !nodes.includes(node)
    ? { code: 'storage-elsewhere', storage, nodes }
    : { code: 'storage-unseen', storage };
}

/**
 * The same for disks, EFI and TPM state among them, and for discs: a start, a migration and since 8 a clone ask whether they
 * belong there (QemuServer.pm check_volume_storage_type, QemuMigrate.pm, API2/Qemu.pm: `does not support vm images`).
 */
export function diskObstacle(
  node: string,
  storage: string,
  hosts: Pick<Hosts, 'storages' | 'stock'>,
  content: 'images' | 'iso' = 'images',
): StorageObstacle | undefined {
  const obstacle = storageObstacle(node, storage, hosts);
  if (obstacle) return obstacle;
  const holds = hosts.storages.get(`${node}/${storage}`)?.content.includes(content);
  return holds === true ? undefined : { code: 'storage-content', storage, content };
}

/** How a card is plugged in. */
export interface Plug {
  readonly bridge: string;
  readonly tag?: number | undefined;
  readonly trunks?: readonly string[] | undefined;
  readonly model?: string | undefined;
  readonly mtu?: number | undefined;
}

/** QemuServer.pm print_netdevice_full: `MTU … is bigger than the bridge MTU`; it looks at cards of virtio only. */
export function mtuObstacle(
  { bridge, model, mtu = 1 }: Plug,
  most: number | undefined,
  zone?: string,
): NodeObstacle | undefined {
  const isTooMuch = model === 'virtio' && most !== undefined && mtu > most;
  if (!isTooMuch) return undefined;
  return { code: 'mtu', bridge, mtu, most, ...(zone === undefined ? {} : { zone }) };
}

/**
 * A bridge that is listed and not up. What PVE says of a bridge that comes up by itself may be old, so that its silence
 * proves nothing (pve-facts: `active` is kept per worker); one that does not, or is only staged, is not there.
 */
function downObstacle(node: string, bridge: string, hosts: Hosts): NodeObstacle | undefined {
  const info = hosts.bridges.get(node)?.get(bridge);
  if (!info || info.active) return undefined;
  const isStaged = hosts.staged.get(`${node} ${bridge}`)?.change === 'added';
  return isStaged || !info.autostart ? { code: 'bridge-down', bridge, isStaged } : undefined;
}

/** Network/SDN/Zones.pm: status, tap_plug. */
function vnetObstacle(
  node: string,
  { vnet, zone = '', nodes, isStaged, down }: VnetInfo,
): NodeObstacle | undefined {
  if (nodes && !nodes.includes(node)) return { code: 'vnet-elsewhere', vnet, zone, nodes };
  const why = isStaged ? 'staged' : down?.[node];
  return why && { code: 'vnet-down', vnet, zone, why };
}

/** What a tunnel takes of each packet. */
const TUNNEL_BYTES = 50;

/**
 * Network/SDN/Zones/*Plugin.pm: what the zone says; else a bridge of its own has the usual one, and a tunnel what the
 * interface below leaves: that is not told, but it is one of the node, and none has more than the largest of its bridges
 * where all of them are known.
 */
function vnetMtu(node: string, { mtu, zoneType }: VnetInfo, { bridges }: Hosts): number | undefined {
  if (mtu !== undefined || zoneType === 'simple') return mtu ?? USUAL_MTU;
  if (zoneType !== 'vxlan' && zoneType !== 'evpn') return undefined;
  const known = [...(bridges.get(node)?.values() ?? [])].map((info) => info.mtu);
  const all = known.flatMap((one) => one ?? []);
  return all.length < known.length ? undefined : Math.max(USUAL_MTU, ...all) - TUNNEL_BYTES;
}

/** qemu-server Network.pm and pve-common Network.pm (read_bridge_mtu, tap_plug, activate_bridge_vlan). */
export function plugObstacle(node: string, plug: Plug, hosts: Hosts): NodeObstacle | undefined {
  const { bridge, tag, trunks = [] } = plug;
  const vnet = hosts.vnets.get(bridge);
  if (vnet) {
    const away = vnetObstacle(node, vnet);
    if (away) return away;
    const isPlain = vnet.vlanAware === true || (tag === undefined && trunks.length === 0);
    if (!isPlain) return { code: 'vlan', bridge, what: 'vnet' };
    return mtuObstacle(plug, vnetMtu(node, vnet, hosts), vnet.zone);
  }
  const down = downObstacle(node, bridge, hosts);
  const info = hosts.bridges.get(node)?.get(bridge);
  if (down || !info) return down;
  const mtu = mtuObstacle(plug, info.mtu);
  if (mtu || info.vlanAware) return mtu;
  if (trunks.length > 0) return { code: 'vlan', bridge, what: 'trunks' };
  return tag !== undefined && info.ports.length === 0 ? { code: 'vlan', bridge, what: 'tag' } : undefined;
}

/** Nodes on which the file was seen. */
function nodesWith({ volid, storage, content }: NeededFile, { stock, nodes }: Hosts): string[] {
  return [...nodes.keys()]
    .filter((node) => stock.files[`${node} ${storage} ${content}`]?.includes(volid) === true)
    .sort(compareNatural);
}

/** A script is looked for by its path, whatever became of its storage; only of a disc it is asked whether it belongs there. */
function fileStorageObstacle(
  node: string,
  { key, storage, content }: NeededFile,
  hosts: Hosts,
): StorageObstacle | undefined {
  if (key === 'hookscript') return undefined;
  return content === 'iso'
    ? diskObstacle(node, storage, hosts, 'iso')
    : storageObstacle(node, storage, hosts);
}

/** GuestHelpers.pm check_hookscript, Cloudinit.pm, Storage.pm activate_volumes. A list that was not read proves nothing. */
function fileObstacle(node: string, file: NeededFile, hosts: Hosts): NodeObstacle | undefined {
  const storage = fileStorageObstacle(node, file, hosts);
  if (storage && storage.code !== 'storage-unseen') return storage;
  const list = hosts.stock.files[`${node} ${file.storage} ${file.content}`];
  if (list === undefined || list.includes(file.volid)) return undefined;
  return { code: 'file', key: file.key, volid: file.volid, on: nodesWith(file, hosts) };
}

/** A disc that a copy of a template may leave out of its drive. */
export function discObstacle(
  node: string,
  { key, storage, name }: Pick<Volume, 'key' | 'storage' | 'name'>,
  hosts: Hosts,
): NodeObstacle | undefined {
  return fileObstacle(node, { key, volid: `${storage}:${name}`, storage, content: 'iso' }, hosts);
}

/** Snippets and mappings that a machine takes along wherever it is cloned to; images in its drives it may leave behind. */
export function filesObstacle(
  node: string,
  values: Values,
  content: NeededFile['content'],
  hosts: Hosts,
): NodeObstacle | undefined {
  return first(neededFiles(values), (file) =>
    file.content === content ? fileObstacle(node, file, hosts) : undefined,
  );
}

/** PCI.pm, USB.pm: `device mapping not found`. Of a mapping that is not shown nothing is known. */
function mappingObstacle(node: string, values: Values, { stock }: Hosts): NodeObstacle | undefined {
  return first(hostDevices(values), ({ key, mapping }) => {
    const nodes = mapping && stock.mappings[`${mapping.kind} ${mapping.id}`];
    return mapping && nodes && !nodes.includes(node) ? { code: 'mapping', key, mapping, nodes } : undefined;
  });
}

/** A device without a mapping is one of that very host. */
export function ownDevice(values: Values): string | undefined {
  return hostDevices(values).find(({ mapping }) => mapping === undefined)?.text;
}

/** API2/Qemu.pm check_mapping_access (8.0 and later): `only root can set`. */
export function rootDeviceObstacle(values: Values, { version, caller }: Hosts): NodeObstacle | undefined {
  if (!isAtLeast(version, 8) || caller === undefined || caller === 'root@pam') return undefined;
  const device = hostDevices(values).find(
    ({ key, mapping }) => mapping === undefined && /^(?:hostpci|usb)\d+$/.test(key),
  );
  return device && { code: 'device-root', key: device.key };
}

/** `pc-q35-9.2+pve1` → `q35-9.2`: what QEMU itself knows of it. */
function plainType(type: string): string | undefined {
  return /(?:i440fx|q35)-\d+\.\d+/.exec(type)?.[0];
}

/** Lists name revisions since 8.4 only; an older one says nothing of them. `+pve0` is the type as QEMU has it. */
function revisionIsKnown(type: string, plain: string, known: readonly string[]): boolean {
  const revision = /\+pve[1-9]\d*/.exec(type)?.[0];
  if (revision === undefined || !known.some((one) => one.includes('+pve'))) return true;
  return known.some((one) => one.endsWith(`${plain}${revision}`));
}

/** Of a machine that has that type already: QemuServer.pm, `Installed QEMU version … is too old`, and types that QEMU has dropped. */
export function typeObstacle(node: string, type: string, { stock }: Hosts): NodeObstacle | undefined {
  const known = stock.machines[node];
  const plain = plainType(type);
  if (known === undefined || plain === undefined) return undefined;
  const types = known.flatMap((one) => plainType(one) ?? []);
  if (types.includes(plain) && revisionIsKnown(type, plain, known)) return undefined;
  return { code: 'machine-type', type, newest: types.sort(compareNatural).at(-1) ?? '' };
}

function machineTypeObstacle(node: string, values: Values, hosts: Hosts): NodeObstacle | undefined {
  const type = versionedMachine(values);
  return type === undefined ? undefined : typeObstacle(node, type, hosts);
}

/** CPUConfig.pm sets `enforce`: `Host doesn't support requested features`, and the start fails. */
function cpuTypeObstacle(node: string, values: Values, { nodes }: Hosts): NodeObstacle | undefined {
  const [needs, has] = [cpuNeeds(values), nodes.get(node)?.cpuFlags];
  if (!needs || !has) return undefined;
  const lacks = needs.flags.filter((flag) => !has.includes(flag));
  return lacks.length === 0 ? undefined : { code: 'cpu-type', type: needs.type, lacks };
}

/** QemuServer.pm config_to_command: `KVM virtualisation configured, but not available`. */
function kvmObstacle(node: string, values: Values, { nodes }: Hosts): NodeObstacle | undefined {
  return usesKvm(values) && nodes.get(node)?.hasKvm === false ? { code: 'no-kvm' } : undefined;
}

/** CPUConfig.pm get_amd_sev_object: `Your CPU does not support AMD SEV`. */
function sevObstacle(node: string, values: Values, { nodes }: Hosts): NodeObstacle | undefined {
  const [needs, has] = [sevNeeds(values), nodes.get(node)?.cpuFlags];
  return needs && has && !has.includes(needs.flag) ? { code: 'cpu-sev', needs: needs.name } : undefined;
}

/** QEMU's major and minor number on a node, by the newest machine type that it knows. */
export function qemuVersionOn(node: string, { stock }: Hosts): string | undefined {
  const versions = (stock.machines[node] ?? []).flatMap((one) => /-(\d+\.\d+)/.exec(one)?.[1] ?? []);
  return versions.sort(compareNatural).at(-1);
}

/** QemuServer.pm config_to_command: `MAX N vcpus allowed per VM on this node`. Without Sys.Audit the threads are not known. */
export function cpusObstacle(node: string, cpus: number, { nodes }: Hosts): NodeObstacle | undefined {
  const threads = nodes.get(node)?.cpus ?? 0;
  return threads > 0 && cpus > threads ? { code: 'cpus', cpus, threads } : undefined;
}

/** What a configuration that comes to the node from elsewhere does not find there. `cores`: what it will have instead. */
export function tieObstacle(
  node: string,
  values: Values,
  hosts: Hosts,
  cores?: number,
): NodeObstacle | undefined {
  return (
    filesObstacle(node, values, 'snippets', hosts) ??
    mappingObstacle(node, values, hosts) ??
    machineTypeObstacle(node, values, hosts) ??
    kvmObstacle(node, values, hosts) ??
    cpuTypeObstacle(node, values, hosts) ??
    sevObstacle(node, values, hosts) ??
    cpusObstacle(node, cpusOf(values, cores), hosts)
  );
}
