/** The inventory as maps, made once per plan: who is whose, what is where. Holds nothing that the plan changes. */
import { addTo } from '../../../group.ts';
import type { BalanceConfig } from '../../../config/balance/types.ts';
import type { BridgeInfo, BridgeUse, NodeNetwork, StorageInfo } from '../../../inventory/types.ts';
import { parseBridgeMark } from '../../../marks/bridge.ts';
import { parsePoolComment } from '../../../marks/pool.ts';
import { claimedIds, isWritable, verdictOn } from '../../stands/ownership.ts';
import { compareNatural } from '../../../order.ts';
import { indexBridgeGuests, type BridgeGuests } from '../../cluster/bridge-guests.ts';
import { readFacts, type GuestFacts } from './facts.ts';
import { indexHistory, type History } from '../core/history.ts';
import { indexRules, type RuleIndex } from '../core/selectors.ts';
import { closedAt, type Closed } from '../core/times.ts';
import type {
  BalanceGuest,
  BalanceInventory,
  BalanceNode,
  HaRule,
  RunningMachine,
  Veto,
  VnetInfo,
} from '../../../inventory/balance-types.ts';

export interface StandRef {
  readonly lab: string;
  readonly user: string;
  readonly pool: string;
}

/** `lab user`. */
export function standKey({ lab, user }: { readonly lab: string; readonly user: string }): string {
  return `${lab} ${user}`;
}

export interface StandBridge {
  readonly node: string;
  readonly info: BridgeInfo;
  /** Network alias. */
  readonly net: string;
}

export interface World {
  readonly have: BalanceInventory;
  readonly config: BalanceConfig;
  /** In natural order of their names. */
  readonly nodes: ReadonlyMap<string, BalanceNode>;
  /** Without templates; ascending. */
  readonly guests: ReadonlyMap<number, BalanceGuest>;
  /** What is known of their configurations. */
  readonly facts: ReadonlyMap<number, GuestFacts>;
  readonly descriptions: ReadonlyMap<number, string>;
  readonly running: ReadonlyMap<number, RunningMachine>;
  /** Guests that are ours, with their stand. */
  readonly stands: ReadonlyMap<number, StandRef>;
  /** By `lab user`. */
  readonly standVmids: ReadonlyMap<string, readonly number[]>;
  /** By `lab user`, in natural order of node and name. */
  readonly standBridges: ReadonlyMap<string, readonly StandBridge[]>;
  /** By `node storage`. */
  readonly storages: ReadonlyMap<string, StorageInfo>;
  readonly networks: ReadonlyMap<string, NodeNetwork>;
  readonly bridges: ReadonlyMap<string, ReadonlyMap<string, BridgeInfo>>;
  readonly localBridges: ReadonlySet<string>;
  readonly vnets: ReadonlyMap<string, VnetInfo>;
  readonly bridgeUse: ReadonlyMap<number, BridgeUse>;
  /** Nodes on which the NICs of every guest are known. */
  readonly bridgeUseNodes: ReadonlySet<string>;
  readonly bridgeGuests: BridgeGuests;
  readonly rules: RuleIndex;
  readonly history: History;
  readonly closed: Closed;
  readonly vetoes: ReadonlyMap<number, readonly Veto[]>;
  readonly haRules: ReadonlyMap<number, readonly HaRule[]>;
  readonly evacuated: ReadonlySet<string>;
}

function group<K, V>(entries: Iterable<readonly [K, V]>): Map<K, V[]> {
  const map = new Map<K, V[]>();
  for (const [key, value] of entries) addTo(map, key, value);
  return map;
}

/** The guests of stands, by the one verdict: those that are ours, wherever they are. */
function standsOf(
  have: BalanceInventory,
  guests: ReadonlyMap<number, BalanceGuest>,
  descriptions: ReadonlyMap<number, string>,
): Map<number, StandRef> {
  const stands = new Map<number, StandRef>();
  for (const { pool, comment } of have.pools) {
    const { user, claims } = parsePoolComment(comment);
    if (user === undefined) continue;
    for (const claim of claims) {
      for (const id of claimedIds(claim)) {
        const guest = guests.get(id.vmid);
        const description = descriptions.get(id.vmid);
        const verdict = verdictOn({
          ...{ id, pool, guest },
          // Claim and membership are the cluster's: a stand whose other half is on a node that is off must not look whole.
          isAway: false,
          values: description === undefined ? undefined : { description },
          // A member at an id that 0.1.0 claimed moves with its stand, whatever its notes say.
          isHandedOut: true,
        });
        if (isWritable(verdict)) stands.set(id.vmid, { lab: claim.lab, user, pool });
      }
    }
  }
  return stands;
}

