/** Rows of `/cluster/resources` as nodes, storages and guests. Pure; that the list lags is no matter of these. */
import { isGuestKind, type GuestKind } from '../pve-values/guest-kinds.ts';
import { parseTags } from '../pve-values/tags.ts';
import type { ResourceRow } from '../proxmox/types.ts';
import type { NodeStates } from './node-states.ts';
import type { GuestInfo, NodeInfo, StorageInfo } from './types.ts';

export function toNode(row: ResourceRow, haStates: NodeStates): NodeInfo {
  const name = row.node ?? '';
  return {
    name,
    online: row.status === 'online',
    maintenance: haStates[name] === 'maintenance',
    cpus: row.maxcpu ?? 0,
    memoryTotal: row.maxmem ?? 0,
    memoryUsed: row.mem ?? 0,
    cpu: row.cpu ?? 0,
  };
}

export function toStorage(row: ResourceRow): StorageInfo {
  return {
    node: row.node ?? '',
    storage: row.storage ?? '',
    type: row.plugintype ?? '',
    shared: row.shared === true,
    active: row.status === 'available',
    content: (row.content ?? '').split(',').filter((part) => part !== ''),
    total: row.maxdisk ?? 0,
    used: row.disk ?? 0,
  };
}

/** PVE calls a VM without a name `VM <id>`, which no DNS name can be: a clone under way (qemu-server, `vmstatus`). */
export function ownName(vmid: number, name: string | undefined): { readonly name?: string } {
  return name === undefined || name === `VM ${vmid}` ? {} : { name };
}

export function toGuest(row: ResourceRow, type: GuestKind): GuestInfo {
  const tags = parseTags(row.tags);
  return {
    vmid: row.vmid ?? 0,
    node: row.node ?? '',
    type,
    ...ownName(row.vmid ?? 0, row.name),
    status: row.status ?? 'unknown',
    template: row.template === true,
    ...(row.pool === undefined ? {} : { pool: row.pool }),
    ...(row.lock === undefined ? {} : { lock: row.lock }),
    ...(tags.length === 0 ? {} : { tags }),
    ha: row.hastate !== undefined,
    memory: row.maxmem ?? 0,
    cpus: row.maxcpu ?? 0,
  };
}

/** Of a list that lags; what the nodes' own lists say goes before it. */
function withUse(guest: GuestInfo, { cpu = 0, mem = 0, uptime = 0, status }: ResourceRow): GuestInfo {
  const isOdd = status !== undefined && !['running', 'stopped', 'unknown'].includes(status);
  return { ...guest, use: { cpu, memory: mem, uptime }, ...(isOdd ? { monitor: status } : {}) };
}

export function guestsOf(rows: readonly ResourceRow[], use = false): GuestInfo[] {
  return rows.flatMap((row) => {
    if (!isGuestKind(row.type)) return [];
    const guest = toGuest(row, row.type);
    return [use ? withUse(guest, row) : guest];
  });
}
