// Time and quality of placing 50, 500 and 2,000 stands on 20 unequal nodes, strategies smart and balanced.
// Quality: load of the fullest node beside a lower bound that no placement can beat. Run: npm run build && node bench/placement.mjs
import { NO_PINS } from '../dist/lib/plan/cluster/pins.js';
import { viewOf } from '../dist/lib/plan/cluster/view.js';
import { planDeploy } from '../dist/lib/plan/deploy/deploy.js';
import { assignSeats } from '../dist/lib/plan/placement/assignments.js';
import { createLedger } from '../dist/lib/plan/placement/capacity.js';
import { createDemands, labSizes } from '../dist/lib/plan/placement/demand.js';
import { chooseNodes } from '../dist/lib/plan/placement/nodes.js';
import { readStandState } from '../dist/lib/plan/stands/state.js';
import { resolveMachines } from '../dist/lib/plan/templates/find.js';

const GIB = 2 ** 30;
const NODES = 20;
const RESERVE = 0.1;
const CPU_OVERCOMMIT = 4;

/** Three generations of hardware; a third of the memory of every node but the first is taken, unevenly. */
function cluster(stands, gibPerStand) {
  const scale = Math.max(1, Math.ceil((stands * gibPerStand) / 2500));
  return Array.from({ length: NODES }, (_, i) => {
    const memory = [512, 256, 128][i % 3] * scale;
    const cpus = [64, 48, 32][i % 3] * scale;
    const guests = i % 5; // of 16 GiB × scale, 4 vCPUs × scale
    return { name: `pve${i + 1}`, memory, cpus, guests, scale, busy: 0.05 * (i % 4) };
  });
}

function inventory(nodes) {
  const template = (vmid) => ({
    vmid,
    node: 'pve1',
    digest: `digest-${vmid}`,
    values: {
      name: `tpl-${vmid}`,
      template: '1',
      cores: '2',
      memory: '2048',
      scsi0: `ceph:base-${vmid}-disk-0,size=8G`,
    },
  });
  const guests = nodes.flatMap(({ name, guests: count, scale }, i) =>
    Array.from({ length: count }, (_, j) => ({
      vmid: 1000 + i * 10 + j,
      node: name,
      type: 'qemu',
      name: `other-${i}-${j}`,
      status: 'running',
      template: false,
      ha: false,
      memory: 16 * scale * GIB,
      cpus: 4 * scale,
    })),
  );
  const templates = [100, 101].map(template);
  return {
    now: '2026-11-21T08:00:00.000Z',
    version: '8.4',
    nodes: nodes.map(({ name, memory, cpus, busy }) => ({
      name,
      online: true,
      maintenance: false,
      cpus,
      memoryTotal: memory * GIB,
      memoryUsed: 4 * GIB,
      cpu: busy,
      cpuHour: busy,
    })),
    storages: nodes.map(({ name }) => ({
      node: name,
      storage: 'ceph',
      type: 'rbd',
      shared: true,
      active: true,
      content: ['images'],
      total: 500_000 * GIB,
      used: 0,
    })),
    guests: [
      ...guests,
      ...templates.map(({ vmid, node, values }) => ({
        vmid,
        node,
        type: 'qemu',
        name: values.name,
        status: 'stopped',
        template: true,
        ha: false,
        memory: 2 * GIB,
        cpus: 2,
      })),
    ],
    templates,
    vms: [],
    networks: nodes.map(({ name }) => ({
      node: name,
      readable: true,
      bridges: [
        {
          ...{ iface: 'vmbr0', active: true, autostart: true, vlanAware: false, ports: ['eno1'] },
          ...{ addresses: [], gateways: [], above: [], comments: '' },
        },
      ],
      pending: [],
    })),
    vnets: [],
    pools: [],
    poolWriters: [],
    memberWriters: [],
    sealReaders: [],
    users: [],
    acls: [],
    roles: ['PVEVMAdmin'],
    groups: [],
    realms: { pve: 'pve' },
    bridgeUse: [],
    bridgeUseNodes: [],
    tasks: [],
    gaps: [],
  };
}

const machine = (name, networks) => ({
  name,
  deviceType: 'linux',
  template: { by: 'vmid', vmid: 101 },
  fullClone: false,
  networks,
  start: false,
  tags: [],
  line: 3,
});

const lab = (strategy, together) => ({
  name: 'bench',
  machines: ['a', 'b', 'c'].map((name) => machine(name, [{ target: { kind: 'alias', alias: 'lan' } }])),
  placement: { strategy, exclude: [], together },
  access: { role: 'PVEVMAdmin' },
  vmidRange: { first: 10_000, last: 99_999 },
  bridgeRange: { first: 1000, last: 4094 },
  passwords: { length: 12, alphabet: 'unambiguous' },
  file: 'lab.yml',
});

