/** The nodes as what machines find there: one view of the inventory, whichever command read it. Judges nothing. */
import type {
  BridgeInfo,
  NodeInfo,
  NodeNetwork,
  NodeStock,
  PendingRow,
  StorageInfo,
  VnetInfo,
} from '../../inventory/types.ts';

export interface HostLists {
  readonly version: string;
  readonly nodes: readonly NodeInfo[];
  readonly storages: readonly StorageInfo[];
  readonly networks: readonly NodeNetwork[];
  readonly zones?: readonly VnetInfo[] | undefined;
  readonly stock?: NodeStock | undefined;
  readonly caller?: string | undefined;
}

export interface Hosts {
  readonly version: string;
  readonly caller: string | undefined;
  readonly nodes: ReadonlyMap<string, NodeInfo>;
  /** By `node/storage`. */
  readonly storages: ReadonlyMap<string, StorageInfo>;
  readonly networks: ReadonlyMap<string, NodeNetwork>;
  /** Node → bridge → row. */
  readonly bridges: ReadonlyMap<string, ReadonlyMap<string, BridgeInfo>>;
  /** `node bridge` of what is staged and not applied. */
  readonly staged: ReadonlyMap<string, PendingRow>;
  readonly vnets: ReadonlyMap<string, VnetInfo>;
  readonly stock: NodeStock;
}

const NOTHING: NodeStock = { files: {}, mappings: {}, machines: {} };

export function indexHosts(have: HostLists): Hosts {
  return {
    version: have.version,
    caller: have.caller,
    nodes: new Map(have.nodes.map((node) => [node.name, node])),
    storages: new Map(have.storages.map((row) => [`${row.node}/${row.storage}`, row])),
    networks: new Map(have.networks.map((network) => [network.node, network])),
    bridges: new Map(
      have.networks.map(({ node, bridges }) => [node, new Map(bridges.map((info) => [info.iface, info]))]),
    ),
    staged: new Map(
      have.networks.flatMap(({ node, pending }) =>
        pending.map((row) => [`${node} ${row.iface}`, row] as const),
      ),
    ),
    vnets: new Map((have.zones ?? []).map((vnet) => [vnet.vnet, vnet])),
    stock: have.stock ?? NOTHING,
  };
}
