/** Containers: what is read of them, power, and what is refused. */
import { expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { versions } from '../../src/lib/simulator/version.ts';
import { login, secret, start, userWithToken, type Caller, type Loose } from './harness.ts';

const ct = (vmid: number): string => `/nodes/pve1/lxc/${vmid}`;

const scenario: Partial<Scenario> = {
  guests: [
    { vmid: 400, name: 'off', node: 'pve1', type: 'lxc', running: false, snapshots: ['one', 'two'] },
    { vmid: 401, name: 'on', node: 'pve1', type: 'lxc', disk_gib: 4, config: { swap: '256', tags: 'a' } },
    { vmid: 402, name: 'managed', node: 'pve1', type: 'lxc', ha: true },
    { vmid: 403, name: 'mould', node: 'pve1', type: 'lxc', running: false, config: { template: '1' } },
  ],
};

const power = (root: Caller, vmid: number, action: string, form = {}): Promise<Loose> =>
  root.post(`${ct(vmid)}/status/${action}`, form);

const state = async (root: Caller, vmid: number): Promise<string> =>
  (await root.ok('GET', `${ct(vmid)}/status/current`)).status;

test.each(versions)('%s: status, list row and configuration', async (version) => {
  const { root } = await start({ ...scenario, version });
  const now = await root.ok('GET', `${ct(401)}/status/current`);
  expect(now).toMatchObject({
    vmid: 401,
    type: 'lxc',
    name: 'on',
    status: 'running',
    maxdisk: 4 * 1024 ** 3,
    maxswap: 256 * 1024 ** 2,
    tags: 'a',
    ha: { managed: 0 },
  });
  expect(now.mem).toBeGreaterThan(0);
  expect('pressurecpusome' in now).toBe(version === '9.2');
  const rows = await root.ok('GET', '/nodes/pve1/lxc');
  const { ha, ...row } = now;
  expect(rows.find((one: Loose) => one.vmid === 401)).toEqual(row);
  expect((await root.ok('GET', `${ct(402)}/status/current`)).ha).toEqual({ managed: 1, state: 'started' });
  expect(ha).toEqual({ managed: 0 });
  expect(await root.ok('GET', `${ct(401)}/pending`)).toContainEqual({ key: 'hostname', value: 'on' });
});

test('snapshots are listed with the current state', async () => {
  const { root } = await start(scenario);
  expect(await root.ok('GET', `${ct(400)}/snapshot`)).toMatchObject([
    { name: 'one' },
    { name: 'two', parent: 'one' },
    { name: 'current', parent: 'two', description: 'You are here!' },
  ]);
  expect(await root.ok('GET', `${ct(400)}/config`, { snapshot: 'one' })).toMatchObject({ hostname: 'off' });
  expect((await root.get(`${ct(400)}/snapshot/three/config`)).reason).toBe("snapshot 'three' does not exist");
});

test.each(versions)('%s: start, shutdown, stop, reboot', async (version) => {
  const { root } = await start({ ...scenario, version });
  const { data: upid } = await power(root, 400, 'start');
  expect(upid).toContain(':vzstart:400:');
  expect(await root.ended(upid)).toBe('OK');
  const before = (await root.ok('GET', `${ct(400)}/status/current`)).pid;
  expect(await root.task('POST', `${ct(400)}/status/reboot`)).toBe('OK');
  const after = await root.ok('GET', `${ct(400)}/status/current`);
  expect(after).toMatchObject({ status: 'running' });
  expect(after.pid).not.toBe(before);
  expect(await root.task('POST', `${ct(400)}/status/shutdown`)).toBe('OK');
  expect(await root.task('POST', `${ct(401)}/status/stop`)).toBe('OK');
  expect([await state(root, 400), await state(root, 401)]).toEqual(['stopped', 'stopped']);
});

test.each([
  [401, 'start', 'CT 401 already running'],
  [400, 'stop', 'CT 400 not running'],
  [400, 'shutdown', 'CT 400 not running'],
  [400, 'suspend', 'CT 400 not running'],
  [400, 'reboot', 'VM 400 not running'],
  [401, 'resume', 'CT 401 already running'],
  [999, 'stop', 'CT 999 not running'],
])('%i: %s is refused with "%s"', async (vmid, action, reason) => {
  const { root } = await start(scenario);
  expect(await power(root, vmid, action)).toMatchObject({ status: 500, reason });
});

test('what else is wrong shows in the task', async () => {
  const { root, sim } = await start(scenario);
  const started = (vmid: number): Promise<string> => root.task('POST', `${ct(vmid)}/status/start`);
  expect(await started(403)).toBe("you can't start a CT if it's a template");
  expect(await started(999)).toBe("Configuration file 'nodes/pve1/lxc/999.conf' does not exist");
  expect((await root.get(`/nodes/pve2/lxc/400/config`)).reason).toBe(
    "Configuration file 'nodes/pve2/lxc/400.conf' does not exist",
  );
  expect((await power(root, 400, 'start', { skiplock: 1 })).body.errors).toEqual({
    skiplock: 'Only root may use this option.',
  });
  const ticket = await login(sim, 'root@pam', 'simulator');
  expect(await ticket.task('POST', `${ct(400)}/status/start`, { skiplock: 1 })).toBe('OK');
});

test('a locked container does not start, unless it is only mounted; nor without its bridge', async () => {
  const one = (config: Record<string, string>): Partial<Scenario> => ({
    guests: [{ vmid: 400, name: 'off', node: 'pve1', type: 'lxc', running: false, config }],
  });
  const started = async (config: Record<string, string>): Promise<string> =>
    (await start(one(config))).root.task('POST', `${ct(400)}/status/start`);
  expect(await started({ lock: 'backup' })).toBe('CT is locked (backup)');
  expect(await started({ lock: 'mounted' })).toBe('OK');
  expect(await started({ net0: 'name=eth0,bridge=vmbr4000,type=veth' })).toBe(
    "startup for container '400' failed",
  );
});

test('a slow shutdown: given up after twice its time, killed when forced, or overruled by a stop', async () => {
  const slow = { ...scenario, latency: { shutdown_s: 100 } };
  const { root } = await start(slow);
  const shutdown = (form: Record<string, number>): Promise<string> =>
    root.task('POST', `${ct(401)}/status/shutdown`, form);
  expect(await shutdown({ timeout: 20 })).toBe('container did not stop');
  expect(await state(root, 401)).toBe('running');
  const { data: hanging } = await power(root, 401, 'shutdown', { timeout: 60 });
  expect(await root.task('POST', `${ct(401)}/status/stop`)).toBe(
    "can't lock file '/run/lock/lxc/pve-config-401.lock' - got timeout",
  );
  expect(await root.task('POST', `${ct(401)}/status/stop`, { 'overrule-shutdown': 1 })).toBe('OK');
  expect(await root.ended(hanging)).toBe('interrupted by signal');
  expect(await state(root, 401)).toBe('stopped');
  await root.task('POST', `${ct(401)}/status/start`);
  expect(await shutdown({ timeout: 20, forceStop: 1 })).toBe('OK');
  expect(await state(root, 401)).toBe('stopped');
});

test('overrule-shutdown came with 8', async () => {
  const { root } = await start({ ...scenario, version: '7.4' });
  expect((await power(root, 401, 'stop', { 'overrule-shutdown': 1 })).status).toBe(400);
});

test('suspend writes the processes away, resume brings them back, once', async () => {
  const { root } = await start(scenario);
  expect(await root.task('POST', `${ct(401)}/status/suspend`)).toBe('OK');
  expect(await state(root, 401)).toBe('stopped');
  expect(await root.task('POST', `${ct(401)}/status/resume`)).toBe('OK');
  expect(await state(root, 401)).toBe('running');
  expect(await root.task('POST', `${ct(400)}/status/resume`)).toBe(
    "command 'lxc-checkpoint -n 400 -r --foreground -D /var/lib/vz/dump' failed: exit code 1",
  );
});

test('HA-managed containers: the request is queued; the stop cannot overrule', async () => {
  const { root, time } = await start(scenario);
  expect((await power(root, 402, 'stop', { 'overrule-shutdown': 1 })).body.errors).toEqual({
    'overrule-shutdown': 'Not applicable for HA resources.',
  });
  const { data: upid } = await power(root, 402, 'shutdown');
  expect(upid).toContain(':hastop:402:');
  expect(await root.ended(upid)).toBe('OK');
  expect(await state(root, 402)).toBe('running');
  await time.sleep(30_000);
  expect(await state(root, 402)).toBe('stopped');
  const { data: back } = await power(root, 402, 'start');
  expect(back).toContain(':hastart:402:');
  await time.sleep(20_000);
  expect(await state(root, 402)).toBe('running');
  const tasks = await root.ok('GET', '/nodes/pve1/tasks', { vmid: 402 });
  expect(tasks.map((task: Loose) => [task.type, task.user])).toEqual([
    ['vzstart', 'root@pam'],
    ['hastart', 'root@pam'],
    ['vzshutdown', 'root@pam'],
    ['hastop', 'root@pam'],
  ]);
});

test('power needs VM.PowerMgmt, reading VM.Audit', async () => {
  const { as } = await start({
    ...scenario,
    users: [userWithToken('a@pve')],
    roles: { Look: ['VM.Audit'] },
    acl: [{ path: '/vms/401', user: 'a@pve', role: 'Look' }],
  });
  const caller = as(`a@pve!t=${secret}`);
  expect((await caller.ok('GET', '/nodes/pve1/lxc')).map((one: Loose) => one.vmid)).toEqual([401]);
  expect((await power(caller, 401, 'stop')).reason).toBe('Permission check failed (/vms/401, VM.PowerMgmt)');
  expect((await caller.get(`${ct(400)}/status/current`)).reason).toBe(
    'Permission check failed (/vms/400, VM.Audit)',
  );
});
