/**
 * Reads the cluster for balance: a dozen calls and five per node, however many guests there are. Details of single
 * guests are read only when the planner asks for them. Never writes.
 */
import { bridgesIn } from '../pve-values/nics.ts';
import { lowestRelease } from '../pve-values/version.ts';
import type {
  GuestConfig,
  BalanceGuest,
  BalanceInventory,
  BalanceNode,
  HaRule,
  RunningMachine,
  BalanceNeeds,
} from './balance-types.ts';
import type { HaRuleRow } from '../proxmox/balance-types.ts';
import type { PveApi } from '../proxmox/types.ts';
import {
  historyGone,
  migrationsOf,
  nodesAhead,
  readCauses,
  readNodeTasks,
  runningTasks,
} from './balance-history.ts';
import { isGuest, readGuestLoad, readGuestLoads, readNodes, toBalanceGuest } from './balance-load.ts';
import { readBridgeUse } from './bridge-use.ts';
import { PARALLEL_READS } from './parallel.ts';
import { readConfig } from './guests.ts';
import { readNetwork } from './network.ts';
import { hiddenBy } from './read.ts';
import { toStorage } from './rows.ts';
import type { NodeNetwork, Rights } from './types.ts';
import { unlessForbidden, unlessRefused } from './forbidden.ts';
import { readNodeStates } from './node-states.ts';
import { readPools, type ReadContext } from './pools.ts';
import { joinStock, readStock, type StockScope } from './stock.ts';
import { readVnets } from './vnets.ts';
import pMap from 'p-map';

/** How far back to look; all in seconds. */
export interface BalanceScope {
  readonly window: number;
  /** The longer one of cooldown and blacklist. */
  readonly history: number;
  readonly migrationTimeout: number;
}

/** A reading that can be completed. */
export interface BalanceReading {
  readonly inventory: BalanceInventory;
  readonly quorate: boolean;
  /** Nodes that HA is about to fence, or has fenced. */
  readonly fenced: readonly string[];
  /** Guest loads are averages already. */
  readonly averaged: boolean;
  /** Server's clock, seconds. */
  readonly now: number;
  /** What the caller may do. */
  readonly rights: Rights;
}

function toRule({ name, kind, resources, nodes, strict, affinity }: HaRuleRow): HaRule[] {
  const vmids = resources.flatMap((sid) => {
    const id = /^(?:vm|ct):(\d+)$/.exec(sid)?.[1];
    return id === undefined ? [] : [Number(id)];
  });
  if (kind === 'node-affinity') return [{ name, kind, vmids, nodes, strict }];
  return affinity === undefined ? [] : [{ name, kind, vmids, affinity }];
}

/** `crs: ha-auto-rebalance=1`, with a mode that knows loads (ha-manager 5.2.0). */
function isAutoRebalance(crs: Readonly<Record<string, string>>): boolean {
  return /^(?:1|yes|on|true)$/i.test(crs['ha-auto-rebalance'] ?? '');
}

const quietly = (): void => undefined;

/** HA's guests are left to it unless all of this is known. */
function readHa(
  { pve, hard: signal }: ReadContext,
  lists: Parameters<typeof readNodeStates>[1],
  gap: (text: string) => (why: string) => void,
) {
  let unread = false;
  const missing = (what: string) => (why: string) => {
    unread = true;
    gap(`${what}, so the guests of HA are left to it`)(why);
  };
  const states = { gap: missing('maintenance modes cannot be read'), signal };
  return Promise.all([
    unlessRefused(pve.crsOptions(signal), {}, missing("HA's own balancing cannot be read")),
    unlessRefused(pve.haRules(signal), [], missing('the rules of HA cannot be read')),
    readNodeStates(pve, lists, states),
  ]).then(([crs, rules, haStates]) => ({ crs, rules, haStates, unread }));
}

function readLists(context: ReadContext, gap: (text: string) => (why?: string) => void) {
  const { pve, hard: signal } = context;
  const version = pve.version(signal);
  const rows = pve.resources(signal);
  return Promise.all([
    version,
    rows,
    readPools(context, ({ text }) => gap(text)),
    unlessForbidden(pve.clusterStatus(signal), { nodes: [] }, quietly),
    readHa(context, { version, rows }, gap),
    unlessRefused(readVnets(pve, rows, signal), [], gap('vnets cannot be read, so guests on them stay')),
  ]);
}

