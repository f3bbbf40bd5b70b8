/** The inventory as maps, made once per plan, so that no planner scans guests per user. */
import { addTo } from '../../group.ts';
import type {
  AclEntry,
  BridgeInfo,
  GuestInfo,
  Inventory,
  PoolInfo,
  RunningTask,
  UserInfo,
  VmConfig,
} from '../../inventory/types.ts';
import { delegatedBy, type DelegatedBy } from '../../inventory/delegated.ts';
import { compareNatural } from '../../order.ts';
import { indexBridgeGuests, type BridgeGuests } from './bridge-guests.ts';
import { parsePoolComment, type PoolMark } from '../../marks/pool.ts';
import { parseReplicaPool, REPLICA_POOL, type ReplicaPool } from '../../marks/replica.ts';
import { standNetworksBy, type StandName, type MarkedNetwork } from './stand-networks.ts';
import { readReplicas, type Replica } from './replicas.ts';
import { parentPool } from '../../pve-values/pool-name.ts';
import { remakeRiskOf, sealRiskOf, type SealRisk } from './seal-risk.ts';
import { indexHosts, type Hosts } from './hosts.ts';
import type { StorageIndex } from './templates.ts';

export interface ClusterView {
  /** What machines find on the nodes. */
  readonly hosts: Hosts;
  /** Nodes that are. */
  readonly online: ReadonlySet<string>;
  readonly guests: ReadonlyMap<number, GuestInfo>;
  readonly configs: ReadonlyMap<number, VmConfig>;
  readonly pools: ReadonlyMap<string, PoolInfo>;
  readonly marks: ReadonlyMap<string, PoolMark>;
  /** Who else may write a pool of this name, be there one or not. */
  readonly delegated: DelegatedBy;
  /** Why the seal of a clone in no pool proves nothing; undefined: it does. */
  readonly sealRisk: SealRisk | undefined;
  /** The same of a machine that is cloned anew. */
  readonly remakeRisk: SealRisk | undefined;
  /** Pool → the guests that are members, by VMID. */
  readonly members: ReadonlyMap<string, readonly GuestInfo[]>;
  /** Pool → the pools right below it (PVE 8.1 and later). */
  readonly subpools: ReadonlyMap<string, readonly string[]>;
  /** VMID → the marked pools that claim it. */
  readonly claimants: ReadonlyMap<number, readonly string[]>;
  readonly users: ReadonlyMap<string, UserInfo>;
  /** User entries by `path subject`. */
  readonly acls: ReadonlyMap<string, readonly AclEntry[]>;
  /** `/pool/NAME` → who has which right on exactly that pool. */
  readonly poolRights: ReadonlyMap<string, readonly AclEntry[]>;
  /** `/vms/N` → who has which right on that VM alone. */
  readonly vmRights: ReadonlyMap<string, readonly AclEntry[]>;
  /** Under way; absent: not known. */
  readonly tasks?: readonly RunningTask[];
  readonly storages: StorageIndex;
  readonly replicaPool: ReplicaPool;
  readonly replicas: readonly Replica[];
  /** Stand bridges by `lab user net`, in natural order of node and name. */
  readonly standBridges: ReadonlyMap<string, readonly MarkedNetwork[]>;
  /** Who names which bridge, as far as it was read. */
  readonly bridgeGuests: BridgeGuests;
  /** Node → bridge name → row. */
  readonly bridges: ReadonlyMap<string, ReadonlyMap<string, BridgeInfo>>;
}

function networkKey({ lab, user, net }: StandName & { readonly net: string }): string {
  return `${lab} ${user} ${net}`;
}

/** The bridges that are a network of a stand by their marks; where it was torn or moved by hand, on several nodes. */
export function bridgesOf(
  { lab, user }: StandName,
  net: string,
  { standBridges }: Pick<ClusterView, 'standBridges'>,
): readonly MarkedNetwork[] {
  return standBridges.get(networkKey({ lab, user, net })) ?? [];
}

/** What a network of a stand is on a node. */
export function bridgeOn(
  stand: StandName,
  net: string,
  { node, index }: { readonly node: string | undefined; readonly index: Pick<ClusterView, 'standBridges'> },
): BridgeInfo | undefined {
  return bridgesOf(stand, net, index).find((one) => one.node === node)?.info;
}

function indexMembers(guests: readonly GuestInfo[]): Map<string, GuestInfo[]> {
  const members = new Map<string, GuestInfo[]>();
  for (const guest of guests) if (guest.pool !== undefined) addTo(members, guest.pool, guest);
  for (const list of members.values()) list.sort((a, b) => a.vmid - b.vmid);
  return members;
}

function indexSubpools(pools: Iterable<string>): Map<string, string[]> {
  const below = new Map<string, string[]>();
  for (const pool of pools) {
    const parent = parentPool(pool);
    if (parent !== undefined) addTo(below, parent, pool);
  }
  for (const list of below.values()) list.sort(compareNatural);
  return below;
}

function indexClaimants(marks: ReadonlyMap<string, PoolMark>): Map<number, string[]> {
  const claimants = new Map<number, string[]>();
  for (const [pool, mark] of marks) {
    for (const { vmids } of mark.claims) for (const vmid of vmids) addTo(claimants, vmid, pool);
  }
  return claimants;
}

export function viewOf(have: Inventory): ClusterView {
  const acls = new Map<string, AclEntry[]>();
  const poolRights = new Map<string, AclEntry[]>();
  const vmRights = new Map<string, AclEntry[]>();
  for (const entry of have.acls) {
    if (entry.path.startsWith('/pool/')) addTo(poolRights, entry.path, entry);
    if (entry.path.startsWith('/vms/')) addTo(vmRights, entry.path, entry);
    if (entry.type === 'user') addTo(acls, `${entry.path} ${entry.subject}`, entry);
  }
  const guests = new Map(have.guests.map((guest) => [guest.vmid, guest]));
  const configs = new Map(have.vms.map((config) => [config.vmid, config]));
  const pools = new Map(have.pools.map((pool) => [pool.pool, pool]));
  const marks = new Map(
    have.pools.map(({ pool, comment }): [string, PoolMark] => [pool, parsePoolComment(comment)]),
  );
  const replicaPool = parseReplicaPool(pools.get(REPLICA_POOL)?.comment);
  const hosts = indexHosts(have);
  const online = new Set(have.nodes.filter((node) => node.online).map((node) => node.name));
  return {
    hosts,
    online,
    guests,
    configs,
    pools,
    delegated: delegatedBy(have.poolWriters),
    sealRisk: sealRiskOf(have),
    remakeRisk: remakeRiskOf(have),
    replicaPool,
    replicas: readReplicas(replicaPool, { guests, configs, online }),
    marks,
    members: indexMembers(have.guests),
    subpools: indexSubpools(pools.keys()),
    claimants: indexClaimants(marks),
    users: new Map(have.users.map((user) => [user.userid, user])),
    acls,
    poolRights,
    vmRights,
    ...(have.tasksKnown === true ? { tasks: have.tasks } : {}),
    storages: hosts.storages,
    standBridges: standNetworksBy(have.networks, networkKey),
    bridgeGuests: indexBridgeGuests(have),
    bridges: hosts.bridges,
  };
}
