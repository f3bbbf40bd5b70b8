/** The inventory as maps, made once per plan, so that no planner scans guests per user. */
import type {
  AclEntry,
  BridgeInfo,
  GuestInfo,
  Inventory,
  PoolInfo,
  UserInfo,
  VmConfig,
} from '../inventory/types.ts';
import { compareNatural } from './order.ts';
import { parseBridgeMark, parsePoolComment, type PoolMark } from './marks.ts';
import { indexStorages, type StorageIndex } from './templates.ts';

interface MarkedBridge {
  readonly node: string;
  readonly info: BridgeInfo;
}

export interface HaveIndex {
  /** Nodes that are. */
  readonly online: ReadonlySet<string>;
  readonly guests: ReadonlyMap<number, GuestInfo>;
  readonly configs: ReadonlyMap<number, VmConfig>;
  readonly pools: ReadonlyMap<string, PoolInfo>;
  readonly marks: ReadonlyMap<string, PoolMark>;
  readonly users: ReadonlyMap<string, UserInfo>;
  /** User entries by `path subject`. */
  readonly acls: ReadonlyMap<string, readonly AclEntry[]>;
  readonly storages: StorageIndex;
  /** Stand bridges by `lab user net`, in natural order of node and name. */
  readonly standBridges: ReadonlyMap<string, readonly MarkedBridge[]>;
  /** Node → bridge name → row. */
  readonly bridges: ReadonlyMap<string, ReadonlyMap<string, BridgeInfo>>;
}

export function bridgeKey(lab: string, user: string, net: string): string {
  return `${lab} ${user} ${net}`;
}

function groupPush<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

export function indexHave(have: Inventory): HaveIndex {
  const acls = new Map<string, AclEntry[]>();
  for (const entry of have.acls) {
    if (entry.type === 'user') groupPush(acls, `${entry.path} ${entry.subject}`, entry);
  }
  const standBridges = new Map<string, MarkedBridge[]>();
  for (const { node, bridges } of have.networks) {
    for (const info of bridges) {
      const mark = parseBridgeMark(info.comments);
      if (mark?.kind === 'stand')
        groupPush(standBridges, bridgeKey(mark.lab, mark.user, mark.net), { node, info });
    }
  }
  for (const list of standBridges.values()) {
    list.sort((a, b) => compareNatural(a.node, b.node) || compareNatural(a.info.iface, b.info.iface));
  }
  return {
    online: new Set(have.nodes.filter((node) => node.online).map((node) => node.name)),
    guests: new Map(have.guests.map((guest) => [guest.vmid, guest])),
    configs: new Map(have.vms.map((config) => [config.vmid, config])),
    pools: new Map(have.pools.map((pool) => [pool.pool, pool])),
    marks: new Map(have.pools.map((pool) => [pool.pool, parsePoolComment(pool.comment)])),
    users: new Map(have.users.map((user) => [user.userid, user])),
    acls,
    storages: indexStorages(have),
    standBridges,
    bridges: new Map(
      have.networks.map(({ node, bridges }) => [node, new Map(bridges.map((info) => [info.iface, info]))]),
    ),
  };
}
