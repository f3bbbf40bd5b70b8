/** HA: groups and rules, resources, and a manager that takes its time. */
import { describe, expect, test } from 'vitest';
import { versions } from '../../src/lib/simulator/version.ts';
import { start, type Caller, type Form, type Loose, type Reply } from './harness.ts';

const groups = '/cluster/ha/groups';
const rules = '/cluster/ha/rules';
const resources = '/cluster/ha/resources';

const textOf = (reply: Reply): string => reply.body.message?.trimEnd() ?? reply.reason;
const managed = { guests: [{ vmid: 500, name: 'web', node: 'pve1', storage: 'ceph', ha: true }] };

/** Lets simulated seconds pass: a request that takes as long as the fault says. */
async function later(started: Awaited<ReturnType<typeof start>>, seconds: number): Promise<void> {
  const match = { method: 'GET', path: '/version' };
  started.sim.addFault({ match, action: 'slow', ms: seconds * 1000, once: true });
  await started.root.get('/version');
}

const haOf = async (root: Caller): Promise<Loose> => {
  const rows: Loose[] = await root.ok('GET', '/cluster/resources', { type: 'vm' });
  return rows.find((one) => one.vmid === 500);
};

/** Simulated seconds between the beginnings of two tasks. */
async function between(root: Caller, node: string, first: string, second: string): Promise<number> {
  const rows: Loose[] = await root.ok('GET', `/nodes/${node}/tasks`, { source: 'all', vmid: 500 });
  const at = (type: string): number => rows.find((one) => one.type === type).starttime;
  return at(second) - at(first);
}

async function tasksOf(root: Caller, node: string, vmid: number): Promise<string[]> {
  const rows: Loose[] = await root.ok('GET', `/nodes/${node}/tasks`, { source: 'all', vmid });
  return rows.map((one) => `${one.type} ${one.user} ${one.status}`);
}

describe.each(['7.4', '8.4'] as const)('%s: groups', (version) => {
  test('are made, read, changed, and deleted when no service is in them', async () => {
    const { root } = await start({ version, ...managed });
    await root.ok('POST', groups, { group: 'left', nodes: 'pve1:2,pve2', restricted: 1, comment: 'x' });
    expect(textOf(await root.post(groups, { group: 'left', nodes: 'pve1' }))).toBe(
      "create ha group failed: ha group ID 'left' already defined",
    );
    await root.ok('PUT', `${groups}/left`, { nodes: 'pve1', delete: 'comment' });
    expect(await root.ok('GET', `${groups}/left`)).toMatchObject({
      nodes: 'pve1',
      restricted: 1,
      type: 'group',
    });
    expect(await root.ok('GET', `${groups}/left`)).not.toHaveProperty('comment');
    await root.ok('PUT', `${resources}/vm:500`, { group: 'left' });
    expect(await root.ok('GET', `${resources}/500`)).toMatchObject({
      sid: 'vm:500',
      group: 'left',
      type: 'vm',
    });
    expect(textOf(await root.del(`${groups}/left`))).toBe(
      "delete ha group failed: ha group is used by service 'vm:500'",
    );
    await root.ok('PUT', `${resources}/vm:500`, { delete: 'group' });
    await root.ok('DELETE', `${groups}/left`);
    expect(await root.ok('GET', groups)).toEqual([]);
    expect(textOf(await root.get(`${groups}/left`))).toBe("no such ha group 'left'");
    expect(textOf(await root.put(`${resources}/vm:500`, { group: 'left' }))).toBe(
      "HA group 'left' does not exist",
    );
    expect((await root.get(rules)).status).toBe(501);
  });
});

