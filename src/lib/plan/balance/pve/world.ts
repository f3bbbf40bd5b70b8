/** PVE's inventory as core's world, and the maps of what only PVE has: whose a guest is, which bridge is where. */
import { MIB } from '../../../bytes.ts';
import { addTo } from '../../../group.ts';
import type { BalanceConfig } from '../../../config/balance/types.ts';
import type { BridgeUse, StorageInfo } from '../../../inventory/types.ts';
import { parseBridgeMark } from '../../../marks/bridge.ts';
import { parsePoolComment } from '../../../marks/pool.ts';
import { guestTasks, kindWord } from '../../../pve-values/guest-kinds.ts';
import { judgeClaimed, notesAsConfigs, type Seen } from '../../stands/judge.ts';
import { claimedIds, isWritable } from '../../stands/ownership.ts';
import { indexBridgeGuests, type BridgeGuests } from '../../cluster/bridge-guests.ts';
import { indexHosts, type Hosts } from '../../cluster/hosts.ts';
import { standNetworksBy, type MarkedNetwork } from '../../cluster/stand-networks.ts';
import { readFacts, type GuestFacts } from './facts.ts';
import { ledByHa, withoutVainTries, type LedGuests } from './ha-led.ts';
import { landings, type Landings } from './landing.ts';
import { standKey, type LocalVolume, type Stand } from '../core/types.ts';
import { isRunning } from '../core/load.ts';
import { withLessons } from '../core/lessons.ts';
import type { Unit as AnyUnit } from '../core/units.ts';
import { indexSeen, type World as CoreWorld } from '../core/world.ts';
import type {
  BalanceGuest,
  BalanceInventory,
  BalanceNode,
  HaRule,
  RunningMachine,
  Veto,
} from '../../../inventory/balance-types.ts';

export interface StandRef extends Stand {
  readonly pool: string;
}

export type Unit = AnyUnit<BalanceGuest>;

export interface World extends CoreWorld {
  readonly have: BalanceInventory;
  readonly config: BalanceConfig;
  /** What machines find on the nodes. */
  readonly hosts: Hosts;
  readonly nodes: ReadonlyMap<string, BalanceNode>;
  /** Without templates. */
  readonly guests: ReadonlyMap<number, BalanceGuest>;
  /** What is known of their configurations. */
  readonly facts: ReadonlyMap<number, GuestFacts>;
  readonly descriptions: ReadonlyMap<number, string>;
  readonly running: ReadonlyMap<number, RunningMachine>;
  readonly stands: ReadonlyMap<number, StandRef>;
  /** By `lab user`. */
  readonly standVmids: ReadonlyMap<string, readonly number[]>;
  /** By `lab user`: a machine that was made a template, and would be left behind. */
  readonly standTemplates: ReadonlyMap<string, number>;
  /** By `lab user`, in natural order of node and name. */
  readonly standBridges: ReadonlyMap<string, readonly MarkedNetwork[]>;
  /** By `node storage`. */
  readonly storages: ReadonlyMap<string, StorageInfo>;
  readonly landings: Landings;
  readonly bridgeUse: ReadonlyMap<number, BridgeUse>;
  /** Nodes on which the NICs of every guest are known. */
  readonly bridgeUseNodes: ReadonlySet<string>;
  readonly bridgeGuests: BridgeGuests;
  readonly haRules: ReadonlyMap<number, readonly HaRule[]>;
  /** Whom HA wants to take off nodes that are to be emptied. */
  readonly led: LedGuests;
}

function group<K, V>(entries: Iterable<readonly [K, V]>): Map<K, V[]> {
  const map = new Map<K, V[]>();
  for (const [key, value] of entries) addTo(map, key, value);
  return map;
}

