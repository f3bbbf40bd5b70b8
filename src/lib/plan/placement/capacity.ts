/** What can run out on the cluster, as named resources with a limit each, and a ledger of what is taken. Places nothing. */
import { MIB } from '../../bytes.ts';
import type { Amount, Lab, Placement } from '../../config/types.ts';
import type { Inventory, NodeInfo, StorageInfo } from '../../inventory/types.ts';
import { promisedPerNode, type LabSizes } from './committed.ts';
import type { ClusterView } from '../cluster/view.ts';
import { bridgesIn } from '../../pve-values/nics.ts';

type ResourceKind = 'memory' | 'cpu' | 'storage' | 'vmids' | 'bridges' | 'ports' | 'stands';

export interface Resource {
  readonly key: string;
  readonly kind: ResourceKind;
  /** Absent: of the whole cluster. */
  readonly node?: string;
  /** Of a storage or bridge. */
  readonly name?: string;
  /** Plugin type of a storage. */
  readonly type?: string;
  /** What there is: bytes, threads or a count. */
  readonly total: number;
  /** How much of it may be taken: less the reserve, times the overcommit. */
  readonly limit: number;
  /** Taken before the plan. */
  readonly before: number;
  /** Of bridge numbers: whose guests name some of them, in words. */
  readonly heldBy?: string;
}

/** Resource key → amount. A key that `Ledger.share` was told of stands for what several stands need once. */
export type Demand = ReadonlyMap<string, number>;

const DEFAULT_CPU_OVERCOMMIT = 4;
/** PVE, its daemons and QEMU's own overhead live on it; percent. */
const DEFAULT_MEMORY_RESERVE: Amount = { kind: 'percent', value: 10 };

/** A Linux bridge has port numbers 1 to 1023 (net/bridge/br_private.h, BR_PORT_BITS). */
const BRIDGE_PORTS = 1023;

/** CPU is promised several times over: too much of it is slow, not impossible. */
export function isHard(resource: Resource): boolean {
  return resource.kind !== 'cpu';
}

export const resourceKey = {
  vmids: 'vmids',
  memory: (node: string) => `memory ${node}`,
  cpu: (node: string) => `cpu ${node}`,
  bridges: (node: string) => `bridges ${node}`,
  stands: (node: string) => `stands ${node}`,
  ports: (node: string, bridge: string) => `ports ${node}/${bridge}`,
  replica: (source: number, home: string) => `replica ${source}@${home}`,
  transit: (source: number) => `transit ${source}`,
  storage: (row: Pick<StorageInfo, 'shared' | 'node' | 'storage'>) =>
    row.shared ? `storage ${row.storage}` : `storage ${row.node}/${row.storage}`,
};

/** Keeps account while stands are placed. Demands for what has no known limit are granted. */
export class Ledger {
  readonly resources: ReadonlyMap<string, Resource>;
  readonly #taken = new Map<string, number>();
  readonly #shared = new Map<string, Demand>();

  constructor(resources: readonly Resource[]) {
    this.resources = new Map(resources.map((resource) => [resource.key, resource]));
    for (const { key, before } of resources) this.#taken.set(key, before);
  }

  taken(key: string): number {
    return this.#taken.get(key) ?? 0;
  }

  /** What `key` in a demand takes: once, however many of the demands that were taken name it. */
  share(key: string, demand: Demand): void {
    this.#shared.set(key, demand);
  }

  /** The demand with what it would be the first to need. */
  inFull(demand: Demand): Demand {
    let full: Map<string, number> | undefined;
    for (const key of demand.keys()) {
      const once = this.#shared.get(key);
      if (!once || this.taken(key) > 0) continue;
      full ??= new Map(demand);
      for (const [part, amount] of once) full.set(part, (full.get(part) ?? 0) + amount);
    }
    return full ?? demand;
  }

  /** Hard limits that this demand would break; one that asks nothing of a full resource breaks none. */
  lacking(demand: Demand): Resource[] {
    const lacking: Resource[] = [];
    for (const [key, amount] of this.inFull(demand)) {
      const resource = this.resources.get(key);
      if (!resource || amount <= 0 || !isHard(resource)) continue;
      if (this.taken(key) + amount > resource.limit) lacking.push(resource);
    }
    return lacking;
  }

  fits(demand: Demand): boolean {
    for (const [key, amount] of this.inFull(demand)) {
      const resource = this.resources.get(key);
      if (!resource || amount <= 0 || !isHard(resource)) continue;
      if (this.taken(key) + amount > resource.limit) return false;
    }
    return true;
  }

  /** `times` -1 gives back. */
  take(demand: Demand, times: 1 | -1 = 1): void {
    for (const [key, amount] of demand) {
      const before = this.taken(key);
      const after = before + times * amount;
      this.#taken.set(key, after);
      const once = this.#shared.get(key);
      if (once && before > 0 !== after > 0) this.take(once, times);
    }
  }
}

function amountOf(amount: Amount | undefined, total: number, unit: number): number {
  if (!amount) return 0;
  return amount.kind === 'percent' ? Math.ceil((total * amount.value) / 100) : amount.value * unit;
}