describe('9.2: rules', () => {
  const version = '9.2';

  test.each([
    ['GET', groups, {}, 'cannot index groups'],
    ['POST', groups, { group: 'left', nodes: 'pve1' }, 'cannot create group'],
    ['GET', `${groups}/left`, {}, 'cannot read group'],
    ['PUT', `${groups}/left`, { nodes: 'pve1' }, 'cannot update group'],
    ['DELETE', `${groups}/left`, {}, 'cannot delete group'],
    ['POST', resources, { sid: 'vm:300', group: 'left' }, "invalid parameter 'group'"],
    ['PUT', `${resources}/vm:500`, { group: 'left' }, "invalid parameter 'group'"],
  ] as const)('have taken the place of groups: %s %s', async (method, path, form, what) => {
    const { root } = await start({ version, ...managed });
    const reply = await root.call(method, path, form);
    expect([reply.status, textOf(reply)]).toEqual([500, `${what}: ha groups have been migrated to rules`]);
  });

  test('are made, read, changed, deleted', async () => {
    const { root } = await start({ version, ...managed });
    const rule = { rule: 'near', type: 'node-affinity', resources: 'vm:500', nodes: 'pve1:2,pve2' };
    await root.ok('POST', rules, { ...rule, comment: 'x' });
    expect(textOf(await root.post(rules, rule))).toBe(
      "create ha rule failed: HA rule 'near' already defined",
    );
    await root.ok('PUT', `${rules}/near`, { type: 'node-affinity', strict: 1, delete: 'comment' });
    const read = await root.ok('GET', `${rules}/near`);
    expect(read).toMatchObject({ nodes: 'pve1:2,pve2', strict: 1, resources: 'vm:500', order: 1 });
    expect(read).not.toHaveProperty('comment');
    expect(await root.ok('GET', rules, { resource: 'vm:501' })).toEqual([]);
    await root.ok('DELETE', `${rules}/near`);
    expect(textOf(await root.get(`${rules}/near`))).toBe("no such ha rule 'near'");
  });

  test.each([
    [{ resources: 'vm:300', nodes: 'pve1' }, 'cannot use unmanaged resource(s) vm:300.'],
    [{ resources: 'vm:500', nodes: 'pve9' }, 'cannot use non-existent node(s) pve9.'],
  ])('refuse %j', async (form, text) => {
    const { root } = await start({ version, ...managed });
    const reply = await root.post(rules, { rule: 'near', type: 'node-affinity', ...form });
    expect([reply.status, textOf(reply)]).toEqual([500, `create ha rule failed: ${text}`]);
  });

  test.each([
    [{}, []],
    [{ purge: 0 }, ['near']],
  ])('go with their last resource, unless it is deleted with %j', async (form: Form, left) => {
    const { root } = await start({
      version,
      ...managed,
      ha: { rules: [{ rule: 'near', type: 'node-affinity', vmids: [500], nodes: ['pve1'] }] },
    });
    await root.ok('DELETE', `${resources}/vm:500`, form);
    expect((await root.ok('GET', rules)).map((one: Loose) => one.rule)).toEqual(left);
  });
});

describe.each(versions)('%s: resources', (version) => {
  test.each([
    [{ sid: 'vm:300' }, undefined],
    [{ sid: '300', comment: 'x', max_restart: 2 }, undefined],
    [{ sid: 'vm:500' }, "create resource failed: resource ID 'vm:500' already defined"],
    [{ sid: 'vm:999' }, "resource 'vm:999' does not exist in cluster"],
    [{ sid: 'ct:300' }, "resource 'ct:300' - guest with ID 300 is not a CT"],
    [{ sid: '999' }, 'unable to detect SID from VMID - VM/CT 999 does not exist'],
    [{ sid: 'vm:300', type: 'ct' }, 'types does not match'],
  ])('%j: %s', async (form: Form, problem) => {
    const { root } = await start({
      version,
      guests: [...managed.guests, { vmid: 300, name: 'free', node: 'pve1', storage: 'ceph' }],
    });
    const reply = await root.post(resources, form);
    expect([reply.status, textOf(reply)]).toEqual(problem === undefined ? [200, 'OK'] : [500, problem]);
    if (problem !== undefined) return;
    const isCommented = form['comment'] !== undefined;
    const row = await root.ok('GET', `${resources}/vm:300`);
    expect(row).toMatchObject({
      sid: 'vm:300',
      type: 'vm',
      state: 'started',
      ...(isCommented ? { comment: 'x' } : {}),
    });
  });

  test('rights: reading takes Sys.Audit, writing Sys.Console', async () => {
    const { as } = await start({
      version,
      ...managed,
      users: [{ userid: 'a@pve', tokens: [{ id: 't', secret: 's', privsep: false }] }],
      acl: [{ path: '/', role: 'PVEAuditor', user: 'a@pve' }],
    });
    const anna = as('a@pve!t=s');
    expect((await anna.get(resources)).status).toBe(200);
    expect((await anna.del(`${resources}/vm:500`)).reason).toBe('Permission check failed (/, Sys.Console)');
  });
});

