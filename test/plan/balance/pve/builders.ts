import { parseBalance } from '../../../../src/lib/config/balance/balance.ts';
import type { BalanceConfig } from '../../../../src/lib/config/balance/types.ts';
import type { BridgeInfo, StorageInfo } from '../../../../src/lib/inventory/types.ts';
import type {
  BalanceGuest,
  BalanceInventory,
  BalanceNode,
  GuestConfig,
} from '../../../../src/lib/inventory/balance-types.ts';
import { formatBridgeMark } from '../../../../src/lib/marks/bridge.ts';
import { formatVmMark } from '../../../../src/lib/marks/vm.ts';

export const GIB = 2 ** 30;
const NOW = '2026-03-02T12:00:00Z';

/** Minutes before `NOW`. */
export function ago(minutes: number): string {
  return new Date(Date.parse(NOW) - minutes * 60_000).toISOString();
}

export function config(yaml: string): BalanceConfig {
  return parseBalance(yaml, 'balance.yml').config;
}

/** A guest of a test: what is left out is harmless. */
export interface GuestSpec extends Partial<BalanceGuest> {
  readonly vmid: number;
  readonly node: string;
  /** GiB, in use and configured; 4 by default. */
  readonly gib?: number;
  /** Busy threads. */
  readonly threads?: number;
  /** Configuration; `null`: not read. */
  readonly values?: Readonly<Record<string, string>> | null;
  /** Bridges that its snapshots name. */
  readonly snapshotBridges?: readonly string[];
}

export interface NodeSpec extends Partial<BalanceNode> {
  readonly name: string;
  /** 64 by default. */
  readonly gib?: number;
  /** Used by the host itself, in GiB. */
  readonly own?: number;
  /** 9.2.0 by default. */
  readonly qemuVersion?: string;
}

/** Carries the fields of the spec along, which no planner looks at. */
function guestOf(spec: GuestSpec): BalanceGuest {
  const { gib = 4, threads = 0.2, ...rest } = spec;
  const running = (rest.status ?? 'running') === 'running';
  const cpus = rest.cpus ?? 4;
  return {
    type: 'qemu',
    name: `vm${rest.vmid}`,
    status: 'running',
    template: false,
    ha: false,
    memory: gib * GIB,
    cpus,
    cpu: running ? threads / cpus : 0,
    memoryUsed: running ? gib * GIB : 0,
    tags: [],
    ...rest,
  };
}

const REAL: BridgeInfo = {
  iface: 'vmbr0',
  active: true,
  autostart: true,
  vlanAware: true,
  ports: ['eno1'],
  addresses: [],
  gateways: [],
  above: [],
  comments: '',
};

export function localBridge(iface: string, comments = ''): BridgeInfo {
  return { ...REAL, iface, vlanAware: false, ports: [], comments };
}

function sharedStorage(node: string, storage = 'ceph'): StorageInfo {
  return {
    node,
    storage,
    type: 'rbd',
    shared: true,
    active: true,
    content: ['images', 'rootdir'],
    total: 10_000 * GIB,
    used: 0,
  };
}

export function localStorage(node: string, storage: string, type: string, free = 500): StorageInfo {
  return { ...sharedStorage(node, storage), type, shared: false, total: free * GIB };
}

const CONFIG: Readonly<Record<string, string>> = {
  scsi0: 'ceph:vm-1-disk-0,size=32G',
  net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0',
};

export interface Scene {
  readonly nodes: readonly NodeSpec[];
  readonly guests: readonly GuestSpec[];
  /** Extra bridges by node. */
  readonly bridges?: Readonly<Record<string, readonly BridgeInfo[]>>;
  readonly storages?: readonly StorageInfo[];
  readonly over?: Partial<BalanceInventory>;
}

const QEMU = ['8.1', '9.0', '9.2', '10.0', '10.1'];

/** What a QEMU of that version knows. */
function machineTypes(version = '9.2.0'): string[] {
  return QEMU.filter((one) => parseFloat(one) <= parseFloat(version)).flatMap((one) =>
    ['i440fx', 'q35'].map((kind) => `pc-${kind}-${one}`),
  );
}

/** The newest that a node knows, as a number. */
export function qemuOf(have: BalanceInventory, node: string): number {
  return Math.max(...(have.stock?.machines[node] ?? []).map((type) => parseFloat(type.replace(/.*-/, ''))));
}

/** It says what machine types the node knows, and is no field of it. */
function withoutQemu(spec: NodeSpec): Omit<NodeSpec, 'qemuVersion'> {
  const { qemuVersion, ...rest } = spec;
  return qemuVersion === undefined ? spec : rest;
}

