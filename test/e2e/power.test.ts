/** `power` on whole simulated clusters: waves, guests that do not obey, memory, storages, idle machines, rights. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { ClusterState, GuestState } from '../../src/lib/simulator/state.ts';
import type { Version } from '../../src/lib/simulator/version.ts';
import { secret } from '../simulator/harness.ts';
import {
  post,
  runCli,
  scenario,
  startCluster,
  workFolder,
  writeFiles,
  writes,
  type Cluster,
  type RunOutcome,
} from './harness.ts';
import { resultErrors } from './result-schema.ts';

const LAB = `name: net
placement: { strategy: specific, node: pve1 }
machines:
  - { device_type: linux, name: srv, template_vmid: 101, memory: 1024, start_order: 1, networks: [{ bridge: lan }] }
  - { device_type: linux, name: pc, template_vmid: 101, memory: 1024, networks: [{ bridge: lan }] }
`;
const USERS = 'users: [anna@pve, boris@pve]\n';
const [ANNA_SRV, ANNA_PC, BORIS_SRV, BORIS_PC] = [10000, 10001, 10002, 10003] as const;

const folder = (): readonly string[] => {
  const at = workFolder();
  writeFiles(at, { 'lab.yml': LAB, 'users.yml': USERS });
  return ['-c', join(at, 'lab.yml'), '-u', join(at, 'users.yml')];
};

const made = new Map<string, Promise<ClusterState>>();

async function make(change: Partial<Scenario>): Promise<ClusterState> {
  const cluster = await startCluster({ scenario: scenario(change) });
  const files = folder();
  const credentials = files[1]!.replace('lab.yml', 'c.csv');
  const run = await runCli(['deploy', ...files, '--credentials', credentials], cluster);
  expect([run.code, run.code === 0 ? '' : run.stdout + run.stderr]).toEqual([0, '']);
  return cluster.snapshot();
}

/** A class of two, switched off, some time later; `change` is what happened to it meanwhile. */
async function aClass(
  change: (guest: (vmid: number) => GuestState, state: ClusterState) => void = () => undefined,
  more: Partial<Scenario> = {},
): Promise<Cluster> {
  const key = JSON.stringify(more);
  const wanted = made.get(key) ?? make(more);
  made.set(key, wanted);
  const state = structuredClone(await wanted);
  change((vmid) => state.guests.find((guest) => guest.vmid === vmid)!, state);
  const cluster = await startCluster({ state });
  await cluster.time.sleep(20_000);
  return cluster;
}

