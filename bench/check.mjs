// Time and requests of `check`: 500 students × 3 checks, one machine each, on 20 nodes, on the simulator's own time; then
// the same with one machine on each node whose agent hangs, and one whose command does.
// Run: npm run build && node bench/check.mjs [users nodes]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClass } from '../dist/lib/config/load.js';
import { CredentialsFile } from '../dist/lib/credentials/credentials-file.js';
import { createPveClient } from '../dist/lib/proxmox/client.js';
import { createTaskWaiter } from '../dist/lib/proxmox/tasks.js';
import { inProcess } from '../dist/lib/proxmox/transports/in-process.js';
import { createSimulator } from '../dist/lib/simulator/simulator.js';
import { VirtualTime } from '../dist/lib/simulator/time/virtual-time.js';
import { checkStands } from '../dist/lib/workflow/check.js';
import { deploy } from '../dist/lib/workflow/deploy.js';
import { benchScenario, writeClass } from './cluster.mjs';

const [users = 500, nodes = 20] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-bench-'));
const files = writeClass(folder, { users, machines: 1 });
const loaded = loadClass(files[1], files[3]);
const lab = { ...loaded.lab, machines: loaded.lab.machines.map((one) => ({ ...one, start: true })) };
const [{ name: machine }] = lab.machines;
const seconds = 2;
const commands = ['true', 'curl', 'systemctl'].map((run) => ({ run, seconds }));
const checks = commands.map(({ run }) => ({
  ...{ name: run, machine, points: 1, kind: 'command', argv: [run], timeoutSeconds: 10 },
  expect: { exit: 0 },
}));

function start(state, agents) {
  const plain = benchScenario({ nodes, foreignGuests: 0, speed: 1 });
  const templates = plain.templates.map((one) => ({
    ...one,
    agent: { commands },
    config: { ...one.config, agent: '1' },
  }));
  const scenario = { ...plain, templates, agents };
  const { simulator, time } = createSimulator(
    { scenario, ...(state ? { state } : {}) },
    (at) => new VirtualTime(at),
  );
  const { tokenId, secret } = simulator.credentials;
  const connection = {
    ...{ name: 'bench', hosts: ['pve.simulated:8006'], timeout: 120_000, tls: { verify: true } },
    auth: { kind: 'token', tokenId, secret },
  };
  const pve = createPveClient({
    connection,
    clock: time.clock,
    connect: inProcess(simulator.serve, time),
  });
  const { signal } = new AbortController();
  const quiet = () => undefined;
  const context = {
    ...{ pve, clock: time.clock, owner: 'bench', soft: signal, hard: signal, onTrouble: console.error },
    ...{ onPhase: quiet, onPlan: quiet, onEvent: quiet },
    tasks: createTaskWaiter(pve, time.clock),
  };
  return { simulator, time, context };
}

const made = start();
const credentials = await CredentialsFile.open(files[5], { url: 'bench' });
const { summary } = await deploy(
  { lab, users: loaded.users, options: { adopt: false, updateRunning: false } },
  { ...made.context, credentials },
);
await made.time.clock.sleep(120_000);
const state = made.simulator.snapshot();
made.time.stop();
console.log(`${users} students on ${nodes} nodes: deploy ${summary.status}`);

async function measure(title, agents) {
  const { simulator, time, context } = start(state, agents);
  const begun = time.clock.now();
  const cpu = process.cpuUsage();
  const report = await checkStands({ stands: { lab: lab.name }, checks }, context);
  const used = process.cpuUsage(cpu);
  const byEndpoint = new Map();
  for (const { method, path } of simulator.requests)
    byEndpoint.set(`${method} ${path}`, (byEndpoint.get(`${method} ${path}`) ?? 0) + 1);
  const count = (end) => [...byEndpoint].reduce((sum, [key, n]) => (key.endsWith(end) ? sum + n : sum), 0);
  const [execs, polls] = [count('/agent/exec'), count('/agent/exec-status')];
  const run = users * checks.length;
  const rest = simulator.requests.length - execs - polls;
  const { passed, failed, notRun } = report.totals;
  console.log(
    [
      `${title}: ${passed} passed, ${failed} failed, ${notRun} could not be run`,
      `  ${((time.clock.now() - begun) / 1000).toFixed(1)} s (commands of ${seconds} s), ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU, the simulator's included`,
      `  ${((execs + rest) / run).toFixed(2)} requests per check (${execs} exec + ${rest} to read the class), ${(polls / run).toFixed(2)} polls`,
    ].join('\n'),
  );
  time.stop();
}

await measure('all answer', []);
const onNode = new Map();
for (const { vmid, node, pid } of state.guests)
  if (pid !== undefined) onNode.set(node, [...(onNode.get(node) ?? []), vmid]);
await measure(
  'one agent and one command on each node hang',
  [...onNode.values()].flatMap(([stuck, slow]) => [
    { vmid: stuck, agent: { state: 'stuck' } },
    ...(slow === undefined ? [] : [{ vmid: slow, agent: { commands: [{ seconds: 100_000 }] } }]),
  ]),
);
rmSync(folder, { recursive: true });
