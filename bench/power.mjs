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

const { folder, time, run, stop } = startCluster(scenario());
const files = writeClass(folder, { users, machines });
await run(['deploy', ...files, '--no-preflight']);
await time.clock.sleep(60_000);

const started = await run(['power', 'start', ...files.slice(0, 4), '--output', 'json']);
const { seconds } = started;
const { plan } = JSON.parse(started.stdout);
const counts = new Map();
for (const { node } of plan.steps) counts.set(node, (counts.get(node) ?? 0) + 1);
const most = Math.max(...counts.values());
const threads = cpus * 0.8;
const byCpu = (most * 1 * BOOT_LOAD * defaultLatency.guest_boot_s) / threads;
const byTasks = (most / 16) * defaultLatency.start_s;
const bound = Math.max(byCpu, byTasks, defaultLatency.start_s);
console.log(
  [
    `power start of ${users} × ${machines} on ${nodes} nodes of ${cpus} threads: ${plan.steps.length} starts, ${most} on the fullest node`,
    `  ${seconds.toFixed(0)} s (simulated), bound ${bound.toFixed(0)} s → ${((100 * bound) / seconds).toFixed(0)} %; of which CPU while booting ${byCpu.toFixed(0)} s, 16 start tasks at once ${byTasks.toFixed(0)} s`,
    `  requests ${started.requests}; wall time ${started.wall.toFixed(1)} s`,
  ].join('\n'),
);
stop();
