/** Reads the cluster into an Inventory with one call per list and node, and one per guest of ours in scope. Never writes. */
import { bridgeInMark, isStagedByUs, parseBridgeMark } from '../marks/bridge.ts';
import { isAtLeast } from '../pve-values/version.ts';
import { parseTags } from '../pve-values/tags.ts';
import { bridgesAmong } from '../pve-values/interfaces.ts';
import { createHash } from 'node:crypto';
import pMap from 'p-map';
import type { TemplateRef } from '../config/types.ts';
import { AuthError, UnreachableError } from '../proxmox/errors.ts';
import { hasLastReloadFailed } from '../proxmox/last-reload.ts';
import { parsePendingChanges } from '../pve-values/network-diff.ts';
import type { NetworkRow, PveApi, ResourceRow } from '../proxmox/types.ts';
import { PARALLEL_READS } from './parallel.ts';
import { readUse } from './bridge-use.ts';
import { unlessForbidden, unlessUnread } from './forbidden.ts';
import { readNodeStates, type NodeStates } from './node-states.ts';
import { readPools, type ReadContext } from './pools.ts';
import { readTasks } from './tasks.ts';
import { privilegesOn } from './rights.ts';
import { readStock } from './stock.ts';
import { isNamedBy } from './template-ref.ts';
import type {
  GuestInfo,
  Inventory,
  NodeInfo,
  NodeNetwork,
  PendingRow,
  PoolInfo,
  Rights,
  StorageInfo,
  VmConfig,
} from './types.ts';

/** What the planner is going to look at. */
export interface InventoryScope {
  readonly templates: readonly TemplateRef[];
  /** Also those of all other templates. */
  readonly allTemplates?: boolean;
  /** Storages that are named beside those of the templates. */
  readonly storages?: readonly string[];
  /** VMIDs that the stands in scope have claimed; only their configurations are read. */
  readonly claimed: (pools: readonly PoolInfo[], guests: readonly GuestInfo[]) => readonly number[];
  /** VMIDs of which name and power state have to be as of now; costs one call per node that has one of them. */
  readonly live?: (pools: readonly PoolInfo[]) => readonly number[];
  /** Nodes on which it has to be known which guest names which bridge; costs two calls per guest there, and one per snapshot. */
  readonly bridgeUse?: (networks: readonly NodeNetwork[]) => readonly string[];
  /** VMs that go, by all the rest: what their snapshots name goes with them, and their configuration is read already. */
  readonly going?: (have: Inventory) => ReadonlySet<number>;
  /** Also read the tasks under way; they are wherever a claimed VM is locked. */
  readonly tasks?: boolean;
  /** Also those that failed since then, in the same calls. Seconds since the epoch, by the server's clock. */
  readonly failuresSince?: (now: number) => number;
  /** With `use`: ask live ones of which the list says that their CPUs stand; costs one call for each. */
  readonly monitors?: boolean;
  /** Also tell what guests use. */
  readonly use?: boolean;
  /** Without groups, realms and vnets: three calls less. */
  readonly lean?: boolean;
  /** Also read each node's CPU load of the last hour; costs one call per node. */
  readonly load?: boolean;
  /** Also read what the caller may do, and so what its rights may hide from the lists. */
  readonly rights?: boolean;
}

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
function nameOf(vmid: number, name: string | undefined): { readonly name?: string } {
  return name === undefined || name === `VM ${vmid}` ? {} : { name };
}

