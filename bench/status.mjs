// Requests and CPU time of `status`: 500 stands × 5 machines on 20 nodes, 1,000 foreign guests. The class is deployed on
// the simulator's own time; then every answer is kept, so that what is measured is the command and not the simulator.
// Run: npm run build && node bench/status.mjs [users machines nodes]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClass } from '../dist/lib/config/load.js';
import { CredentialsFile } from '../dist/lib/credentials/credentials-file.js';
import { createPveClient } from '../dist/lib/proxmox/client.js';
import { createTaskWaiter } from '../dist/lib/proxmox/tasks.js';
import { inProcess } from '../dist/lib/proxmox/transports/in-process.js';
import { renderStatus, toStatusDocument } from '../dist/lib/render/status-text.js';
import { createSimulator } from '../dist/lib/simulator/simulator.js';
import { VirtualTime } from '../dist/lib/simulator/time/virtual-time.js';
import { deploy } from '../dist/lib/workflow/deploy.js';
import { lookAtStands } from '../dist/lib/workflow/status.js';
import { benchScenario, writeClass } from './cluster.mjs';

const [users = 500, machines = 5, nodes = 20] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-bench-'));
const files = writeClass(folder, { users, machines });
const { simulator, time } = createSimulator(
  { scenario: benchScenario({ nodes, foreignGuests: 1000, speed: 1 }) },
  (start) => new VirtualTime(start),
);
const { tokenId, secret } = simulator.credentials;
const { signal } = new AbortController();

function clientOf(serve) {
  return createPveClient({
    connection: {
      name: 'bench',
      hosts: ['pve.simulated:8006'],
      auth: { kind: 'token', tokenId, secret },
      tls: { verify: true },
      timeout: 120_000,
    },
    clock: time.clock,
    connect: inProcess(serve, time),
  });
}

const pve = clientOf(simulator.serve);
const { lab, users: roster } = loadClass(files[1], files[3]);
const context = {
  pve,
  tasks: createTaskWaiter(pve, time.clock),
  clock: time.clock,
  credentials: await CredentialsFile.open(files[5], { url: 'bench' }),
  owner: 'bench',
  ...{ soft: signal, hard: signal },
  ...{
    onPhase: () => undefined,
    onPlan: () => undefined,
    onEvent: () => undefined,
    onTrouble: console.error,
  },
};
const { summary } = await deploy(
  { lab, users: roster, options: { adopt: false, updateRunning: false } },
  context,
);
console.log(`${users} × ${machines} on ${nodes} nodes: deploy ${summary.status}`);

const kept = new Map();
const want = { stands: {}, sinceSeconds: 86_400, ips: false, snapshots: false, ownership: false };
const before = simulator.requests.length;
await lookAtStands(want, {
  clock: time.clock,
  pve: clientOf(async (request) => {
    const answer = await simulator.serve(request);
    kept.set(`${request.method} ${request.target}`, answer);
    return answer;
  }),
});
const requests = simulator.requests.length - before;
console.log(`requests: ${requests} = 3 per node + ${requests - 3 * nodes}`);

const replayed = clientOf((request) => {
  const [path] = request.target.split('?');
  // The moment since which failed tasks are told moves on.
  const found =
    kept.get(`${request.method} ${request.target}`) ??
    [...kept].find(([key]) => key.includes(`${path}?`))?.[1];
  return Promise.resolve(found);
});
for (let round = 1; round <= 3; round += 1) {
  const start = process.cpuUsage();
  const { report } = await lookAtStands(want, { pve: replayed, clock: time.clock });
  const text = renderStatus(report, { width: 120, color: false, wide: true });
  const json = JSON.stringify(toStatusDocument(report));
  const used = process.cpuUsage(start);
  const seconds = (used.user + used.system) / 1e6;
  console.log(
    `round ${round}: ${seconds.toFixed(2)} s of CPU for reading, text (${text.length} characters) and JSON (${json.length}); ${report.problems.length} problems`,
  );
}
time.stop();
rmSync(folder, { recursive: true });