/** Whose migrations are history; where the caller is not known, everybody's are. */
function ourAccounts({ caller, operators = [] }: ReadContext): (user: string) => boolean {
  const accountOf = (user: string): string => user.replace(/!.*$/, '');
  if (caller === undefined) return () => true;
  const ours = new Set([caller, ...operators].map(accountOf));
  return (user) => ours.has(accountOf(user));
}

/** The word of a list of nodes in a message. */
function named(nodes: readonly string[]): string {
  return nodes.length > 5 ? `${nodes.slice(0, 5).join(', ')} and ${nodes.length - 5} more` : nodes.join(', ');
}

/** What it has is not known: nothing is moved from or to it. */
async function networkOf(
  pve: PveApi,
  node: BalanceNode,
  {
    gap,
    signal,
  }: { readonly gap: (text: string) => (why: string) => void; readonly signal: AbortSignal | undefined },
): Promise<NodeNetwork> {
  const nothing = { node: node.name, readable: false, bridges: [], pending: [] };
  const told = gap(`the network of ${node.name} cannot be read, so nothing is moved from or to it`);
  return unlessRefused(readNetwork(pve, node, signal), nothing, told);
}

function unknownLoads(nodes: readonly BalanceNode[], guests: readonly BalanceGuest[]): string[] {
  const unknown = nodes.filter(({ loadUnknown }) => loadUnknown).map(({ name }) => name);
  const silent = guests.filter(({ loadUnknown }) => loadUnknown).map(({ vmid }) => String(vmid));
  return [
    ...(unknown.length === 0
      ? []
      : [`the load of ${named(unknown)} is not known: it is neither relieved nor a target`]),
    ...(silent.length === 0 ? [] : [`what ${named(silent)} take is not known: they stay`]),
  ];
}

function fencedIn({ haStates }: { readonly haStates: Readonly<Record<string, string>> }): string[] {
  return Object.keys(haStates).filter((node) => haStates[node] === 'fence');
}

/** What averages and task logs do not tell. */
function logGaps(
  instant: readonly string[],
  unreadable: readonly string[],
  ahead: readonly string[],
): string[] {
  return [
    ...(instant.length === 0
      ? []
      : [`no statistics of ${named(instant)} (Sys.Audit): its load is that of this moment, not an average`]),
    ...(unreadable.length === 0
      ? []
      : [`the task log of ${named(unreadable)} cannot be read: migrations of others are not known`]),
    ...(ahead.length === 0
      ? []
      : [
          `the task log of ${named(ahead)} has migrations of a time to come, which do not count: its clock was set back`,
        ]),
  ];
}

export async function readBalance(
  context: ReadContext,
  { window, history: span, migrationTimeout }: BalanceScope,
): Promise<BalanceReading> {
  const { pve, hard: signal } = context;
  const gaps: string[] = [];
  const gap = (text: string) => (why?: string) =>
    void gaps.push(why === undefined ? text : `${text} (${why})`);
  const lists = await readLists(context, gap);
  const [{ release }, rows, { pools, acls, rights }, { cluster }, ha, vnets] = lists;
  const now = pve.serverTime().getTime() / 1000;
  const scope = { window, now, signal };
  const listed = rows.filter(isGuest).map((row) => toBalanceGuest(row, row.type));
  const [{ nodes, instant }, loads] = await Promise.all([
    readNodes(pve, rows, { ...scope, haStates: ha.haStates }),
    readGuestLoads(pve, listed, scope, gap('metrics cannot be read, so loads of guests are read one by one')),
  ]);
  const online = nodes.filter((node) => node.online).map((node) => node.name);
  // A migration that began before the window may have ended inside it.
  const since = Math.floor(now - span - migrationTimeout);
  const [{ tasks, unreadable }, networks] = await Promise.all([
    readNodeTasks(pve, online, { since, signal }),
    pMap(nodes, (node) => networkOf(pve, node, { gap, signal }), { concurrency: PARALLEL_READS }),
  ]);
  gaps.push(...logGaps(instant, unreadable, nodesAhead(tasks, now)));
  const history = {
    places: new Map(listed.map((guest) => [guest.vmid, guest.node])),
    managed: new Set(listed.filter(({ ha }) => ha).map(({ vmid }) => vmid)),
    isOurs: ourAccounts(context),
    ...{ now, timeout: migrationTimeout },
  };
  const causes = await readCauses(pve, tasks, { ...history, signal });
  const guests = loads ?? listed;
  gaps.push(...unknownLoads(nodes, guests));
  const inventory: BalanceInventory = {
    now: new Date(now * 1000).toISOString(),
    version: lowestRelease([release, ...nodes.flatMap((node) => node.pveVersion ?? [])]),
    nodes,
    guests,
    storages: rows.filter((row) => row.type === 'storage').map(toStorage),
    networks,
    vnets,
    pools,
    acls,
    // The planner asks for these (BalanceNeeds).
    ...{ configs: [], running: [], bridgeUse: [], bridgeUseNodes: [] },
    hidden: hiddenBy(rights, release),
    rights,
    haRules: ha.rules.flatMap(toRule),
    ...(ha.unread ? { haUnread: true } : {}),
    haAutoRebalance: isAutoRebalance(ha.crs),
    migrations: migrationsOf(tasks, { ...history, causes }),
    historyFrom: historyGone(tasks),
    tasks: runningTasks(tasks),
    gaps,
  };
  const fenced = fencedIn(ha);
  return { inventory, quorate: cluster?.quorate ?? true, fenced, averaged: loads !== undefined, now, rights };
}