export function toGuest(row: ResourceRow, type: 'qemu' | 'lxc'): GuestInfo {
  const tags = parseTags(row.tags);
  return {
    vmid: row.vmid ?? 0,
    node: row.node ?? '',
    type,
    ...nameOf(row.vmid ?? 0, row.name),
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

function guestsOf(rows: readonly ResourceRow[], use = false): GuestInfo[] {
  return rows.flatMap((row) => {
    if (row.type !== 'qemu' && row.type !== 'lxc') return [];
    const guest = toGuest(row, row.type);
    return [use ? withUse(guest, row) : guest];
  });
}

/** The staged changes of a node, and whose they are by their comments. */
function pendingRows(changes: string, rows: readonly NetworkRow[]): PendingRow[] {
  return parsePendingChanges(changes, rows, bridgeInMark).map(({ iface, change, comment, text }) => ({
    iface,
    change,
    ours: isStagedByUs(iface, change, comment),
    text,
  }));
}

/** A reload that fails half-way brings such a bridge up without its VLANs, and PVE shows what is in the file. */
function isOursAware({
  iface,
  vlanAware,
  comments,
}: Pick<NetworkRow, 'iface' | 'vlanAware' | 'comments'>): boolean {
  return vlanAware && parseBridgeMark(iface, comments) !== undefined;
}

export async function readNetwork(
  pve: PveApi,
  node: NodeInfo,
  signal: AbortSignal | undefined,
): Promise<NodeNetwork> {
  const unreadable = { node: node.name, readable: false, bridges: [], pending: [] };
  if (!node.online) return unreadable;
  try {
    const { rows, changes } = await pve.network(node.name, signal);
    const pending = pendingRows(changes, rows);
    const isHalfDone = rows.some(isOursAware) && (await hasLastReloadFailed(pve, node.name, signal));
    const bridges = bridgesAmong(rows).map((info) =>
      isHalfDone && isOursAware(info) ? { ...info, active: false } : info,
    );
    return { node: node.name, readable: true, bridges, pending };
  } catch (error) {
    if (error instanceof UnreachableError) return unreadable; // went down since the node list was made
    throw error;
  }
}

export async function readConfig(
  pve: PveApi,
  guest: GuestInfo,
  signal: AbortSignal | undefined,
): Promise<VmConfig[]> {
  try {
    const values = await pve.vmConfig(guest.node, guest.vmid, signal);
    if (!values) return [];
    // Always present in PVE's answer; a hash of the rest serves where a proxy stripped it.
    const digest = values['digest'] ?? createHash('sha1').update(JSON.stringify(values)).digest('hex');
    return [{ vmid: guest.vmid, node: guest.node, digest, values }];
  } catch (error) {
    if (error instanceof AuthError || error instanceof UnreachableError) return [];
    throw error;
  }
}

async function readConfigs(
  pve: PveApi,
  guests: readonly GuestInfo[],
  online: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<VmConfig[]> {
  const readable = guests.filter((guest) => guest.type === 'qemu' && online.has(guest.node));
  const configs = await pMap(readable, (guest) => readConfig(pve, guest, signal), {
    concurrency: PARALLEL_READS,
  });
  return configs.flat();
}

function withoutLock(guest: GuestInfo): GuestInfo {
  return Object.fromEntries(Object.entries(guest).filter(([key]) => key !== 'lock')) as unknown as GuestInfo; // `lock` is optional
}

/** `/cluster/resources` lags about 10 s; the nodes' own lists do not. Only nodes with VMs in scope are asked. */
async function withLiveState(
  pve: PveApi,
  guests: readonly GuestInfo[],
  claimed: ReadonlySet<number>,
  online: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<GuestInfo[]> {
  const nodes = new Set(guests.filter((guest) => claimed.has(guest.vmid)).map((guest) => guest.node));
  const asked = [...nodes].filter((node) => online.has(node));
  const live = await pMap(asked, (node) => pve.nodeVms(node, signal), { concurrency: PARALLEL_READS });
  const byId = new Map(live.flat().map((vm) => [vm.vmid, vm]));
  return guests.map((guest) => {
    const vm = claimed.has(guest.vmid) ? byId.get(guest.vmid) : undefined;
    if (!vm) return guest;
    const { uptime = 0, mem = 0 } = vm;
    return {
      ...withoutLock(guest),
      status: vm.status,
      ...(guest.use ? { use: { ...guest.use, uptime, memory: mem } } : {}),
      ...nameOf(vm.vmid, vm.name ?? guest.name),
      ...(vm.lock === undefined ? {} : { lock: vm.lock }),
    };
  });
}

/** A node whose statistics cannot be read (no privilege, no file yet) is judged by the 10 s average that the node list has. */
async function withLoad(
  pve: PveApi,
  nodes: readonly NodeInfo[],
  signal: AbortSignal | undefined,
): Promise<NodeInfo[]> {
  return pMap(
    nodes,
    async (node) => {
      if (!node.online) return node;
      const history = await unlessUnread(pve.nodeHistory(node.name, 'hour', signal), []);
      const points = history.flatMap(({ cpu }) => cpu ?? []);
      if (points.length === 0) return node;
      return { ...node, cpuHour: points.reduce((sum, cpu) => sum + cpu, 0) / points.length };
    },
    { concurrency: PARALLEL_READS },
  );
}

/** Privileges that reach below a path are what shows a list of objects as a whole. */
export function hiddenBy(rights: Rights, release: string): NonNullable<Inventory['hidden']> {
  const zone = privilegesOn(rights, '/sdn/zones/localnetwork');
  const showsBridges = zone['SDN.Audit'] === true || zone['SDN.Use'] === true;
  const showsGuests = privilegesOn(rights, '/vms')['VM.Audit'] === true;
  return { bridges: isAtLeast(release, 8) && !showsBridges, guests: !showsGuests };
}

interface ClaimedVms {
  readonly guests: readonly GuestInfo[];
  readonly vms: readonly VmConfig[];
}

/**
 * The configurations of the claimed VMs. A clone onto another node moves there at its very end, and a balancer may move
 * a VM at any time: one that is no longer where the list says is looked for once more.
 */
async function readClaimed(
  pve: PveApi,
  listed: readonly GuestInfo[],
  claimed: ReadonlySet<number>,
  online: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<ClaimedVms> {
  const read = async (guests: readonly GuestInfo[]): Promise<ClaimedVms> => ({
    guests: await withLiveState(pve, guests, claimed, online, signal),
    vms: await readConfigs(
      pve,
      guests.filter((guest) => claimed.has(guest.vmid)),
      online,
      signal,
    ),
  });
  const first = await read(listed);
  const found = new Set(first.vms.map((config) => config.vmid));
  const isLost = (guest: GuestInfo): boolean =>
    claimed.has(guest.vmid) && online.has(guest.node) && !found.has(guest.vmid) && guest.type === 'qemu';
  const lost = new Set(first.guests.filter(isLost).map((guest) => guest.vmid));
  if (lost.size === 0) return first;
  const again = await read(guestsOf(await pve.resources(signal)).filter((guest) => lost.has(guest.vmid)));
  return {
    guests: [...first.guests.filter((guest) => !lost.has(guest.vmid)), ...again.guests],
    vms: [...first.vms, ...again.vms],
  };
}

/** The list lags about 10 s: one that went on a moment ago still counts as paused there. */
async function withMonitors(
  pve: PveApi,
  guests: readonly GuestInfo[],
  live: ReadonlySet<number>,
  signal: AbortSignal | undefined,
): Promise<GuestInfo[]> {
  return pMap(
    guests,
    async (guest) => {
      if (guest.monitor === undefined || guest.status !== 'running' || !live.has(guest.vmid)) return guest;
      const { monitor = 'running' } = await unlessForbidden(
        pve.vmStatus(guest.node, guest.vmid, signal),
        guest,
        () => undefined,
      );
      return { ...guest, monitor };
    },
    { concurrency: PARALLEL_READS },
  );
}

/** Reads everything a planner may ask for. */
export async function readInventory(context: ReadContext, scope: InventoryScope): Promise<Inventory> {
  const gaps: string[] = [];
  const gap = (text: string) => () => void gaps.push(text);
  const quietly = (): void => undefined;
  const { pve, hard: signal } = context;
  const version = pve.version(signal);
  const resources = pve.resources(signal);
  const [
    { release },
    rows,
    { pools, poolWriters, memberWriters, sealReaders, users, acls, rolePrivileges, rights },
    realms,
    groups,
    vnets,
    haStates,
  ] = await Promise.all([
    version,
    resources,
    readPools(context, gap),
    scope.lean === true ? [] : pve.realms(signal),
    scope.lean === true
      ? []
      : unlessForbidden(pve.groups(signal), [], gap('the list of groups cannot be read')),
    scope.lean === true ? [] : unlessForbidden(pve.vnetZones(signal), [], quietly),
    readNodeStates(pve, { version, rows: resources }, { gap: quietly, signal }),
  ]);
  const nodes = rows.filter((row) => row.type === 'node').map((row) => toNode(row, haStates));
  const online = new Set(nodes.filter((node) => node.online).map((node) => node.name));
  const listed = guestsOf(rows, scope.use);
  const claimed = new Set(scope.claimed(pools, listed));
  const live = new Set(scope.live?.(pools));
  const liveGuests = async (): Promise<GuestInfo[]> => {
    const guests = await withLiveState(pve, listed, live, online, signal);
    return scope.monitors === true ? withMonitors(pve, guests, live, signal) : guests;
  };
  const [{ guests, vms }, networks, templates] = await Promise.all([
    readClaimed(pve, await liveGuests(), claimed, online, signal),
    pMap(nodes, (node) => readNetwork(pve, node, signal), { concurrency: PARALLEL_READS }),
    readConfigs(
      pve,
      listed.filter(
        (guest) =>
          scope.templates.some((ref) => isNamedBy(ref, guest)) ||
          (scope.allTemplates === true && guest.template),
      ),
      online,
      signal,
    ),
  ]);
  const useNodes = (scope.bridgeUse?.(networks) ?? []).filter((node) => online.has(node));
  const storages = rows.filter((row) => row.type === 'storage').map(toStorage);
  // Whether somebody is at it, or the lock was left behind, is what a VM under a lock is asked first.
  const asksTasks = scope.tasks === true || vms.some(({ values }) => values['lock'] !== undefined);
  const since = scope.failuresSince?.(pve.serverTime().getTime() / 1000);
  const [{ tasks, failures }, loaded, stock] = await Promise.all([
    readTasks(pve, asksTasks ? [...online] : [], since, signal),
    scope.load === true ? withLoad(pve, nodes, signal) : nodes,
    readStock(pve, { configs: templates, named: scope.storages ?? [], storages, online, rights, signal }),
  ]);
  const have: Inventory = {
    now: pve.serverTime().toISOString(),
    ...(context.caller === undefined ? {} : { caller: context.caller }),
    version: release,
    nodes: loaded,
    storages,
    guests,
    templates,
    vms,
    networks,
    vnets: vnets.map(({ vnet }) => vnet),
    zones: vnets,
    stock,
    pools,
    poolWriters,
    memberWriters,
    sealReaders,
    users,
    acls,
    roles: Object.keys(rolePrivileges),
    rolePrivileges,
    groups,
    realms: Object.fromEntries(realms.map(({ realm, type }) => [realm, type])),
    bridgeUse: [],
    bridgeUseNodes: useNodes,
    ...(scope.rights === true ? { rights, hidden: hiddenBy(rights, release) } : {}),
    tasks,
    tasksKnown: asksTasks,
    ...(failures ? { failures } : {}),
    gaps,
  };
  return { ...have, bridgeUse: await readUse(have, listed, scope.going, context) };
}
