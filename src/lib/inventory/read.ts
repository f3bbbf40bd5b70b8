/** Reads the cluster into an Inventory with one call per list and node, and one per guest of ours in scope. Never writes. */
import pMap from 'p-map';
import type { TemplateRef } from '../config/types.ts';
import type { PveApi } from '../proxmox/types.ts';
import { asksCpus } from '../pve-values/host-ties.ts';
import { isAtLeast } from '../pve-values/version.ts';
import { readUse } from './bridge-use.ts';
import { unlessForbidden, unlessUnread } from './forbidden.ts';
import { readClaimed, readConfigs, withMonitors } from './guests.ts';
import { readNetwork } from './network.ts';
import { readNodeStates } from './node-states.ts';
import { PARALLEL_READS } from './parallel.ts';
import { readPools, type ReadContext } from './pools.ts';
import { privilegesOn } from './rights.ts';
import { guestsOf, toNode, toStorage } from './rows.ts';
import { readStock } from './stock.ts';
import { readTasks } from './tasks.ts';
import { isNamedBy } from './template-ref.ts';
import { readVnets } from './vnets.ts';
import type { Gap, GuestInfo, Inventory, NodeInfo, NodeNetwork, PoolInfo, Rights } from './types.ts';

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

/** What the CPUs can; costs one call per node. */
async function readFlags(
  pve: PveApi,
  online: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Pick<NodeInfo, 'cpuFlags' | 'hasKvm'>>> {
  const read = async (node: string) => {
    const status = await unlessUnread(pve.nodeStatus(node, signal), undefined);
    const { cpuFlags, hasKvm } = status ?? {};
    return [
      node,
      { ...(cpuFlags ? { cpuFlags } : {}), ...(hasKvm === undefined ? {} : { hasKvm }) },
    ] as const;
  };
  return new Map(await pMap(online, read, { concurrency: PARALLEL_READS }));
}

/** Each of them shows a group (PVE/API2/Group.pm). */
const SHOWING_GROUPS = ['User.Modify', 'Sys.Audit', 'Group.Allocate'] as const;

/** Privileges that reach below a path are what shows a list of objects as a whole. */
export function hiddenBy(rights: Rights, release: string): NonNullable<Inventory['hidden']> {
  const zone = privilegesOn(rights, '/sdn/zones/localnetwork');
  const showsBridges = zone['SDN.Audit'] === true || zone['SDN.Use'] === true;
  const showsGuests = privilegesOn(rights, '/vms')['VM.Audit'] === true;
  const onGroups = privilegesOn(rights, '/access/groups');
  const showsGroups = SHOWING_GROUPS.some((privilege) => onGroups[privilege] === true);
  return { bridges: isAtLeast(release, 8) && !showsBridges, guests: !showsGuests, groups: !showsGroups };
}

/** What one call each tells of the whole cluster. */
async function readLists({ context, scope, gap }: Reading) {
  const quietly = (): void => undefined;
  const { pve, hard: signal, readings } = context;
  const at = readings?.now();
  const version = pve.version(signal);
  const resources = pve.resources(signal);
  const isLean = scope.lean === true;
  const [{ release }, rows, pools, realms, groups, vnets, haStates] = await Promise.all([
    version,
    resources,
    readPools(context, gap),
    isLean ? [] : pve.realms(signal),
    isLean
      ? []
      : unlessForbidden(
          pve.groups(signal),
          [],
          gap({ kind: 'groups-unread', text: 'the list of groups cannot be read' }),
        ),
    isLean ? [] : unlessForbidden(readVnets(pve, resources, signal), [], quietly),
    readNodeStates(pve, { version, rows: resources }, { gap: quietly, signal }),
  ]);
  if (at !== undefined) readings?.keep({ at, pools, rows });
  const nodes = rows.filter((row) => row.type === 'node').map((row) => toNode(row, haStates));
  return { release, rows, nodes, pools, realms, groups, vnets };
}

interface Reading {
  readonly context: ReadContext;
  readonly scope: InventoryScope;
  readonly gap: (gap: Gap) => () => undefined;
}

/** Guests and what is asked of each of them, and the networks of the nodes. */
async function readGuests(
  { context, scope }: Reading,
  listed: readonly GuestInfo[],
  { pools, nodes }: { readonly pools: readonly PoolInfo[]; readonly nodes: readonly NodeInfo[] },
) {
  const { pve, hard: signal } = context;
  const asking = { pve, online: onlineAmong(nodes), signal };
  const claimed = new Set(scope.claimed(pools, listed));
  const live = new Set(scope.live?.(pools));
  const readGuestsOf = async () => {
    const read = await readClaimed(asking, listed, { claimed, live });
    return scope.monitors === true
      ? { ...read, guests: await withMonitors(asking, read.guests, live) }
      : read;
  };
  const isWanted = (guest: GuestInfo): boolean =>
    scope.templates.some((ref) => isNamedBy(ref, guest)) || (scope.allTemplates === true && guest.template);
  const [{ guests, vms }, networks, templates] = await Promise.all([
    readGuestsOf(),
    pMap(nodes, (node) => readNetwork(pve, node, signal), { concurrency: PARALLEL_READS }),
    readConfigs(asking, listed.filter(isWanted)),
  ]);
  return { guests, vms, networks, templates };
}

function onlineAmong(nodes: readonly NodeInfo[]): ReadonlySet<string> {
  return new Set(nodes.filter((node) => node.online).map((node) => node.name));
}

/** Reads everything a planner may ask for. */
export async function readInventory(context: ReadContext, scope: InventoryScope): Promise<Inventory> {
  const gaps: Gap[] = [];
  const reading: Reading = { context, scope, gap: (gap) => () => void gaps.push(gap) };
  const { pve, hard: signal } = context;
  const { release, rows, nodes, pools: believed, realms, groups, vnets } = await readLists(reading);
  const { pools, poolWriters, memberWriters, sealReaders, users, acls, rolePrivileges, rights } = believed;
  const online = onlineAmong(nodes);
  const listed = guestsOf(rows, scope.use);
  const { guests, vms, networks, templates } = await readGuests(reading, listed, { pools, nodes });
  const useNodes = (scope.bridgeUse?.(networks) ?? []).filter((node) => online.has(node));
  const storages = rows.filter((row) => row.type === 'storage').map(toStorage);
  // Whether somebody is at it, or the lock was left behind, is what a VM under a lock is asked first.
  const asksTasks = scope.tasks === true || vms.some(({ values }) => values['lock'] !== undefined);
  const since = scope.failuresSince?.(pve.serverTime().getTime() / 1000);
  const asksFlags = templates.some(({ values }) => asksCpus(values));
  const [{ tasks, justEnded, failures, removals }, loaded, stock, flags] = await Promise.all([
    readTasks(pve, asksTasks ? [...online] : [], since, signal),
    scope.load === true ? withLoad(pve, nodes, signal) : nodes,
    readStock(pve, { configs: templates, named: scope.storages ?? [], storages, online, rights, signal }),
    asksFlags ? readFlags(pve, online, signal) : undefined,
  ]);
  const have: Inventory = {
    now: pve.serverTime().toISOString(),
    ...(context.caller === undefined ? {} : { caller: context.caller }),
    version: release,
    nodes: flags ? loaded.map((node) => ({ ...node, ...flags.get(node.name) })) : loaded,
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
    ...(justEnded ? { justEnded } : {}),
    ...(removals ? { removals } : {}),
    ...(failures ? { failures } : {}),
    gaps,
  };
  return { ...have, bridgeUse: await readUse(have, listed, scope.going, context) };
}
