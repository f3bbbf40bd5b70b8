// Balance at scale: planning time and memory for 100 nodes × 10,000 guests, and how good the plans are: what stays
// overloaded and how many GiB move, against a lower bound and against a plain rule, the VM Balancer's (most loaded node,
// smallest VM, the least loaded of the targets that fit). Run: npm run build && node --expose-gc bench/balance.mjs
import { parseBalance } from '../dist/lib/config/balance/balance.js';
import { planBalance } from '../dist/lib/plan/balance/pve/balance.js';
import { applyPlan, makeCluster, measured } from './balance-world.mjs';

const GIB = 2 ** 30;
const WIDE = 'max_migrations: 10000\nmax_migrations_per_node: 10000\nmax_inflow_per_node: 10000\n';
const configOf = (yaml) => parseBalance(`guests: all\n${yaml}`, 'bench').config;
const config = configOf(WIDE);
const spread = configOf(`${WIDE}mode: spread\nspread_limit: 0.2`);
const { overload, target } = config;

const loads = (node) => [
  [node.cpu, overload.cpu, target.cpu],
  [node.memoryUsed / node.memoryTotal, overload.memory, target.memory],
];
const severity = (node) => Math.max(...loads(node).map(([load, limit]) => load / limit));
const overloaded = (have) => have.nodes.filter((node) => severity(node) > 1 + 1e-9).length;
const bytesOf = (vmids, have) => {
  const moved = new Set(vmids);
  return have.guests.reduce((sum, guest) => sum + (moved.has(guest.vmid) ? guest.memoryUsed : 0), 0);
};
const variation = (have) => {
  const values = have.nodes.map((node) => (node.cpu + node.memoryUsed / node.memoryTotal) / 2);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) / mean;
};

/** Fewest bytes that have to leave a node to bring one load under its limit, when guests could be cut in pieces. */
function leastBytes(excess, guests, part) {
  let left = excess;
  let bytes = 0;
  for (const guest of [...guests].sort((a, b) => part(b) / b.memoryUsed - part(a) / a.memoryUsed)) {
    if (left <= 0) break;
    const share = Math.min(left / part(guest), 1);
    bytes += share * guest.memoryUsed;
    left -= share * part(guest);
  }
  return bytes;
}

/** No plan that relieves all nodes moves less: each load of each node on its own, guests divisible, room everywhere. */
function lowerBound(have) {
  return have.nodes.reduce((sum, node) => {
    const guests = have.guests.filter((guest) => guest.node === node.name);
    const cpu = leastBytes(
      (node.cpu - overload.cpu) * node.cpus,
      guests,
      (guest) => guest.cpu * guest.cpus + 1e-12,
    );
    const memory = leastBytes(
      node.memoryUsed - overload.memory * node.memoryTotal,
      guests,
      (guest) => guest.memoryUsed,
    );
    return sum + Math.max(cpu, memory);
  }, 0);
}

/** One VM per round off the most loaded node: the smallest one first, to the least loaded node that fits. Knows no stands. */
function plainRule(start) {
  const guests = start.guests.map((guest) => ({ ...guest }));
  const moved = new Set();
  const hopeless = new Set();
  let nodes = measured(start.nodes, guests);
  for (;;) {
    const [source] = nodes
      .filter((node) => severity(node) > 1 + 1e-9 && !hopeless.has(node.name))
      .sort((a, b) => severity(b) - severity(a));
    if (!source) break;
    const own = guests
      .filter((guest) => guest.node === source.name && !moved.has(guest.vmid))
      .sort((a, b) => a.memory - b.memory || a.vmid - b.vmid);
    const fits = (node, guest) => {
      const after = {
        ...node,
        cpu: node.cpu + (guest.cpu * guest.cpus) / node.cpus,
        memoryUsed: node.memoryUsed + guest.memoryUsed,
      };
      return node !== source && loads(node).every(([load, , limit]) => load < limit) && severity(after) < 1;
    };
    let found;
    for (const guest of own) {
      const [to] = nodes.filter((node) => fits(node, guest)).sort((a, b) => severity(a) - severity(b));
      found = to && { guest, to };
      if (found) break;
    }
    if (!found) {
      hopeless.add(source.name);
      continue;
    }
    const { guest, to } = found;
    moved.add(guest.vmid);
    const shift = (node, sign) => ({
      ...node,
      cpu: node.cpu + (sign * guest.cpu * guest.cpus) / node.cpus,
      memoryUsed: node.memoryUsed + sign * guest.memoryUsed,
    });
    nodes = nodes.map((node) => (node === source ? shift(node, -1) : node === to ? shift(node, 1) : node));
    guest.node = to.name;
  }
  return { have: { ...start, guests, nodes }, vmids: [...moved] };
}

