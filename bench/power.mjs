// `power start` of a whole class on the simulator's own time, against what its latencies and the nodes' CPUs allow.
// Run: npm run build && node bench/power.mjs [users machines nodes cpus]
import { defaultLatency } from '../dist/lib/simulator/time/latency.js';
import { benchScenario, writeClass } from './cluster.mjs';
import { startCluster } from './in-process.mjs';

const [users = 100, machines = 5, nodes = 8, cpus = 64] = process.argv.slice(2).map(Number);
/** A guest that boots takes all of its own CPUs. */
const BOOT_LOAD = 1;

function scenario() {
  const base = benchScenario({ nodes, foreignGuests: 0 });
  return {
    ...base,
    nodes: { ...base.nodes, cpus },
    templates: base.templates.map((one) => ({ ...one, habits: { boot: BOOT_LOAD } })),
    // How the class is made is not what is measured.
    latency: { linked_clone_s: 0.05, storage_lock_s: 0.01, user_cfg_write_ms: 1, network_write_ms: 1 },
  };
}

const { folder, simulator, time, run, stop } = startCluster(scenario());
const files = writeClass(folder, { users, machines });
await run(['deploy', ...files, '--no-preflight']);
await time.clock.sleep(60_000);

const started = await run(['power', 'start', ...files.slice(0, 4), '--output', 'json']);
const { seconds } = started;
const { plan } = JSON.parse(started.stdout);
const guests = new Map(simulator.snapshot().guests.map((guest) => [guest.vmid, guest]));
/** How many machines a node starts, and how many of its threads they take while they boot. */
const nodesOf = new Map();
for (const { node, vmid } of plan.steps) {
  const load = nodesOf.get(node) ?? { starts: 0, threads: 0 };
  const { sockets = 1, cores = 1 } = guests.get(vmid).config;
  nodesOf.set(node, { starts: load.starts + 1, threads: load.threads + sockets * cores * BOOT_LOAD });
}
const most = Math.max(...[...nodesOf.values()].map(({ starts }) => starts));
const booting = Math.max(...[...nodesOf.values()].map(({ threads }) => threads));
const byCpu = (booting * defaultLatency.guest_boot_s) / (cpus * 0.8);
const byTasks = Math.ceil(most / 16) * defaultLatency.start_s;
// Those that have been started boot on when the command has ended.
const bound = Math.max(byCpu - defaultLatency.guest_boot_s, byTasks);
console.log(
  [
    `power start of ${users} × ${machines} on ${nodes} nodes of ${cpus} threads: ${plan.steps.length} starts, ${most} on the fullest node`,
    `  ${seconds.toFixed(0)} s (simulated), bound ${bound.toFixed(0)} s → ${((100 * bound) / seconds).toFixed(0)} %; until all have booted at 80 % of the threads ${byCpu.toFixed(0)} s, 16 start tasks at once ${byTasks.toFixed(0)} s`,
    `  requests ${started.requests}; wall time ${started.wall.toFixed(1)} s`,
  ].join('\n'),
);
stop();
