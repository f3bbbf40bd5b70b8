// Random clusters for the benchmarks of balance: whole inventories as the planner takes them. The same seed, the same cluster.
import { formatBridgeMark } from '../dist/lib/marks/bridge.js';
import { formatVmMark } from '../dist/lib/marks/vm.js';

const GIB = 2 ** 30;
export const START = '2026-03-02T00:00:00Z';

/** mulberry32: a small generator whose sequence is the same everywhere. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const SIZES = [
  { memory: 512 * GIB, cpus: 64 },
  { memory: 768 * GIB, cpus: 96 },
  { memory: 1024 * GIB, cpus: 128 },
];

function makeNode(index, draw) {
  const { memory, cpus } = SIZES[Math.floor(draw() * SIZES.length)];
  return {
    name: `pve${index + 1}`,
    online: true,
    maintenance: false,
    cpus,
    memoryTotal: memory,
    own: 8 * GIB,
    cpuModel: 'Intel(R) Xeon(R) Gold 6338',
    qemuVersion: '9.2.0',
    pveVersion: '9.0.3',
  };
}

const MEMORY = [1, 2, 2, 4, 4, 4, 8, 8, 8, 16];

/** Used memory is a part of the configured; a few guests are busy, most idle. */
function makeGuest(vmid, node, draw, gib = MEMORY[Math.floor(draw() * MEMORY.length)]) {
  const cpus = Math.max(1, Math.min(4, gib / 2));
  return {
    vmid,
    node,
    type: 'qemu',
    name: `vm${vmid}`,
    status: 'running',
    template: false,
    ha: false,
    tags: [],
    memory: gib * GIB,
    memoryUsed: gib * GIB * (0.5 + draw() * 0.5),
    cpus,
    cpu: draw() < 0.15 ? 0.4 + draw() * 0.5 : draw() * 0.1,
  };
}

function makeConfig({ vmid, node }, bridges, values = {}) {
  const nics = bridges.map((bridge, i) => [`net${i}`, `virtio=BC:24:11:00:00:0${i},bridge=${bridge}`]);
  return {
    vmid,
    node,
    digest: '',
    snapshotBridges: [],
    values: { scsi0: `ceph:vm-${vmid}-disk-0,size=32G`, ...Object.fromEntries(nics), ...values },
  };
}

/** A bridge as the inventory has it; `more` where it differs from one of a stand. */
const bridgeOf = (iface, more) => ({
  ...{ iface, active: true, autostart: true, vlanAware: false, ports: [] },
  ...{ addresses: [], gateways: [], above: [], comments: '' },
  ...more,
});

const REAL = bridgeOf('vmbr0', { vlanAware: true, ports: ['eno1'] });

/** Loads of the nodes from those of their guests. */
export function measured(nodes, guests) {
  const sums = new Map(nodes.map(({ name }) => [name, { threads: 0, memory: 0 }]));
  for (const { node, cpu, cpus, memoryUsed } of guests) {
    const sum = sums.get(node);
    sum.threads += cpu * cpus;
    sum.memory += memoryUsed;
  }
  return nodes.map(({ own, ...node }) => {
    const { threads, memory } = sums.get(node.name);
    return {
      ...node,
      own,
      cpu: threads / node.cpus,
      loadPerCore: threads / node.cpus,
      memoryUsed: own + memory,
    };
  });
}

/**
 * `stands`: four machines each, on a bridge of their own. Nodes are filled unevenly: a third of them draws twice as
 * many guests as the others, by size.
 */