interface Result {
  readonly plan: {
    readonly steps: readonly { readonly id: string; readonly kind: string }[];
    readonly warnings: readonly string[];
  };
  readonly summary: {
    readonly status: string;
    readonly stands: readonly {
      readonly user: string;
      readonly status: string;
      readonly frozen?: string;
      readonly notes: readonly string[];
      readonly vms: readonly { readonly vmid: number; readonly status: string }[];
      readonly error?: { readonly code: string; readonly message: string };
    }[];
  };
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

async function power(cluster: Cluster, line: string): Promise<RunOutcome & { readonly result: Result }> {
  const run = await runCli(['power', ...line.split(' '), '--output', 'json'], cluster);
  expect(resultErrors(run.stdout)).toEqual([]);
  return { ...run, result: JSON.parse(run.stdout) as Result };
}

function states(cluster: Cluster): Record<number, string> {
  const guests = cluster.snapshot().guests.filter(({ vmid }) => vmid >= 10_000);
  return Object.fromEntries(
    guests.map(({ vmid, runningSince, paused, config }) => [
      vmid,
      runningSince === undefined ? (config['lock'] ?? 'off') : paused ? 'paused' : 'on',
    ]),
  );
}

const all = (state: string) => ({
  [ANNA_SRV]: state,
  [ANNA_PC]: state,
  [BORIS_SRV]: state,
  [BORIS_PC]: state,
});

const starts = (cluster: Cluster): number[] =>
  writes(cluster)
    .flatMap((write) => /\/(\d+)\/status\/\w+$/.exec(write)?.[1] ?? [])
    .map(Number);

const turnOn = (guest: (vmid: number) => GuestState, ...vmids: readonly number[]): void => {
  for (const vmid of vmids.length > 0 ? vmids : [ANNA_SRV, ANNA_PC, BORIS_SRV, BORIS_PC]) {
    Object.assign(guest(vmid), { runningSince: Date.parse('2026-01-01T00:00:00Z'), pid: vmid });
  }
};

describe.each(['7.4', '8.4', '9.2'] as const)('PVE %s', (version: Version) => {
  test('a day: start, reboot, suspend, resume, pause, shut down; each again does nothing', async () => {
    const cluster = await aClass(undefined, { version });
    const since = cluster.requests.length;
    const files = folder().join(' ');
    const started = await power(cluster, `start ${files}`);
    expect([started.code, states(cluster)]).toEqual([0, all('on')]);
    // The server of a stand before the others of it.
    const order = starts(cluster).slice(-4);
    expect(order.indexOf(ANNA_SRV)).toBeLessThan(order.indexOf(ANNA_PC));
    expect(order.indexOf(BORIS_SRV)).toBeLessThan(order.indexOf(BORIS_PC));
    expect(started.result.summary.stands[0]).toMatchObject({
      status: 'complete',
      vms: [{ status: 'running' }, { status: 'running' }],
    });
    const again = await power(cluster, `start ${files}`);
    expect([again.code, again.result.summary.status]).toEqual([0, 'nothing-to-do']);

    const before = cluster.snapshot().guests.find(({ vmid }) => vmid === ANNA_PC)!.runningSince!;
    const rebooted = await power(cluster, 'reboot --user anna@pve --machine pc');
    expect(rebooted.code).toBe(0);
    expect(cluster.snapshot().guests.find(({ vmid }) => vmid === ANNA_PC)!.runningSince).toBeGreaterThan(
      before,
    );

    const suspended = await power(cluster, 'suspend --lab net');
    expect([suspended.code, states(cluster)]).toEqual([0, all('suspended')]);
    expect(suspended.result.summary.stands[0]!.vms[0]!.status).toBe('suspended');
    expect(cluster.snapshot().volumes.filter(({ volid }) => volid.includes('-state-'))).toHaveLength(4);
    const nothing = await power(cluster, 'shutdown --lab net');
    expect([nothing.code, nothing.result.summary.status]).toEqual([0, 'nothing-to-do']);
    const resumed = await power(cluster, 'resume --lab net --stagger 5');
    expect([resumed.code, states(cluster)]).toEqual([0, all('on')]);
    expect(cluster.snapshot().volumes.filter(({ volid }) => volid.includes('-state-'))).toEqual([]);

    const halted = await runCli(
      ['power', 'suspend', '--pause', '--lab', 'net', '--user', 'anna@pve'],
      cluster,
    );
    expect([halted.code, halted.stdout]).toEqual([
      0,
      expect.stringContaining('2 machines of 1 stand paused\n'),
    ]);
    expect(states(cluster)).toMatchObject({ [ANNA_PC]: 'paused', [BORIS_PC]: 'on' });
    await cluster.time.sleep(15_000);
    const paused = await power(cluster, 'shutdown --user anna@pve');
    expect([paused.code, paused.result.summary.stands[0]!.error?.code]).toEqual([5, 'VM_PAUSED']);
    expect((await power(cluster, 'resume --user anna@pve --if-state suspended')).code).toBe(0);
    const shut = await power(cluster, `shutdown ${files}`);
    expect([shut.code, states(cluster)]).toEqual([0, all('off')]);
    const last = starts(cluster).slice(-4);
    expect(last.indexOf(ANNA_PC)).toBeLessThan(last.indexOf(ANNA_SRV));
    expect(writes({ requests: cluster.requests }, since).every((write) => write.includes('/status/'))).toBe(
      true,
    );
  });
});

test('guests that do not obey are told by name; --force cuts their power', async () => {
  const cluster = await aClass((guest) => {
    turnOn(guest);
    Object.assign(guest(BORIS_PC), { habits: { deaf: true } });
  });
  const { code, result } = await power(cluster, 'shutdown --lab net --timeout 30s');
  expect([code, states(cluster)]).toEqual([5, { ...all('off'), [BORIS_PC]: 'on' }]);
  expect(result.summary.stands.find(({ user }) => user === 'boris@pve')!.error).toMatchObject({
    code: 'SHUTDOWN_IGNORED',
    message: `VM ${BORIS_PC} on pve1 did not shut down within 30s`,
  });
  expect((await power(cluster, 'reboot --lab net --timeout 10s')).result.summary.status).toBe('failed');
  expect((await power(cluster, 'shutdown --lab net --timeout 30s --force')).code).toBe(0);
  expect(states(cluster)).toEqual(all('off'));
});

test('no more than memory holds: refused with the numbers, or as many as fit', async () => {
  // Somebody took half of the memory out.
  const cluster = await aClass((_, state) => {
    Object.assign(
      state.nodes.find(({ name }) => name === 'pve1')!,
      { memory: 5 * 2 ** 30 },
    );
    Object.assign(state, { guests: state.guests.filter(({ vmid }) => vmid >= 10_000 || vmid < 200) });
  });
  const refused = await power(cluster, 'start --lab net');
  expect([refused.code, refused.result.error?.code]).toEqual([3, 'NO_CAPACITY']);
  expect(refused.result.error?.message).toContain('fits 1 of 2 stands: memory on pve1 is full');
  expect(refused.result.error?.hint).toMatch(/^--fit leaves out what does not fit; .*power|^--fit/);
  const fitting = await power(cluster, 'start --lab net --fit');
  expect([fitting.code, states(cluster)]).toEqual([5, { ...all('off'), [ANNA_SRV]: 'on', [ANNA_PC]: 'on' }]);
  // The second shift; the list of the cluster does not know yet that they run.
  expect((await power(cluster, 'suspend --user anna@pve')).code).toBe(0);
  expect((await power(cluster, 'start --user boris@pve')).code).toBe(0);
  await cluster.time.sleep(12_000);
  expect((await power(cluster, 'resume --user anna@pve')).code).toBe(3);
});

test('memory is saved only where there is room for it', async () => {
  const cluster = await aClass((guest, state) => {
    turnOn(guest);
    const ceph = state.storages.find(({ storage }) => storage === 'ceph')!;
    Object.assign(ceph, { used: ceph.size - 3 * 2 ** 30 });
  });
  const refused = await power(cluster, 'suspend --lab net');
  expect([refused.code, refused.result.error?.code]).toEqual([3, 'NO_CAPACITY']);
  expect(refused.result.error?.message).toContain('storage ceph is full');
  expect(states(cluster)).toEqual(all('on'));
  const nowhere = await runCli(['power', 'suspend', '--lab', 'net', '--storage', 'cepf'], cluster);
  expect([nowhere.code, nowhere.stderr]).toEqual([
    2,
    expect.stringMatching(
      /--storage cepf: there is no such storage  \[UNKNOWN_NAME\]\nhint: did you mean ceph\?\n$/,
    ),
  ]);
});

test.each(['7.4', '9.2'] as const)('--idle takes what nobody uses (%s)', async (version) => {
  const cluster = await aClass(
    (guest) => {
      turnOn(guest);
      Object.assign(guest(ANNA_SRV), { load: 0.5 });
      Object.assign(guest(ANNA_PC), { load: 0.01 });
      Object.assign(guest(BORIS_SRV), { load: 0.01, habits: { traffic: 100_000 } });
      Object.assign(guest(BORIS_PC), { load: 0.01, runningSince: undefined, pid: undefined });
    },
    { version },
  );
  await cluster.time.sleep(2 * 3600_000);
  await post(cluster, `/nodes/pve1/qemu/${BORIS_PC}/status/start`, {});
  await cluster.time.sleep(60_000);
  const since = cluster.requests.length;
  const { code, result } = await power(cluster, 'suspend --lab net --idle 1h');
  expect([code, states(cluster)]).toEqual([0, { ...all('on'), [ANNA_PC]: 'suspended' }]);
  expect(result.summary.stands.map(({ notes }) => notes.join())).toEqual([
    expect.stringContaining('in use: srv (CPU 50.0 %'),
    expect.stringMatching(/in use: srv \(CPU 1\.0 %, 97\.7 KiB\/s\), pc \(up for a shorter time\)/),
  ]);
  const reads = cluster.requests.slice(since).filter(({ path }) => path.endsWith('/rrddata'));
  expect(reads).toHaveLength(3);
  // A job of every half hour mails what it says: nothing, where there is nothing to do.
  const again = ['power', 'suspend', '--lab', 'net', '--idle', '1h'];
  expect(await runCli([...again, '--quiet'], cluster)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect((await runCli(again, cluster)).stdout).toMatch(/nothing to do for 2 stands/);
  const json = await runCli([...again, '--quiet', '--output', 'json'], cluster);
  expect(json.stdout).toMatch(/"nothing-to-do"/);
});

test('what is left alone is told by name; frozen stands and students in the way are no obstacle', async () => {
  const cluster = await aClass((guest, state) => {
    turnOn(guest, BORIS_SRV);
    // Boris made a template of one, the other is at work for a while.
    Object.assign(guest(BORIS_PC).config, { template: '1' });
    Object.assign(guest(ANNA_PC).config, { lock: 'backup', protection: '1' });
    const pool = state.pools.find(({ poolid }) => poolid === 'anna')!;
    Object.assign(pool, { comment: pool.comment.replace(/ since=/, ' frozen=2026-01-02T00:00:00Z since=') });
  });
  const { code, result } = await power(cluster, 'start --lab net --lock-wait 10s');
  expect([code, states(cluster)]).toEqual([
    5,
    { [ANNA_SRV]: 'on', [ANNA_PC]: 'backup', [BORIS_SRV]: 'on', [BORIS_PC]: 'off' },
  ]);
  const errors = result.summary.stands.map(({ error }) => error?.code);
  expect(errors).toEqual(['VM_LOCKED', 'VM_IS_TEMPLATE']);
  expect(result.summary.stands.map(({ frozen }) => frozen)).toEqual(['2026-01-02T00:00:00Z', undefined]);
  expect(result.plan.warnings).toEqual([
    expect.stringMatching(/^frozen: anna@pve; .* no access .*`deploy-stand access thaw --lab net`$/),
  ]);
});

describe('under HA', () => {
  test('a shutdown is told to be one by force, a suspension impossible; start waits until it is up', async () => {
    const cluster = await aClass();
    for (const vmid of [ANNA_SRV, ANNA_PC])
      await post(cluster, '/cluster/ha/resources', { sid: `vm:${vmid}`, state: 'stopped' });
    await cluster.time.sleep(30_000);
    expect((await power(cluster, 'start --user anna@pve')).code).toBe(0);
    expect(states(cluster)).toMatchObject({ [ANNA_SRV]: 'on', [ANNA_PC]: 'on' });
    await cluster.time.sleep(12_000);
    for (const action of ['suspend', 'shutdown']) {
      const { code, result } = await power(cluster, `${action} --user anna@pve`);
      expect([code, result.summary.stands[0]!.error?.code]).toEqual([5, 'HA_MANAGED']);
    }
    // HA loses what it is told meanwhile; the bridge is on pve1 only, so that it stays there.
    await post(cluster, `/nodes/pve1/qemu/${ANNA_PC}/migrate`, { target: 'pve2', online: '1' });
    await cluster.time.sleep(10_000);
    expect((await power(cluster, 'shutdown --user anna@pve --force')).code).toBe(0);
    expect(states(cluster)).toMatchObject({ [ANNA_SRV]: 'off', [ANNA_PC]: 'off' });
  });
});

test('VM.PowerMgmt on the machines is all that switching them on takes', async () => {
  const needed = ['VM.Audit', 'VM.PowerMgmt', 'Pool.Audit'];
  const reads = [{ path: '/access', role: 'See', user: 'op@pve' }];
  const run = async (privileges: readonly string[], access = reads) => {
    const cluster = await aClass(undefined, {
      users: [
        ...(scenario().users ?? []),
        { userid: 'op@pve', tokens: [{ id: 'power', secret, privsep: false }] },
      ],
      roles: { Switch: needed, See: ['Sys.Audit'] },
      acl: [{ path: '/pool', role: 'Switch', user: 'op@pve', propagate: true }, ...reads],
    });
    const state = cluster.snapshot();
    Object.assign(state.roles as Record<string, unknown>, { Switch: privileges });
    const own = await startCluster({
      state: {
        ...state,
        acl: access.length > 0 ? state.acl : state.acl.filter(({ path }) => path !== '/access'),
      },
    });
    const env = { PVE_TOKEN_ID: 'op@pve!power', PVE_TOKEN_SECRET: secret };
    const outcome = await runCli(['power', 'start', '--lab', 'net'], own, { env });
    return { outcome, states: states(own) };
  };
  const enough = await run(needed);
  expect([enough.outcome.code, enough.states]).toEqual([0, all('on')]);
  expect(enough.outcome.stdout + enough.outcome.stderr).toContain('the memory of nodes is not to be seen');
  for (const gone of needed) {
    const less = await run(needed.filter((one) => one !== gone));
    expect([gone, less.outcome.code === 0, less.states]).toEqual([gone, false, all('off')]);
  }
  const blind = await run(needed, []);
  expect([blind.outcome.code === 0, blind.states]).toEqual([false, all('off')]);
});

test.each([
  ['start', 'NO_SELECTION', /power start needs to be told which stands/],
  ['start -c lab.yml --lab net', 'SELECTION', /-c and --lab both say which lab/],
  ['suspend --lab net --idle 5m', 'IDLE_TIME', /10m to 24h, got 5m$/m],
  ['suspend --lab net --idle 400d', 'IDLE_TIME', /10m to 24h, got 400d$/m],
  ['suspend --lab net --pause --storage ceph', 'PAUSE_STORAGE', /writes nothing/],
  ['start --lab nte', 'UNKNOWN_NAME', /no such lab/],
])('%s: %s', async (line, code, message) => {
  const { code: exit, result } = await power(await aClass(), line);
  expect([exit, result.error?.code]).toEqual([2, code]);
  expect(result.error?.message).toMatch(message);
});