function standBridgesOf(networks: readonly NodeNetwork[]): Map<string, StandBridge[]> {
  const rows = networks.flatMap(({ node, bridges }) =>
    bridges.flatMap((info) => {
      const mark = parseBridgeMark(info.iface, info.comments);
      return mark?.kind === 'stand' ? [[standKey(mark), { node, info, net: mark.net }] as const] : [];
    }),
  );
  const map = group(rows);
  for (const list of map.values()) {
    list.sort((a, b) => compareNatural(a.node, b.node) || compareNatural(a.info.iface, b.info.iface));
  }
  return map;
}

export interface WorldInput {
  readonly have: BalanceInventory;
  readonly config: BalanceConfig;
  readonly evacuate: readonly string[];
  readonly vetoes: readonly Veto[];
}

export function createWorld({ have, config, evacuate, vetoes }: WorldInput): World {
  const sorted = have.guests.filter(({ template }) => !template).sort((a, b) => a.vmid - b.vmid);
  const guests = new Map(sorted.map((guest) => [guest.vmid, guest]));
  const configs = have.configs.filter(({ vmid, node }) => guests.get(vmid)?.node === node);
  const descriptions = new Map(have.bridgeUse.map(({ vmid, description }) => [vmid, description]));
  for (const { vmid, values } of configs) descriptions.set(vmid, values['description'] ?? '');
  const stands = standsOf(have, guests, descriptions);
  return {
    have,
    config,
    nodes: new Map(
      [...have.nodes].sort((a, b) => compareNatural(a.name, b.name)).map((node) => [node.name, node]),
    ),
    guests,
    facts: new Map(configs.map((vm) => [vm.vmid, readFacts(vm)])),
    descriptions,
    running: new Map(have.running.map((row) => [row.vmid, row])),
    stands,
    standVmids: group([...stands].map(([vmid, stand]) => [standKey(stand), vmid] as const)),
    standBridges: standBridgesOf(have.networks),
    storages: new Map(have.storages.map((row) => [`${row.node} ${row.storage}`, row])),
    networks: new Map(have.networks.map((network) => [network.node, network])),
    bridges: new Map(
      have.networks.map(({ node, bridges }) => [node, new Map(bridges.map((info) => [info.iface, info]))]),
    ),
    localBridges: localBridges(have.networks),
    vnets: new Map(have.vnets.map((vnet) => [vnet.vnet, vnet])),
    bridgeUse: new Map(have.bridgeUse.map((use) => [use.vmid, use])),
    bridgeUseNodes: new Set(have.bridgeUseNodes),
    bridgeGuests: indexBridgeGuests(have),
    rules: indexRules(config, sorted),
    history: indexHistory(have, config),
    closed: closedAt(have.now, config),
    vetoes: group(vetoes.map((veto) => [veto.vmid, veto] as const)),
    haRules: group(have.haRules.flatMap((rule) => rule.vmids.map((vmid) => [vmid, rule] as const))),
    evacuated: new Set(evacuate),
  };
}

/** The bridges that a guest names; undefined: not known. */
export function bridgesOf({ vmid, node }: BalanceGuest, world: World): readonly string[] | undefined {
  const facts = world.facts.get(vmid);
  if (facts) return facts.bridges;
  return world.bridgeUseNodes.has(node) ? (world.bridgeUse.get(vmid)?.bridges ?? []) : undefined;
}

/** Bridges that end at their node, as `node bridge`. */
function localBridges(networks: readonly NodeNetwork[]): Set<string> {
  return new Set(
    networks.flatMap(({ node, bridges }) =>
      bridges
        .filter(
          ({ iface, ports, addresses, comments }) =>
            ports.length === 0 &&
            addresses.length === 0 &&
            parseBridgeMark(iface, comments)?.kind !== 'reserved',
        )
        .map(({ iface }) => `${node} ${iface}`),
    ),
  );
}

/**
 * Does this network end at the node, so that those on it have to stay together? Bridges without a port and without an
 * address of the host do (behind one with an address the host routes), and vnets of simple zones. Reserved bridges
 * are by their nature the same on every node.
 */
export function isLocalNetwork(node: string, iface: string, world: World): boolean {
  const vnet = world.vnets.get(iface);
  return vnet ? vnet.zoneType === 'simple' : world.localBridges.has(`${node} ${iface}`);
}