export function makeCluster({ nodes: nodeCount, guests: guestCount, stands: standCount, seed }) {
  const draw = random(seed);
  const nodes = Array.from({ length: nodeCount }, (_, i) => makeNode(i, draw));
  const weights = nodes.map(
    ({ memoryTotal }) => (memoryTotal / GIB) * (draw() < 0.33 ? 2 : 1) * (0.7 + draw() * 0.6),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const pick = () => {
    let at = draw() * total;
    const index = weights.findIndex((weight) => (at -= weight) < 0);
    return nodes[Math.max(index, 0)].name;
  };
  const guests = [];
  const configs = [];
  const pools = [];
  const bridges = new Map(nodes.map(({ name }) => [name, [REAL]]));
  const add = (guest, names, values) => {
    guests.push(guest);
    configs.push(makeConfig(guest, names, values));
  };
  for (let i = 0; i < standCount; i += 1) {
    const node = pick();
    // Numbers repeat beyond 3,095 stands, never on one node here.
    const iface = `vmbr${1000 + i}`;
    const user = `student${i}`;
    const vmids = [0, 1, 2, 3].map((machine) => 20_000 + i * 4 + machine);
    for (const vmid of vmids) {
      const mark = { lab: 'net', user: `${user}@pve`, machine: `pc${vmid % 4}`, vmid, spec: 'x' };
      const guest = { ...makeGuest(vmid, node, draw, [2, 4, 4, 8][vmid % 4]), pool: user };
      add(guest, ['vmbr0', iface], { description: formatVmMark(mark) });
    }
    pools.push({
      pool: user,
      comment: `deploy-stand user=${user}@pve\nlab=net vmids=${vmids.join(',')} since=${START}`,
    });
    const mark = { kind: 'stand', lab: 'net', user: `${user}@pve`, net: 'lan' };
    bridges.get(node).push(bridgeOf(iface, { comments: formatBridgeMark(iface, mark, START) }));
  }
  for (let vmid = 100; guests.length < guestCount; vmid += 1) add(makeGuest(vmid, pick(), draw), ['vmbr0']);
  return inventoryOf({ nodes, guests, configs, pools, bridges });
}

/** A whole inventory of nodes and guests; all else is as harmless as it can be. `bridges`: by node. */
function inventoryOf({ nodes, guests, configs, pools, bridges }) {
  return {
    now: START,
    version: '9.0',
    nodes: measured(nodes, guests),
    guests,
    storages: nodes.map(({ name }) => ({
      node: name,
      storage: 'ceph',
      type: 'rbd',
      shared: true,
      active: true,
      content: ['images'],
      total: 1e15,
      used: 0,
    })),
    networks: nodes.map(({ name }) => ({
      node: name,
      readable: true,
      bridges: bridges.get(name),
      pending: [],
    })),
    vnets: [],
    pools,
    acls: [],
    configs,
    running: [],
    bridgeUse: configs.map(({ vmid, node, values }) => ({
      vmid,
      node,
      bridges: Object.values(values).flatMap((value) => /bridge=(.+)/.exec(value)?.[1] ?? []),
      snapshotBridges: [],
      description: '',
    })),
    bridgeUseNodes: nodes.map(({ name }) => name),
    haRules: [],
    haAutoRebalance: false,
    migrations: [],
    historyFrom: {},
    tasks: [],
    gaps: [],
  };
}

/** A cluster of the given machines; `over` is laid on each node and guest that is drawn by default. */
export function clusterOf(nodeRows, guestRows) {
  const draw = random(1);
  const nodes = nodeRows.map((row, i) => ({ ...makeNode(i, draw), ...row }));
  const guests = guestRows.map((row) => ({ ...makeGuest(row.vmid, row.node, draw), ...row }));
  return inventoryOf({
    nodes,
    guests,
    configs: guests.map((guest) => makeConfig(guest, ['vmbr0'])),
    pools: [],
    bridges: new Map(nodes.map(({ name }) => [name, [REAL]])),
  });
}

/** The cluster after the plan's migrations and bridge steps, as if they took no time. */
export function applyPlan(have, plan, now = have.now) {
  const to = new Map(
    plan.steps.filter(({ kind }) => kind === 'vm.migrate').map(({ vmid, target }) => [vmid, target]),
  );
  const move = (row) => (to.has(row.vmid) ? { ...row, node: to.get(row.vmid) } : row);
  const guests = have.guests.map(move);
  const records = plan.steps
    .filter(({ kind }) => kind === 'vm.migrate')
    .map(({ vmid, node, target }) => ({ vmid, from: node, to: target, start: now, end: now, status: 'ok' }));
  const edits = plan.steps.filter(({ kind }) => kind === 'bridge.create' || kind === 'bridge.delete');
  const networks = have.networks.map((network) => {
    const own = edits.filter(({ node }) => node === network.node);
    const gone = new Set(own.filter(({ kind }) => kind === 'bridge.delete').map(({ bridge }) => bridge));
    const made = own
      .filter(({ kind }) => kind === 'bridge.create')
      .map(({ bridge, comment }) => bridgeOf(bridge, { comments: comment }));
    return { ...network, bridges: [...network.bridges.filter(({ iface }) => !gone.has(iface)), ...made] };
  });
  return {
    ...have,
    now,
    guests,
    nodes: measured(have.nodes, guests),
    networks,
    configs: have.configs.map(move),
    bridgeUse: have.bridgeUse.map(move),
    migrations: [...have.migrations, ...records],
  };
}
