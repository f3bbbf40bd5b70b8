// Makespan of a deploy on the simulator's clock against the lower bound that its locks and latencies imply.
// Run: npm run build && node bench/apply.mjs [users machines nodes speed]
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClock } from '../dist/lib/clock.js';
import { loadClass } from '../dist/lib/config/load.js';
import { CredentialsFile } from '../dist/lib/credentials/credentials-file.js';
import { createPveClient } from '../dist/lib/proxmox/client.js';
import { createTaskWaiter } from '../dist/lib/proxmox/tasks.js';
import { defaultLatency } from '../dist/lib/simulator/time/latency.js';
import { startSimulator } from '../dist/lib/simulator/simulator.js';
import { deploy } from '../dist/lib/workflow/deploy.js';
import { benchScenario, writeClass } from './cluster.mjs';

const [users, machines, nodes, speed] = process.argv.slice(2).map(Number);

/**
 * Nothing can be faster than each exclusive resource alone: the user.cfg lane (all user, pool and ACL writes), the
 * shared storage's lock (one hold per disk), the interfaces file and reload of the busiest node; and no stand is
 * faster than its own chain: claim, clone, configure, access.
 */
function lowerBound(plan) {
  const count = (...kinds) => plan.steps.filter((step) => kinds.includes(step.kind)).length;
  const lane =
    (count('user.create', 'pool.create', 'pool.update', 'acl.grant') * defaultLatency.user_cfg_write_ms) /
    1000;
  const storage = count('vm.clone') * defaultLatency.storage_lock_s;
  const perNode = new Map();
  for (const step of plan.steps) {
    if (step.kind === 'bridge.create')
      perNode.set(step.node, (perNode.get(step.node) ?? 0) + defaultLatency.network_write_ms / 1000);
  }
  const network = Math.max(0, ...perNode.values()) + defaultLatency.network_reload_s;
  const chain =
    (4 * defaultLatency.user_cfg_write_ms + defaultLatency.config_write_ms) / 1000 +
    defaultLatency.linked_clone_s;
  return { lane, storage, network, bound: Math.max(lane, storage, network) + chain };
}

async function measure({ users, machines, nodes, speed }) {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-bench-'));
  const files = writeClass(folder, { users, machines });
  const simulator = await startSimulator({ scenario: benchScenario({ nodes, foreignGuests: 0, speed }) });
  const { tokenId, secret } = simulator.credentials;
  const clock = createClock(speed);
  const pve = createPveClient({
    connection: {
      hosts: [simulator.url],
      auth: { kind: 'token', tokenId, secret },
      tls: { verify: true },
      timeout: 120_000,
    },
    clock,
  });
  const want = { ...loadClass(files[1], files[3]), options: { adopt: false, updateRunning: false } };
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  let retries = 0;
  const started = simulator.now();
  const wall = performance.now();
  const { plan, summary } = await deploy(want, {
    pve,
    tasks: createTaskWaiter(pve, clock),
    clock,
    credentials: await CredentialsFile.open(files[5], { url: 'bench' }),
    owner: 'bench',
    soft: signal,
    hard: signal,
    onPhase: () => undefined,
    onPlan: () => undefined,
    onEvent: (event) => {
      if (event.type === 'step.retrying') retries += 1;
    },
  });
  const makespan = (simulator.now() - started) / 1000;
  const { lane, storage, network, bound } = lowerBound(plan);
  const vms = users * machines;
  const polls = simulator.requests.filter((request) => request.path === '/nodes/{node}/tasks').length;
  console.log(
    [
      `${users} × ${machines} on ${nodes} nodes: ${summary.status}, ${vms} VMs`,
      `  makespan ${makespan.toFixed(0)} s (simulated), lower bound ${bound.toFixed(0)} s → ${((100 * bound) / makespan).toFixed(0)} %`,
      `  of which at least: user.cfg ${lane.toFixed(0)} s, storage lock ${storage.toFixed(0)} s, network ${network.toFixed(0)} s`,
      `  requests ${simulator.requests.length}, of them polls ${polls}; without polls ${((simulator.requests.length - polls) / vms).toFixed(1)} per VM`,
      `  retries ${retries}; wall time ${((performance.now() - wall) / 1000).toFixed(1)} s at speed ${speed}`,
    ].join('\n'),
  );
  pve.close();
  await simulator.close();
  rmSync(folder, { recursive: true });
}

if (users) await measure({ users, machines, nodes: nodes || 4, speed: speed || 20 });
else {
  await measure({ users: 30, machines: 4, nodes: 4, speed: 10 });
  await measure({ users: 500, machines: 5, nodes: 20, speed: 40 });
}