/** What a stand of three machines takes: GiB and virtual CPUs. */
const STAND = { memory: 6, cpus: 6 };

function loadsOf(nodes, counts) {
  return nodes.map((node) => {
    const n = counts.get(node.name) ?? 0;
    const memory =
      (Math.max(4, node.guests * 16 * node.scale) + n * STAND.memory) / (node.memory * (1 - RESERVE));
    const busy = Math.max(node.guests * 4 * node.scale, node.busy * node.cpus * CPU_OVERCOMMIT);
    return Math.max(memory, (busy + n * STAND.cpus) / (node.cpus * CPU_OVERCOMMIT));
  });
}

/** The least L at which stands, cut as fine as you like, fit under load L on all nodes; no less than the load before. */
function lowerBound(nodes, stands, largest) {
  const roomAt = (limit) =>
    nodes.reduce((sum, node) => {
      const memory = limit * node.memory * (1 - RESERVE) - Math.max(4, node.guests * 16 * node.scale);
      const busy = Math.max(node.guests * 4 * node.scale, node.busy * node.cpus * CPU_OVERCOMMIT);
      const cpus = limit * node.cpus * CPU_OVERCOMMIT - busy;
      return sum + Math.max(0, Math.min(memory / STAND.memory, cpus / STAND.cpus));
    }, 0);
  let [low, high] = [0, 10];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (roomAt(middle) < stands) low = middle;
    else high = middle;
  }
  const before = Math.max(...loadsOf(nodes, new Map()));
  const alone = Math.min(
    ...nodes.map((node) => Math.max(...loadsOf([node], new Map([[node.name, largest]])))),
  );
  return Math.max(high, before, alone);
}

/** Milliseconds for giving every stand its node, the rest of the plan left out. */
function placingTime(want, users, have) {
  const index = viewOf(have);
  const machines = resolveMachines(want, have, index);
  const states = users.map((user) => readStandState(user, want, index, { adopt: false }));
  const choice = chooseNodes(want, machines, have, index);
  const start = performance.now();
  const sizes = labSizes(states, { lab: want, machines, updateRunning: false });
  const ledger = createLedger({
    lab: want,
    have,
    index,
    pools: new Set(users.map(({ pool }) => pool)),
    counts: new Map(),
    sizes,
    freeVmids: 90_000,
    freeBridges: () => 3000,
  });
  const demandOf = createDemands({ lab: want, have, index, machines, ledger, sizes });
  assignSeats({ lab: want, have, index, machines, choice, states, ledger, demandOf, pins: NO_PINS });
  return performance.now() - start;
}

for (const stands of [50, 500, 2000]) {
  const nodes = cluster(stands, STAND.memory);
  const have = inventory(nodes);
  const users = Array.from({ length: stands }, (_, i) => ({
    userid: `student${i + 1}@pve`,
    realm: 'pve',
    pool: `student${i + 1}`,
    groups: [],
  }));
  // Every tenth stand begins a team of up to five that stays together: blocks of unequal size.
  const together = Array.from({ length: Math.floor(stands / 10) }, (_, i) =>
    users.slice(i * 10, i * 10 + 2 + (i % 4)).map(({ userid }) => userid),
  );
  for (const [label, groups] of [
    ['single stands', []],
    ['a third in teams', together],
  ]) {
    const bound = lowerBound(nodes, stands, groups.length === 0 ? 1 : 5);
    for (const strategy of ['smart', 'balanced']) {
      const times = [];
      const placing = [];
      const want = lab(strategy, groups);
      let plan;
      for (let i = 0; i < 3; i += 1) {
        placing.push(placingTime(want, users, have));
        const start = performance.now();
        plan = planDeploy({
          lab: want,
          users,
          have,
          options: { adopt: false, updateRunning: false },
        });
        times.push(performance.now() - start);
      }
      const counts = new Map();
      for (const { node } of plan.stands) counts.set(node, (counts.get(node) ?? 0) + 1);
      const worst = Math.max(...loadsOf(nodes, counts));
      console.log(
        `${String(stands).padStart(4)} stands, ${label.padEnd(16)} ${strategy.padEnd(8)} ` +
          `placing ${Math.min(...placing).toFixed(0)} ms, whole plan ${Math.min(...times).toFixed(0)} ms; ` +
          `fullest node ${(100 * worst).toFixed(1)} %, bound ${(100 * bound).toFixed(1)} % (${(worst / bound).toFixed(3)})`,
      );
    }
  }
}
