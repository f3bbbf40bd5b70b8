// A class that comes and goes on a simulated cluster, in this process and on virtual time: no socket, no real waiting,
// the same figures on every machine. Needs `npm run build`.
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClass } from '../dist/lib/config/load.js';
import { CredentialsFile } from '../dist/lib/credentials/credentials-file.js';
import { Readings } from '../dist/lib/workflow/readings.js';
import { createPveClient } from '../dist/lib/proxmox/client.js';
import { createTaskWaiter } from '../dist/lib/proxmox/tasks.js';
import { inProcess } from '../dist/lib/proxmox/transports/in-process.js';
import { createSimulator } from '../dist/lib/simulator/simulator.js';
import { Locks } from '../dist/lib/simulator/tasks/locks.js';
import { VirtualTime } from '../dist/lib/simulator/time/virtual-time.js';
import { cleanup } from '../dist/lib/workflow/cleanup.js';
import { deploy } from '../dist/lib/workflow/deploy.js';
import { benchScenario, writeClass } from './cluster.mjs';

/** When each kind of step was under way, and for how long: what waits shows where nothing of a kind runs. */
class Lanes {
  #rows = new Map();
  #begun = new Map();
  #now;

  constructor(now) {
    this.#now = now;
  }

  note({ type, step }) {
    if (type === 'step.started' && !this.#begun.has(step.id)) this.#begun.set(step.id, this.#now());
    const began = this.#begun.get(step?.id);
    if (began === undefined || !['step.succeeded', 'step.failed'].includes(type)) return;
    const row = this.#rows.get(step.kind) ?? { kind: step.kind, count: 0, from: began, to: 0, busy: 0 };
    this.#rows.set(step.kind, row);
    row.count += 1;
    row.from = Math.min(row.from, began);
    row.to = this.#now();
    row.busy += row.to - began;
  }

  rows() {
    return [...this.#rows.values()].sort((a, b) => a.from - b.from);
  }
}

/** How long the cluster's locks were waited for: who has waited for 10 s (9 before 9.1) gives up. */
const lockWaits = { now: undefined, rows: new Map() };
const { cfs } = Locks.prototype;
Locks.prototype.cfs = async function (name) {
  const { now, rows } = lockWaits;
  const began = now?.() ?? 0;
  const release = await cfs.call(this, name);
  const waited = ((now?.() ?? 0) - began) / 1000;
  const row = rows.get(name) ?? { name, count: 0, waited: 0, longest: 0 };
  rows.set(name, {
    name,
    count: row.count + 1,
    waited: row.waited + waited,
    longest: Math.max(row.longest, waited),
  });
  return release;
};

/** What one command did: its plan, its time, its requests. */
async function measured(simulator, context, work) {
  lockWaits.now = () => simulator.now();
  lockWaits.rows = new Map();
  const from = simulator.requests.length;
  const started = simulator.now();
  const wall = performance.now();
  let retries = 0;
  const failed = [];
  const lanes = new Lanes(() => (simulator.now() - started) / 1000);
  const onEvent = (event) => {
    lanes.note(event);
    if (event.type === 'step.retrying') retries += 1;
    if (event.type === 'step.failed') failed.push(`${event.step.id}: ${event.error.message}`);
  };
  const { plan, summary } = await work({ ...context, onEvent });
  return {
    plan,
    status: summary.status,
    makespan: (simulator.now() - started) / 1000,
    requests: simulator.requests.slice(from),
    retries,
    failed,
    lanes: lanes.rows(),
    waits: [...lockWaits.rows.values()],
    wall: (performance.now() - wall) / 1000,
  };
}

/** Deploys the class, and removes it again. */
export async function deployAndCleanUp({ users, machines, ...cluster }) {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-stand-bench-'));
  const files = writeClass(folder, { users, machines });
  const scenario = benchScenario(cluster);
  const { simulator, time } = createSimulator({ scenario }, (start) => new VirtualTime(start));
  const { clock } = time;
  const { tokenId, secret } = simulator.credentials;
  const pve = createPveClient({
    connection: {
      hosts: ['https://pve.simulated'],
      auth: { kind: 'token', tokenId, secret },
      tls: { verify: true },
      timeout: 120_000,
    },
    clock,
    connect: inProcess(simulator.serve, time),
  });
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const context = {
    ...{ pve, clock, owner: 'bench', soft: signal, hard: signal, caller: tokenId },
    tasks: createTaskWaiter(pve, clock),
    readings: new Readings(clock),
    credentials: await CredentialsFile.open(files[5], { url: 'bench' }),
    onPhase: () => undefined,
    onPlan: () => undefined,
    onTrouble: (error) => {
      throw error;
    },
  };
  const { lab, users: roster } = loadClass(files[1], files[3]);
  const options = {
    ...{ keepUsers: false, adopt: false, includeMembers: false, forceProtected: false },
    ...{ lockWaitSeconds: 600, minAgeSeconds: 0 },
  };
  const made = await measured(simulator, context, (run) =>
    deploy({ lab, users: roster, options: { adopt: false, updateRunning: false } }, run),
  );
  const tasksBefore = simulator.snapshot().tasks.length;
  const removed = await measured(simulator, context, (run) =>
    cleanup({ selection: { by: 'stands', lab: 'bench' }, options }, run),
  );
  const state = simulator.snapshot();
  const lockTimeouts = state.tasks
    .slice(tasksBefore)
    .filter(({ exitstatus = '' }) => /got (lock request )?timeout/.test(exitstatus)).length;
  const zombies = state.guests.filter(({ config }) => config.lock === 'destroyed').length;
  const left = state.guests.filter(({ vmid }) => vmid >= 10000).length;
  time.stop();
  pve.close();
  rmSync(folder, { recursive: true });
  return { made, removed: { ...removed, lockTimeouts, zombies, left } };
}

/** Requests by method and endpoint, most frequent first. */
export function byEndpoint(requests) {
  const counts = new Map();
  for (const { method, path } of requests) {
    const key = `${method.padEnd(6)} ${path}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}