/** The guests of stands, templates among them, by the one verdict: those that are ours, wherever they are. */
function standsOf(have: BalanceInventory, descriptions: ReadonlyMap<number, string>): Map<number, StandRef> {
  const stands = new Map<number, StandRef>();
  const granted = have.acls.filter(({ type }) => type === 'user');
  const marks = new Map(have.pools.map(({ pool, comment }) => [pool, parsePoolComment(comment)]));
  const seen: Seen = {
    guests: new Map(have.guests.map((guest) => [guest.vmid, guest])),
    configs: notesAsConfigs(descriptions),
    // Claim and membership are the cluster's: a stand whose other half is on a node that is off must not look whole.
    online: { has: () => true },
    marks,
    acls: new Set(granted.map(({ path, subject }) => `${path} ${subject}`)),
  };
  for (const [pool, { user, claims }] of marks) {
    if (user === undefined) continue;
    for (const claim of claims) {
      for (const id of claimedIds(claim)) {
        const verdict = judgeClaimed(id, { pool, user }, seen);
        if (isWritable(verdict)) stands.set(id.vmid, { lab: claim.lab, user, pool });
      }
    }
  }
  return stands;
}

export interface WorldInput {
  readonly have: BalanceInventory;
  readonly config: BalanceConfig;
  readonly evacuate: readonly string[];
  readonly vetoes: readonly Veto[];
}

/** What runs on a guest now. Tasks on nodes, storages and the like have other ids. */
function tasksOn({ tasks }: BalanceInventory, led: LedGuests): Map<number, string> {
  return new Map(
    tasks.flatMap(({ id, type }) =>
      /^\d+$/.test(id) && !(guestTasks('migrate').includes(type) && led.has(Number(id)))
        ? [[Number(id), type] as const]
        : [],
    ),
  );
}

function localVolumesOf(
  { node }: BalanceGuest,
  { volumes }: GuestFacts,
  storages: World['storages'],
): LocalVolume[] {
  return volumes
    .filter(({ storage }) => storages.get(`${node} ${storage}`)?.shared === false)
    .map(({ storage, bytes, kind }) => ({ storage, bytes, isDisk: kind === 'disk' }));
}

/** Where PVE does not tell how much of the used memory is ZFS's cache, the configuration may. Guests never are. */
function withoutArc(node: BalanceNode, { guests }: BalanceInventory, { zfsArc }: BalanceConfig): BalanceNode {
  const written = Object.hasOwn(zfsArc, node.name) ? zfsArc[node.name] : undefined;
  if (written === undefined || node.arcKnown === true) return node;
  const arc = written.kind === 'percent' ? (node.memoryTotal * written.value) / 100 : written.value * MIB;
  const taken = guests.reduce((sum, guest) => sum + (guest.node === node.name ? guest.memoryUsed : 0), 0);
  return { ...node, memoryUsed: Math.min(node.memoryUsed, Math.max(node.memoryUsed - arc, taken)) };
}

/** Containers have no live migration. */
function withRestart(guest: BalanceGuest): BalanceGuest {
  return guest.type === 'lxc' && isRunning(guest) ? { ...guest, restarts: true } : guest;
}

type Maps = Omit<
  World,
  'bound' | 'wired' | 'ties' | 'localVolumes' | 'landing' | 'landings' | 'labels' | 'queued'
>;

function mapsOf({ have, config, evacuate, vetoes }: WorldInput): Maps {
  const nodes = have.nodes.map((node) => withoutArc(node, have, config));
  const movable = have.guests.flatMap((guest) => (guest.template ? [] : [withRestart(guest)]));
  const led = ledByHa(have, evacuate);
  const migrations = withoutVainTries(have.migrations, led);
  const seen = { ...have, nodes, guests: movable, migrations, evacuate, vetoes };
  const indexed = indexSeen({ ...seen, tasks: tasksOn(have, led) }, config);
  const { guests } = indexed;
  const configs = have.configs.filter(({ vmid, node }) => guests.get(vmid)?.node === node);
  const descriptions = new Map(
    have.bridgeUse.flatMap(({ vmid, description }) =>
      description === undefined ? [] : [[vmid, description] as const],
    ),
  );
  for (const { vmid, values } of configs) descriptions.set(vmid, values['description'] ?? '');
  const made = [...standsOf(have, descriptions)];
  const stands = new Map(made.filter(([vmid]) => guests.has(vmid)));
  return {
    ...indexed,
    guests: withLessons(guests, stands, indexed),
    have,
    config,
    hosts: indexHosts({ ...have, zones: have.vnets }),
    facts: new Map(configs.map((guest) => [guest.vmid, readFacts(guest)])),
    descriptions,
    running: new Map(have.running.map((row) => [row.vmid, row])),
    stands,
    standVmids: group([...stands].map(([vmid, stand]) => [standKey(stand), vmid] as const)),
    standTemplates: new Map(
      made.flatMap(([vmid, stand]) => (guests.has(vmid) ? [] : [[standKey(stand), vmid] as const])),
    ),
    standBridges: standNetworksBy(have.networks, standKey),
    storages: new Map(have.storages.map((row) => [`${row.node} ${row.storage}`, row])),
    bridgeUse: new Map(have.bridgeUse.map((use) => [use.vmid, use])),
    bridgeUseNodes: new Set(have.bridgeUseNodes),
    bridgeGuests: indexBridgeGuests(have),
    haRules: group(have.haRules.flatMap((rule) => rule.vmids.map((vmid) => [vmid, rule] as const))),
    led,
  };
}