interface Request {
  readonly lab: Lab;
  readonly have: Inventory;
  readonly index: ClusterView;
  /** Pools of the stands in the plan. */
  readonly pools: ReadonlySet<string>;
  /** Node → stands of ours that stay there. */
  readonly counts: ReadonlyMap<string, number>;
  readonly sizes: LabSizes;
  readonly freeVmids: number;
  readonly freeBridges: (node: string) => number;
  /** Whose guests name numbers that are not free therefore. */
  readonly bridgesHeldBy: (node: string) => string | undefined;
}

/** Bytes that guests of a node have been promised: those that are up, and those that others are about to make. */
interface PromisedMemory {
  readonly up: number;
  readonly toCome: number;
}

export function memoryOn(
  node: NodeInfo,
  { up, toCome }: PromisedMemory,
  { reserve, overcommit }: Pick<Placement, 'reserve' | 'overcommit'>,
): Resource[] {
  // Without Sys.Audit on the node its size is hidden.
  if (node.memoryTotal <= 0) return [];
  const promised = Math.floor(node.memoryTotal * (overcommit?.memory ?? 1));
  const kept = amountOf(reserve?.memory ?? DEFAULT_MEMORY_RESERVE, node.memoryTotal, MIB);
  return [
    {
      key: resourceKey.memory(node.name),
      kind: 'memory',
      node: node.name,
      total: node.memoryTotal,
      // A reserve may be larger than a small node.
      limit: Math.max(0, promised - kept),
      // Guests may use less than they were promised, and the node more than its guests: ZFS, Ceph.
      before: Math.max(up, node.memoryUsed) + toCome,
    },
  ];
}

/** In virtual CPUs. What the node was busy with counts as if as many machines shared a thread as the soft limit says. */
function cpuOn(node: NodeInfo, up: number, toCome: number, { lab }: Request): Resource[] {
  if (node.cpus <= 0) return [];
  const { reserve, overcommit } = lab.placement;
  const ratio = overcommit?.cpu ?? DEFAULT_CPU_OVERCOMMIT;
  const busy = (node.cpuHour ?? node.cpu) * node.cpus * ratio;
  const limit = (node.cpus - amountOf(reserve?.cores, node.cpus, 1)) * ratio;
  const key = resourceKey.cpu(node.name);
  return [
    { key, kind: 'cpu', node: node.name, total: node.cpus, limit, before: Math.max(up, busy) + toCome },
  ];
}

export function storagesOf(have: Pick<Inventory, 'storages'>): Resource[] {
  const found = new Map<string, Resource>();
  for (const row of have.storages) {
    const key = resourceKey.storage(row);
    if (!row.active || row.total <= 0) continue;
    const { storage: name, type, total } = row;
    // All nodes tell the same of a shared storage, a moment apart.
    const before = Math.max(row.used, found.get(key)?.before ?? 0);
    found.set(key, {
      key,
      kind: 'storage',
      ...(row.shared ? {} : { node: row.node }),
      name,
      type,
      total,
      limit: total,
      before,
    });
  }
  return [...found.values()];
}

/** Ports of the node's bridges, as far as they are known: those of the host and those of the lab's VMs. */
function portsOn(node: string, ours: ReadonlyMap<string, number>, { index }: Request): Resource[] {
  return [...(index.bridges.get(node)?.values() ?? [])].map(({ iface, ports }) => {
    const key = resourceKey.ports(node, iface);
    const before = ports.length + (ours.get(key) ?? 0);
    return { key, kind: 'ports', node, name: iface, total: BRIDGE_PORTS, limit: BRIDGE_PORTS, before };
  });
}

function portsOfVms({ have }: Request): Map<string, number> {
  const ports = new Map<string, number>();
  for (const { node, values } of have.vms) {
    for (const bridge of bridgesIn(values)) {
      const key = resourceKey.ports(node, bridge);
      ports.set(key, (ports.get(key) ?? 0) + 1);
    }
  }
  return ports;
}

/** Of which all may be used. */
function counted(resource: Omit<Resource, 'total'>): Resource {
  return { ...resource, total: resource.limit };
}

function bridgesOn(node: string, { freeBridges, bridgesHeldBy }: Request): Resource {
  const numbers = counted({
    key: resourceKey.bridges(node),
    kind: 'bridges',
    node,
    limit: freeBridges(node),
    before: 0,
  });
  const heldBy = bridgesHeldBy(node);
  return heldBy === undefined ? numbers : { ...numbers, heldBy };
}

export function createLedger(request: Request): Ledger {
  const { lab, have, index, pools, counts, sizes } = request;
  const { up, toCome } = promisedPerNode({ lab: lab.name, have, index, pools, sizes });
  const ours = portsOfVms(request);
  const most = lab.placement.maxStandsPerNode;
  return new Ledger([
    counted({ key: resourceKey.vmids, kind: 'vmids', limit: request.freeVmids, before: 0 }),
    ...storagesOf(have),
    ...have.nodes.flatMap((node) => {
      const { name } = node;
      const now = up.get(name) ?? { memory: 0, cpus: 0 };
      const later = toCome.get(name) ?? { memory: 0, cpus: 0 };
      const stands = counts.get(name) ?? 0;
      return [
        ...memoryOn(node, { up: now.memory, toCome: later.memory }, lab.placement),
        ...cpuOn(node, now.cpus, later.cpus, request),
        ...portsOn(name, ours, request),
        bridgesOn(name, request),
        counted({
          key: resourceKey.stands(name),
          kind: 'stands',
          node: name,
          limit: most ?? Infinity,
          before: stands,
        }),
      ];
    }),
  ]);
}