/** Carries the fields of the spec along, too. The measured load of a node is that of its guests and of the host's own. */
function nodeOf(spec: NodeSpec, guests: readonly BalanceGuest[]): BalanceNode {
  const { gib = 64, own = 1, ...rest } = withoutQemu(spec);
  const here = guests.filter(({ node }) => node === rest.name);
  const cpus = rest.cpus ?? 16;
  return {
    online: true,
    maintenance: false,
    cpus,
    memoryTotal: gib * GIB,
    memoryUsed: own * GIB + here.reduce((total, guest) => total + guest.memoryUsed, 0),
    cpu: here.reduce((total, guest) => total + guest.cpu * guest.cpus, 0) / cpus,
    cpuModel: 'Intel(R) Xeon(R) Gold 6226R',
    pveVersion: '8.4.5',
    ...rest,
  };
}

export function inventory(scene: Scene): BalanceInventory {
  const guests = scene.guests.map(guestOf);
  const configs = scene.guests.flatMap(({ vmid, node, values, snapshotBridges = [] }): GuestConfig[] =>
    values === null ? [] : [{ vmid, node, digest: '', values: { ...CONFIG, ...values }, snapshotBridges }],
  );
  return {
    now: NOW,
    version: '8.4',
    nodes: scene.nodes.map((spec) => nodeOf(spec, guests)),
    stock: {
      ...{ files: {}, mappings: {} },
      machines: Object.fromEntries(
        scene.nodes.map(({ name, qemuVersion }) => [name, machineTypes(qemuVersion)]),
      ),
    },
    guests,
    storages: [...scene.nodes.map(({ name }) => sharedStorage(name)), ...(scene.storages ?? [])],
    networks: scene.nodes.map(({ name }) => ({
      node: name,
      readable: true,
      bridges: [REAL, ...(scene.bridges?.[name] ?? [])],
      pending: [],
    })),
    vnets: [],
    pools: [],
    acls: [],
    configs,
    running: [],
    bridgeUse: configs.map(({ vmid, node, values, snapshotBridges }) => ({
      vmid,
      node,
      bridges: Object.values(values).flatMap((value) => /bridge=([^,]+)/.exec(value)?.[1] ?? []),
      snapshotBridges,
      description: values['description'] ?? '',
    })),
    bridgeUseNodes: scene.nodes.map(({ name }) => name),
    haRules: [],
    haAutoRebalance: false,
    migrations: [],
    historyFrom: {},
    tasks: [],
    gaps: [],
    ...scene.over,
  };
}

/** One stand: machines `vmids` of `user` on `nodes`, all on its bridge. */
export interface StandSpec {
  readonly user: string;
  readonly vmids: readonly number[];
  /** Where each machine is; one name: all of them. */
  readonly node: string | readonly string[];
  readonly bridge: string;
  /** Where the bridge exists; default: where the machines are. */
  readonly bridgesOn?: readonly string[];
  readonly guest?: Partial<GuestSpec>;
}

export function standBridge(iface: string, user: string, since = '2026-03-01T08:00:00Z'): BridgeInfo {
  return localBridge(
    iface,
    formatBridgeMark(iface, { kind: 'stand', lab: 'net-lab', user: `${user}@pve`, net: 'hq' }, since),
  );
}

/** A scene with stands of lab `net-lab`. */
export function standScene(stands: readonly StandSpec[], scene: Scene): Scene {
  const bridges: Record<string, BridgeInfo[]> = {};
  for (const [node, list] of Object.entries(scene.bridges ?? {})) bridges[node] = [...list];
  const guests: GuestSpec[] = [...scene.guests];
  for (const { user, vmids, node, bridge, bridgesOn, guest } of stands) {
    const nodes = vmids.map((_, index) => (typeof node === 'string' ? node : node[index]!));
    for (const name of new Set(bridgesOn ?? nodes)) (bridges[name] ??= []).push(standBridge(bridge, user));
    for (const [index, vmid] of vmids.entries()) {
      const mark = { lab: 'net-lab', user: `${user}@pve`, machine: `pc${index + 1}`, vmid, spec: 'x' };
      guests.push({
        name: `pc${index + 1}`,
        pool: user,
        ...guest,
        vmid,
        node: nodes[index]!,
        values: {
          net1: `virtio=BC:24:11:00:00:02,bridge=${bridge}`,
          description: formatVmMark(mark),
          ...guest?.values,
        },
      });
    }
  }
  const pools = stands.map(({ user, vmids }) => ({
    pool: user,
    comment: `deploy-stand user=${user}@pve\nlab=net-lab vmids=${vmids.join(',')} since=2026-03-01T08:00:00Z`,
  }));
  // They were handed out, which is what tells of claims that 0.1.0 wrote.
  const acls = stands.map(({ user }) => ({
    ...{ path: `/pool/${user}`, role: 'PVEVMAdmin', subject: `${user}@pve` },
    ...{ type: 'user', propagate: true },
  })) satisfies BalanceInventory['acls'];
  return { ...scene, guests, bridges, over: { pools, acls, ...scene.over } };
}