/** Whose stand has bridges of its own anywhere, who may be on one of them, and what ties guests to others on their node. */
function tiesOf(maps: Maps): Pick<World, 'bound' | 'wired' | 'ties'> {
  const bound = new Set<number>();
  const wired = new Set<number>();
  const ties = new Map<number, string[]>();
  for (const guest of maps.guests.values()) {
    const { vmid, node } = guest;
    const named = bridgesOfGuest(guest, maps);
    for (const iface of named ?? []) if (isLocalNetwork(node, iface, maps)) addTo(ties, vmid, `net ${iface}`);
    const stand = maps.stands.get(vmid);
    const bridges = stand && maps.standBridges.get(standKey(stand));
    if (!bridges) continue;
    bound.add(vmid);
    if (!named || named.some((iface) => bridges.some(({ info }) => info.iface === iface))) wired.add(vmid);
    if (bridges.some((bridge) => bridge.node === node)) addTo(ties, vmid, `stand ${standKey(stand)}`);
  }
  return { bound, wired, ties };
}

export function createWorld(input: WorldInput): World {
  const maps = mapsOf(input);
  const { guests, facts, storages } = maps;
  const localVolumes = new Map(
    [...facts].flatMap(([vmid, known]) => {
      const guest = guests.get(vmid);
      return guest ? [[vmid, localVolumesOf(guest, known, storages)] as const] : [];
    }),
  );
  const find = landings({ ...maps, localVolumes, rights: input.have.rights });
  return {
    ...maps,
    ...tiesOf(maps),
    localVolumes,
    landings: find,
    landing: (vmid, storage, node) => find(vmid, storage, node).storage,
    labels: new Map([...guests].map(([vmid, guest]) => [vmid, sayGuest(guest)])),
    queued: new Set([...guests.values()].flatMap(({ vmid, ha }) => (ha ? [vmid] : []))),
  };
}

export function sayGuest({ vmid, name, type }: BalanceGuest): string {
  const what = `${kindWord(type)} ${vmid}`;
  return name === undefined ? what : `${what} (${name})`;
}

/** The bridges that a guest names; undefined: not known. */
export function bridgesOfGuest(
  { vmid, node }: Pick<BalanceGuest, 'vmid' | 'node'>,
  world: Pick<World, 'facts' | 'bridgeUse' | 'bridgeUseNodes'>,
): readonly string[] | undefined {
  const facts = world.facts.get(vmid);
  if (facts) return facts.bridges;
  return world.bridgeUseNodes.has(node) ? (world.bridgeUse.get(vmid)?.bridges ?? []) : undefined;
}

/**
 * Does this network end at the node, so that those on it have to stay together? Bridges without a port and without an
 * address of the host do (behind one with an address the host routes), and vnets of simple zones. Reserved bridges
 * are by their nature the same on every node.
 */
export function isLocalNetwork(node: string, iface: string, { hosts }: Pick<World, 'hosts'>): boolean {
  const vnet = hosts.vnets.get(iface);
  if (vnet) return vnet.zoneType === 'simple';
  const info = hosts.bridges.get(node)?.get(iface);
  if (!info || info.ports.length > 0 || info.addresses.length > 0) return false;
  return parseBridgeMark(iface, info.comments)?.kind !== 'reserved';
}
