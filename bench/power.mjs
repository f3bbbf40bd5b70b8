// `power start` of a whole class on the simulator's own time, against what its latencies and the nodes' CPUs allow.
// Run: npm run build && node bench/power.mjs [users machines nodes cpus]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '../dist/cli.js';
import { inProcess } from '../dist/lib/proxmox/transports/in-process.js';
import { defaultLatency } from '../dist/lib/simulator/latency.js';
import { createSimulator } from '../dist/lib/simulator/simulator.js';
import { VirtualTime } from '../dist/lib/simulator/virtual-time.js';
import { benchScenario, writeClass } from './cluster.mjs';

const [users = 100, machines = 5, nodes = 8, cpus = 64] = process.argv.slice(2).map(Number);
/** A guest that boots takes all of its own CPUs. */
const BOOT_LOAD = 1;

class Text extends Writable {
  text = '';
  _write(chunk, _, done) {
    this.text += chunk;
    done();
  }
}

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

const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-bench-'));
const files = writeClass(folder, { users, machines });
const { simulator, time } = createSimulator({ scenario: scenario() }, (start) => new VirtualTime(start));
const { tokenId, secret } = simulator.credentials;
const run = async (argv) => {
  const stdout = new Text();
  const stderr = new Text();
  const code = await main(argv, {
    ...{ stdout, stderr, clock: time.clock },
    signature: { name: () => 'bench', isGone: () => false },
    env: { PVE_HOST: '127.0.0.1:1', PVE_TOKEN_ID: tokenId, PVE_TOKEN_SECRET: secret },
    connect: inProcess(simulator.serve, time),
    onSignal: () => () => undefined,
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
};

const made = await run(['deploy', ...files, '--progress', 'none', '--no-preflight']);
if (made.code !== 0) throw new Error(made.stdout + made.stderr);
await time.clock.sleep(60_000);

const requests = simulator.requests.length;
const began = time.clock.now();
const wall = performance.now();
const started = await run(['power', 'start', ...files.slice(0, 4), '--progress', 'none', '--output', 'json']);
if (started.code !== 0) throw new Error(started.stdout + started.stderr);
const seconds = (time.clock.now() - began) / 1000;
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
    `  requests ${simulator.requests.length - requests}; wall time ${((performance.now() - wall) / 1000).toFixed(1)} s`,
  ].join('\n'),
);
time.stop();
rmSync(folder, { recursive: true });