/** Before the configuration, as in `readBridgeUse`. */
async function readSaved(
  pve: PveApi,
  guest: BalanceGuest,
  { signal, gap }: { readonly signal: AbortSignal | undefined; readonly gap: (why: string) => void },
): Promise<GuestConfig[]> {
  const read = async (): Promise<GuestConfig[]> => {
    const snapshotBridges = (await pve.snapshotConfigs(guest, signal)).flatMap(bridgesIn);
    return (await readConfig(pve, guest, signal)).map((config) => ({ ...config, snapshotBridges }));
  };
  return unlessRefused(read(), [], gap);
}

async function readRunning(
  pve: PveApi,
  guest: BalanceGuest,
  signal: AbortSignal | undefined,
): Promise<RunningMachine[]> {
  if (guest.type !== 'qemu' || guest.status === 'stopped') return [];
  const found = await unlessRefused(pve.runningMachine(guest, signal), undefined);
  return found ? [{ vmid: guest.vmid, ...found }] : [];
}

/** What the planner asked for: at most four calls for each guest named and one per snapshot, two per guest of each node named. */
export async function readDetails(
  pve: PveApi,
  reading: BalanceReading,
  {
    needs,
    window,
    signal,
  }: { readonly needs: BalanceNeeds; readonly window: number; readonly signal?: AbortSignal },
): Promise<BalanceReading> {
  const { inventory, averaged, now } = reading;
  const wanted = new Set(needs.configs);
  const chosen = inventory.guests.filter((guest) => wanted.has(guest.vmid));
  const nodes = new Set(needs.bridgeUse);
  const parallel = { concurrency: PARALLEL_READS };
  const gaps: string[] = [];
  const gapOf =
    ({ vmid }: BalanceGuest) =>
    (why: string) =>
      void gaps.push(`the configuration of VM ${vmid} cannot be read, so it stays (${why})`);
  const [details, use] = await Promise.all([
    pMap(
      chosen,
      async (guest) => ({
        guest: averaged ? guest : await readGuestLoad(pve, guest, { window, now, signal }),
        configs: await readSaved(pve, guest, { signal, gap: gapOf(guest) }),
        running: await readRunning(pve, guest, signal),
      }),
      parallel,
    ),
    readBridgeUse(pve, inventory.guests, nodes, signal),
  ]);
  const loaded = new Map(details.map(({ guest }) => [guest.vmid, guest]));
  const configs = details.flatMap((detail) => detail.configs);
  const online = new Set(inventory.nodes.filter((node) => node.online).map(({ name }) => name));
  const { storages } = inventory;
  // What a node's QEMU knows is asked once per round: a machine that runs keeps its type.
  const areKnown = Object.keys(inventory.stock?.machines ?? {}).length > 0;
  const runs = details.some(({ running }) => running.length > 0);
  const scope: StockScope = {
    ...{ configs, named: [], storages, online },
    ...{ rights: reading.rights, moving: true },
    ...(areKnown ? { machines: 'known' } : runs ? { machines: 'wanted' } : {}),
    signal,
  };
  const stock = await readStock(pve, scope);
  return {
    ...reading,
    inventory: {
      ...inventory,
      gaps: [...inventory.gaps, ...gaps],
      guests: inventory.guests.map((guest) => loaded.get(guest.vmid) ?? guest),
      configs: [...inventory.configs, ...configs],
      stock: joinStock(inventory.stock, stock),
      running: [...inventory.running, ...details.flatMap(({ running }) => running)],
      bridgeUse: [...inventory.bridgeUse, ...use],
      bridgeUseNodes: [...inventory.bridgeUseNodes, ...nodes],
    },
  };
}