describe.each(versions)('%s: the manager', (version) => {
  test('stops and starts some seconds after the request, by tasks of root@pam', async () => {
    const started = await start({ version, ...managed });
    const { root } = started;
    const power = '/nodes/pve1/qemu/500/status';
    const running = async (): Promise<string> => (await root.ok('GET', `${power}/current`)).status;
    expect(await root.task('POST', `${power}/stop`)).toBe('OK');
    await later(started, 20);
    expect(await running()).toBe('stopped');
    expect(await tasksOf(root, 'pve1', 500)).toContain('qmstop root@pam OK');
    expect(await between(root, 'pve1', 'hastop', 'qmstop')).toBeGreaterThanOrEqual(8);
    expect(await root.task('POST', `${power}/start`)).toBe('OK');
    await later(started, 20);
    expect(await running()).toBe('running');
    expect(await tasksOf(root, 'pve1', 500)).toContain('qmstart root@pam OK');
    expect(await between(root, 'pve1', 'hastart', 'qmstart')).toBeGreaterThanOrEqual(2);
  });

  test('moves half a minute after the request; a stop sent meanwhile is lost, and works when sent again', async () => {
    const started = await start({ version, ...managed, latency: { migrate_s: 100 } });
    const { root } = started;
    expect(await root.task('POST', '/nodes/pve1/qemu/500/migrate', { target: 'pve2', online: 1 })).toBe('OK');
    await later(started, 10);
    expect(await haOf(root)).toMatchObject({ node: 'pve1', hastate: 'migrate' });
    expect(await root.task('POST', '/nodes/pve1/qemu/500/status/stop')).toBe('OK');
    await later(started, 300);
    expect(await between(root, 'pve1', 'hamigrate', 'qmigrate')).toBeGreaterThanOrEqual(16);
    expect(await haOf(root)).toMatchObject({ node: 'pve2', hastate: 'started', status: 'running' });
    expect(await tasksOf(root, 'pve1', 500)).toContain('qmigrate root@pam OK');
    await root.task('POST', '/nodes/pve2/qemu/500/status/stop');
    await later(started, 30);
    expect(await haOf(root)).toMatchObject({ hastate: 'stopped', status: 'stopped' });
  });

  test('the configured state `stopped` outlives a migration', async () => {
    const started = await start({ version, ...managed, latency: { migrate_s: 100 } });
    const { root } = started;
    await root.task('POST', '/nodes/pve1/qemu/500/migrate', { target: 'pve2', online: 1 });
    await later(started, 10);
    await root.ok('PUT', `${resources}/vm:500`, { state: 'stopped' });
    await later(started, 300);
    expect(await haOf(root)).toMatchObject({ node: 'pve2', status: 'stopped' });
  });

  test('a service that does not start is tried twice and left in error until it is disabled', async () => {
    const started = await start({
      version,
      guests: [{ ...managed.guests[0], running: false, bridge: 'vmbr9' }],
    } as Parameters<typeof start>[0]);
    const { root } = started;
    const power = '/nodes/pve1/qemu/500/status/start';
    await root.task('POST', power);
    await later(started, 60);
    expect((await tasksOf(root, 'pve1', 500)).filter((one) => one.startsWith('qmstart'))).toHaveLength(2);
    expect(await haOf(root)).toMatchObject({ hastate: 'error' });
    const text = "service 'vm:500' in error state, must be disabled and fixed first";
    expect(textOf(await root.post(power))).toBe(text);
    expect(textOf(await root.put(`${resources}/vm:500`, { state: 'started' }))).toBe(text);
    await root.ok('PUT', `${resources}/vm:500`, { state: 'disabled' });
    expect(await haOf(root)).toMatchObject({ hastate: 'disabled' });
  });

  test('an ignored service is worked on directly', async () => {
    const { root } = await start({ version, ...managed });
    await root.ok('PUT', `${resources}/vm:500`, { state: 'ignored' });
    const upid = await root.ok('POST', '/nodes/pve1/qemu/500/status/stop');
    expect(upid).toContain(':qmstop:500:');
  });
});

describe.each(versions)('%s: maintenance', (version) => {
  const nodes = (bridges: string[]) => [
    { name: 'pve1', maintenance: true, bridges: ['vmbr0', 'vmbr7'] },
    { name: 'pve2', bridges },
    { name: 'pve3', bridges },
  ];

  test('services leave the node', async () => {
    const started = await start({ version, ...managed, nodes: nodes(['vmbr0']) });
    await later(started, 60);
    expect(await haOf(started.root)).toMatchObject({ node: 'pve2', hastate: 'started' });
  });

  test('a cluster that is saved while one leaves goes on with it', async () => {
    const { sim, time } = await start({ version, ...managed, nodes: nodes(['vmbr0']) });
    for (let second = 0; sim.snapshot().ha.resources[0]?.status !== 'migrate'; second += 1) {
      expect(second).toBeLessThan(60);
      await time.sleep(1000);
    }
    const again = await start({ version }, { state: sim.snapshot() });
    await later(again, 60);
    expect(await haOf(again.root)).toMatchObject({ node: 'pve2', hastate: 'started' });
  });

  test('a move that fails is tried again, for ever', async () => {
    const guests = [{ ...managed.guests[0], vmid: 500, name: 'web', node: 'pve1', bridge: 'vmbr7' }];
    const started = await start({ version, guests, nodes: nodes(['vmbr0']) });
    const tries = async (): Promise<number> =>
      (await tasksOf(started.root, 'pve1', 500)).filter((one) => one.endsWith('migration problems')).length;
    await later(started, 120);
    const first = await tries();
    await later(started, 120);
    expect(first).toBeGreaterThan(1);
    expect(await tries()).toBeGreaterThan(first);
    expect(await haOf(started.root)).toMatchObject({ node: 'pve1' });
  });
});
