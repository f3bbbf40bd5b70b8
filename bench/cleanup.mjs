// Makespan and requests of a cleanup of 100 stands × 5 machines on the simulator's clock; counts lock timeouts and
// VMs left behind half-removed. Run: npm run build && node bench/cleanup.mjs [users machines nodes speed]
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClock } from '../dist/lib/clock.js';
import { loadClass } from '../dist/lib/config/load.js';
import { CredentialsFile } from '../dist/lib/credentials/credentials-file.js';
import { createPveClient } from '../dist/lib/proxmox/client.js';
import { createTaskWaiter } from '../dist/lib/proxmox/tasks.js';
import { startSimulator } from '../dist/lib/simulator/simulator.js';
import { cleanup } from '../dist/lib/workflow/cleanup.js';
import { deploy } from '../dist/lib/workflow/deploy.js';
import { benchScenario, writeClass } from './cluster.mjs';

const [users = 100, machines = 5, nodes = 8, speed = 40] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-bench-'));
const files = writeClass(folder, { users, machines });
const simulator = await startSimulator({ scenario: benchScenario({ nodes, foreignGuests: 200, speed }) });
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
const { signal } = new AbortController();
setMaxListeners(0, signal);
let retries = 0;
const context = {
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
};
const { lab, users: roster } = loadClass(files[1], files[3]);
await deploy({ lab, users: roster, options: { adopt: false, updateRunning: false } }, context);
const before = simulator.requests.length;
retries = 0;
const started = simulator.now();
const { summary } = await cleanup(
  {
    selection: { by: 'stands', lab: 'bench' },
    options: {
      keepUsers: false,
      adopt: false,
      forceProtected: false,
      lockWaitSeconds: 600,
      minAgeSeconds: 0,
    },
  },
  context,
);
const state = simulator.snapshot();
const timeouts = state.tasks.filter((task) => /user_cfg.*timeout/.test(task.exitstatus ?? '')).length;
const zombies = state.guests.filter((guest) => guest.config.lock === 'destroyed').length;
const left = state.guests.filter((guest) => guest.vmid >= 10000).length;
const requests = simulator.requests.length - before;
const polls = simulator.requests
  .slice(before)
  .filter((request) => request.path === '/nodes/{node}/tasks').length;
console.log(
  [
    `cleanup of ${users} × ${machines} on ${nodes} nodes: ${summary.status}`,
    `  makespan ${((simulator.now() - started) / 1000).toFixed(0)} s (simulated)`,
    `  requests ${requests}, of them polls ${polls}; without polls ${((requests - polls) / (users * machines)).toFixed(1)} per VM`,
    `  user.cfg lock timeouts in tasks ${timeouts}, retries ${retries}, zombies ${zombies}, VMs left ${left}`,
  ].join('\n'),
);
pve.close();
await simulator.close();
rmSync(folder, { recursive: true });
