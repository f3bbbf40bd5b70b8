// Wall time, memory and requests of `deploy --dry-run`: 500 users × 5 machines, 20 nodes, 5,000 foreign guests.
// Also the planner alone. Run: npm run build && node bench/plan.mjs
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClock } from '../dist/lib/clock.js';
import { loadClass } from '../dist/lib/config/load.js';
import { readInventory } from '../dist/lib/inventory/read.js';
import { planDeploy } from '../dist/lib/plan/deploy/deploy.js';
import { createPveClient } from '../dist/lib/proxmox/client.js';
import { startSimulator } from '../dist/lib/simulator/simulator.js';
import { benchScenario, writeClass } from './cluster.mjs';

const SPEED = 1000;
const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-bench-'));
const files = writeClass(folder, { users: 500, machines: 5 });
const simulator = await startSimulator({
  scenario: benchScenario({ nodes: 20, foreignGuests: 5000, speed: SPEED }),
});
const { tokenId, secret } = simulator.credentials;

// 1. The command in a process of its own (plain HTTP is allowed to the loopback simulator by the library only).
const child = spawn(process.execPath, [fileURLToPath(new URL('dry-run.mjs', import.meta.url)), ...files], {
  env: {
    ...process.env,
    BENCH_URL: simulator.url,
    BENCH_TOKEN: `${tokenId}=${secret}`,
    BENCH_SPEED: String(SPEED),
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let text = '';
child.stdout.on('data', (chunk) => (text += chunk));
await once(child, 'exit');
console.log(text.trim());
console.log(`requests of the dry run: ${simulator.requests.length}`);

// 2. The planner alone, on the same inventory.
const pve = createPveClient({
  connection: {
    hosts: [simulator.url],
    auth: { kind: 'token', tokenId, secret },
    tls: { verify: true },
    timeout: 30_000,
  },
  clock: createClock(SPEED),
});
const { lab, users } = loadClass(files[1], files[3]);
const { signal } = new AbortController();
const have = await readInventory(
  { pve, hard: signal },
  { templates: lab.machines.map((machine) => machine.template), claimed: () => [] },
);
const times = [];
for (let i = 0; i < 5; i += 1) {
  const start = performance.now();
  planDeploy({ lab, users, have, options: { adopt: false, updateRunning: false } });
  times.push(performance.now() - start);
}
console.log(`planDeploy alone, five runs: ${times.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`);
pve.close();
await simulator.close();
rmSync(folder, { recursive: true });