function tornStands(have) {
  const nodes = new Map();
  for (const { pool, node } of have.guests) {
    if (pool !== undefined) nodes.set(pool, (nodes.get(pool) ?? new Set()).add(node));
  }
  return [...nodes.values()].filter((set) => set.size > 1).length;
}

function row(name, have, vmids, before, bound) {
  const bytes = bytesOf(vmids, before) / GIB;
  return {
    plan: name,
    'overloaded after': overloaded(have),
    'variation after': variation(have).toFixed(3),
    migrations: vmids.length,
    'GiB moved': Math.round(bytes),
    'by lower bound': bound === 0 ? '-' : (bytes / bound).toFixed(2),
    'stands torn': tornStands(have),
  };
}

const migrated = (plan) => plan.steps.filter(({ kind }) => kind === 'vm.migrate').map(({ vmid }) => vmid);

for (const stands of [0, 1000]) {
  const have = makeCluster({ nodes: 100, guests: 10_000, stands, seed: 11 });
  const bound = lowerBound(have) / GIB;
  console.log(
    `\n100 nodes, 10,000 guests, ${stands} stands of four: ${overloaded(have)} nodes overloaded, variation ${variation(have).toFixed(3)}, lower bound ${Math.round(bound)} GiB`,
  );
  const { plan } = planBalance({ have, config });
  const plain = plainRule(have);
  console.table([
    row('balance', applyPlan(have, plan), migrated(plan), have, bound),
    row('plain rule', plain.have, plain.vmids, have, bound),
  ]);
}

console.log('\nQuality over 20 clusters of 12 nodes × 1,200 guests (means)');
const sums = { balance: [0, 0, 0, 0], 'balance, mode: spread': [0, 0, 0, 0], 'plain rule': [0, 0, 0, 0] };
let bounds = 0;
let sick = 0;
for (let seed = 1; seed <= 20; seed += 1) {
  const have = makeCluster({ nodes: 12, guests: 1200, stands: 0, seed });
  bounds += lowerBound(have) / GIB;
  sick += overloaded(have);
  const { plan } = planBalance({ have, config });
  const evened = planBalance({ have, config: spread }).plan;
  const plain = plainRule(have);
  for (const [name, after, vmids] of [
    ['balance', applyPlan(have, plan), migrated(plan)],
    ['balance, mode: spread', applyPlan(have, evened), migrated(evened)],
    ['plain rule', plain.have, plain.vmids],
  ]) {
    const values = [overloaded(after), vmids.length, bytesOf(vmids, have) / GIB, variation(after)];
    sums[name] = sums[name].map((sum, i) => sum + values[i]);
  }
}
console.log(`overloaded before: ${sick / 20}, lower bound: ${(bounds / 20).toFixed(1)} GiB`);
console.table(
  Object.entries(sums).map(([plan, [left, migrations, gib, cv]]) => ({
    plan,
    'overloaded after': left / 20,
    migrations: migrations / 20,
    'GiB moved': (gib / 20).toFixed(1),
    'by lower bound': (gib / bounds).toFixed(2),
    'variation after': (cv / 20).toFixed(3),
  })),
);

console.log('\nPlanning time and memory, 100 nodes × 10,000 guests, 1,000 stands');
const have = makeCluster({ nodes: 100, guests: 10_000, stands: 1000, seed: 11 });
const table = [];
for (const [name, input] of [
  ['threshold, default limits', { config: configOf('') }],
  ['threshold, no limits', { config }],
  ['spread 0.1, default limits', { config: configOf('mode: spread\nspread_limit: 0.1') }],
  [
    'nothing known of any configuration',
    { config: configOf(''), have: { ...have, configs: [], bridgeUse: [], bridgeUseNodes: [] } },
  ],
  ['evacuate pve1', { config: configOf(''), evacuate: ['pve1'] }],
]) {
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const times = [];
  let result;
  for (let i = 0; i < 5; i += 1) {
    const before = process.cpuUsage();
    result = planBalance({ have, ...input });
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  table.push({
    plan: name,
    'CPU ms (median of 5)': Math.round(times.sort((a, b) => a - b)[2]),
    migrations: migrated(result.plan).length,
    'put off': result.plan.balance.deferred,
    'configs to read': result.needs.configs.length,
    'heap, MiB more': Math.max(0, Math.round((process.memoryUsage().heapUsed - heap) / 2 ** 20)),
  });
}
console.table(table);
console.log(
  `largest resident set of the whole benchmark: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
);
