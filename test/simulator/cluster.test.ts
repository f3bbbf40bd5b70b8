/** Cluster-wide reading, numbers, tasks, faults. */
import { describe, expect, test } from 'vitest';
import { secret, start, userWithToken, type Loose } from './harness.ts';

const clone = '/nodes/pve1/qemu/100/clone';

describe('resources', () => {
  test('lag: node, lock and pool at once, name and status with the next cycle', async () => {
    const { root, sim, time } = await start({ latency: { linked_clone_s: 1.5 } });
    await root.task('POST', clone, { newid: 10001, name: 'fresh', pool: 'infra' });
    const made = sim.now();
    const row = async (): Promise<Loose> =>
      (await root.ok('GET', '/cluster/resources', { type: 'vm' })).find((one: Loose) => one.vmid === 10001);
    expect(await row()).toEqual({
      id: 'qemu/10001',
      vmid: 10001,
      type: 'qemu',
      node: 'pve1',
      status: 'unknown',
      pool: 'infra',
    });
    while ((await row()).status === 'unknown') await time.sleep(100);
    expect(sim.now() - made).toBeLessThan(15_000);
    expect(await row()).toMatchObject({ name: 'fresh', status: 'stopped', template: 0 });
    await root.ok('PUT', '/nodes/pve1/qemu/10001/config', { name: 'renamed', tags: 'b;a' });
    expect(await row()).toMatchObject({ name: 'fresh', tags: 'a;b' });
    expect((await root.ok('GET', '/nodes/pve1/qemu')).find((one: Loose) => one.vmid === 10001).name).toBe(
      'renamed',
    );
    while ((await row()).name !== 'renamed') await time.sleep(100);
  });

  test('types, and pools only without a type', async () => {
    const { root } = await start();
    const types = async (form: Record<string, string>): Promise<string[]> => [
      ...new Set<string>((await root.ok('GET', '/cluster/resources', form)).map((row: Loose) => row.type)),
    ];
    expect((await types({})).sort()).toEqual(['lxc', 'node', 'pool', 'qemu', 'sdn', 'storage']);
    expect(await types({ type: 'storage' })).toEqual(['storage']);
    expect((await root.get('/cluster/resources', { type: 'pool' })).status).toBe(400);
  });

  test('a node that is down, and one in maintenance', async () => {
    const { root } = await start({
      nodes: [{ name: 'pve1' }, { name: 'pve2', online: false }, { name: 'pve3', maintenance: true }],
    });
    const rows = await root.ok('GET', '/cluster/resources');
    const node = (name: string): Loose => rows.find((row: Loose) => row.id === `node/${name}`);
    expect(node('pve1')).toMatchObject({ status: 'online', hastate: 'online' });
    expect(node('pve2')).toMatchObject({ status: 'offline', hastate: 'unknown' });
    expect(node('pve3')).toMatchObject({ status: 'online', hastate: 'maintenance' });
    expect(rows.find((row: Loose) => row.vmid === 301).status).toBe('unknown');
    const { manager_status } = await root.ok('GET', '/cluster/ha/status/manager_status');
    expect(manager_status.node_status).toEqual({ pve1: 'online', pve2: 'unknown', pve3: 'maintenance' });
    const old = await start({ version: '7.4' });
    expect((await old.root.ok('GET', '/nodes'))[0]).not.toHaveProperty('hastate');
  });
});

test('nextid gives the smallest free number and reserves nothing', async () => {
  const { root } = await start({ datacenter: { 'next-id': 'lower=100,upper=104' } });
  expect(await root.ok('GET', '/cluster/nextid')).toBe('103');
  expect(await root.ok('GET', '/cluster/nextid')).toBe('103');
  expect((await root.get('/cluster/nextid', { vmid: 100 })).body.errors).toEqual({
    vmid: 'VM 100 already exists',
  });
  await root.task('POST', clone, { newid: 103 });
  expect((await root.get('/cluster/nextid')).reason).toBe('unable to get any free VMID in range [100, 103]');
});

test('SDN is there from 8 on; 7.4 does not know it unless installed', async () => {
  expect(await (await start()).root.ok('GET', '/cluster/sdn/vnets')).toEqual([]);
  expect((await (await start({ version: '7.4' })).root.get('/cluster/sdn/vnets')).status).toBe(501);
  const installed = await start({
    version: '7.4',
    sdn: { zones: [{ zone: 'z', type: 'vlan' }], vnets: [{ vnet: 'v1', zone: 'z', tag: 5 }] },
  });
  expect(await installed.root.ok('GET', '/cluster/sdn/vnets')).toMatchObject([
    { vnet: 'v1', zone: 'z', tag: 5 },
  ]);
});

test.each([
  '/cluster/status',
  '/cluster/options',
  '/cluster/tasks',
  '/cluster/ha/status/current',
  '/cluster/ha/resources',
  '/nodes/pve1/version',
  '/nodes/pve1/status',
  '/nodes/pve1/storage',
  '/nodes/pve1/storage/ceph/status',
  '/nodes/pve1/storage/ceph/content',
  '/nodes/pve3/lxc',
  '/nodes/pve3/lxc/302/config',
  '/storage',
  '/storage/ceph',
  '/access',
  '/access/permissions',
  '/nodes/pve1/rrddata?timeframe=hour',
  '/nodes/pve1/qemu/100/feature?feature=clone',
])('GET %s answers', async (path) => {
  for (const version of ['7.4', '9.2'] as const) {
    const { root } = await start({ version });
    expect(await root.ok('GET', path)).toBeTruthy();
  }
});

test('rrddata is about the node that is named, whichever answers', async () => {
  const nodes = [
    { name: 'pve1', cpus: 8, base_load: 0.1 },
    { name: 'pve2', cpus: 8, base_load: 0.6 },
  ];
  const { root } = await start({ nodes, storages: [{ id: 'ceph', type: 'rbd' }], templates: [], guests: [] });
  const rows = await root.ok('GET', '/nodes/pve2/rrddata', { timeframe: 'hour', cf: 'AVERAGE' });
  expect(rows.at(-1).cpu).toBeCloseTo(0.6);
});

describe('tasks', () => {
  test('running ones hide from the archive; filters', async () => {
    const { root } = await start({ latency: { linked_clone_s: 60 } });
    const upid = await root.ok('POST', clone, { newid: 10001 });
    const list = async (form: Record<string, string | number>): Promise<string[]> =>
      (await root.ok('GET', '/nodes/pve1/tasks', form)).map((task: Loose) => task.upid);
    expect(await list({})).toEqual([]);
    expect(await list({ source: 'active' })).toEqual([upid]);
    expect((await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/status`)).status).toBe(
      'running',
    );
    await root.ended(upid);
    expect(await list({})).toEqual([upid]);
    expect(await list({ source: 'active' })).toEqual([]);
    expect(await list({ vmid: 100, typefilter: 'qmclone', source: 'all' })).toEqual([upid]);
    expect(await list({ vmid: 101 })).toEqual([]);
    expect(await list({ typefilter: 'qmstart' })).toEqual([]);
    expect(await list({ errors: 1 })).toEqual([]);
    expect(await list({ statusfilter: 'ok' })).toEqual([upid]);
    expect(await list({ since: 4_000_000_000 })).toEqual([]);
    expect(await list({ userfilter: 'root@pam' })).toEqual([upid]);
    expect(await list({ limit: 0 })).toEqual([]);
  });

  test('a token sees its own tasks only, a user also those of his tokens; auditors see all', async () => {
    const { root, as } = await start({
      users: [userWithToken('anna@pve'), userWithToken('audit@pve')],
      acl: [
        { path: '/nodes', role: 'PVEAuditor', user: 'audit@pve' },
        { path: '/vms', role: 'PVEVMUser', user: 'anna@pve' },
      ],
    });
    const upid = await root.ok('POST', clone, { newid: 10001 });
    const own = await as(`anna@pve!t=${secret}`).ok('POST', '/nodes/pve1/qemu/300/status/stop');
    const sees = async (user: string): Promise<string[]> =>
      (await as(`${user}!t=${secret}`).ok('GET', '/nodes/pve1/tasks', { source: 'all' })).map(
        (task: Loose) => task.upid,
      );
    expect(await sees('anna@pve')).toEqual([own]);
    expect((await sees('audit@pve')).sort()).toEqual([upid, own].sort());
    const foreign = await as(`anna@pve!t=${secret}`).get(
      `/nodes/pve1/tasks/${encodeURIComponent(upid)}/status`,
    );
    expect(foreign).toMatchObject({
      status: 403,
      reason: 'Permission check failed (/nodes/pve1, Sys.Audit)',
    });
  });

  test('logs are paged and never empty', async () => {
    const { root } = await start();
    const upid = await root.ok('POST', clone, { newid: 10001 });
    await root.ended(upid);
    const log = await root.get(`/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`, { start: 2, limit: 1 });
    expect(log.body.total).toBe(3);
    expect(log.data).toEqual([{ n: 3, t: 'TASK OK' }]);
    expect((await root.get('/nodes/pve1/tasks/nonsense/status')).body.errors).toEqual({
      upid: 'unable to parse worker upid',
    });
  });

  test('stopping a task lets it clean up', async () => {
    const { root, sim, time } = await start({ latency: { linked_clone_s: 100 } });
    const upid = await root.ok('POST', clone, { newid: 10001 });
    await time.sleep(100);
    await root.ok('DELETE', `/nodes/pve1/tasks/${encodeURIComponent(upid)}`);
    expect(await root.ended(upid)).toBe('clone failed: interrupted by signal');
    expect(sim.snapshot().guests.some((guest) => guest.vmid === 10001)).toBe(false);
  });
});

describe('faults', () => {
  test('fail: the n-th, every, once', async () => {
    const { root, sim } = await start();
    sim.addFault({ match: { path: '/version' }, nth: 2, action: 'fail', status: 500, text: 'boom' });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await root.get('/version')).status);
    expect(statuses).toEqual([200, 500, 200]);
    sim.addFault({
      match: { path: /^\/nodes\/pve1\// },
      every: 2,
      action: 'fail',
      status: 599,
      text: 'Too many redirections',
    });
    expect((await root.get('/nodes/pve1/version')).status).toBe(200);
    expect((await root.get('/nodes/pve1/status')).status).toBe(599);
    sim.addFault({
      match: { method: 'POST', path: '/pools' },
      once: true,
      action: 'fail',
      status: 500,
      text: 'once',
    });
    expect((await root.post('/pools', { poolid: 'a' })).reason).toBe('once');
    expect((await root.post('/pools', { poolid: 'a' })).status).toBe(200);
  });

  test('drop: before nothing happened, after it has', async () => {
    const { root, sim } = await start();
    sim.addFault({ match: { method: 'POST', path: '/pools' }, nth: 1, action: 'drop-before' });
    sim.addFault({ match: { method: 'POST', path: '/pools' }, nth: 2, action: 'drop-after' });
    await expect(root.post('/pools', { poolid: 'a' })).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(sim.snapshot().pools.some((pool) => pool.poolid === 'a')).toBe(false);
    await expect(root.post('/pools', { poolid: 'a' })).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(sim.snapshot().pools.some((pool) => pool.poolid === 'a')).toBe(true);
    expect(sim.requests.map((request) => request.status)).toEqual([0, 0]);
  });

  test('slow, task-fail and warnings', async () => {
    const { root, sim } = await start();
    sim.addFault({ match: { path: '/version' }, once: true, action: 'slow', ms: 8_000 });
    const before = sim.now();
    await root.get('/version');
    expect(sim.now() - before).toBeGreaterThanOrEqual(8_000);
    sim.addFault({
      match: { path: '/nodes/{node}/qemu/{vmid}/clone' },
      nth: 1,
      action: 'task-fail',
      exitstatus: 'clone failed: disk full',
    });
    expect(await root.task('POST', clone, { newid: 10001 })).toBe('clone failed: disk full');
    expect(sim.snapshot().guests.some((guest) => guest.vmid === 10001)).toBe(false);
    sim.addFault({
      match: { path: '/nodes/{node}/qemu/{vmid}/clone' },
      nth: 1,
      action: 'task-fail',
      exitstatus: 'WARNINGS: 1',
    });
    expect(await root.task('POST', clone, { newid: 10001 })).toBe('WARNINGS: 1');
    expect((await root.get('/nodes/pve1/qemu/10001/config')).status).toBe(200);
  });

  test('a node loses power: its tasks have no verdict, its half-made machines stay', async () => {
    const { root, sim, time } = await start({ latency: { linked_clone_s: 60 } });
    await root.task('POST', '/nodes/pve1/qemu/100/clone', { newid: 10000, full: 1, target: 'pve2' });
    await root.task('POST', '/nodes/pve2/qemu/10000/template');
    const upid = await root.ok('POST', '/nodes/pve2/qemu/10000/clone', { newid: 10001 });
    await time.sleep(100);
    sim.addFault({ action: 'node-offline', node: 'pve2' });
    expect((await root.get('/nodes/pve2/qemu')).status).toBe(595);
    sim.addFault({ action: 'node-online', node: 'pve2' });
    expect(await root.ended(upid)).toBe('unexpected status');
    expect((await root.ok('GET', '/nodes/pve2/qemu/10001/config')).lock).toBe('clone');
  });

  test('the scenario can plan both', async () => {
    const { root, sim, time } = await start({
      nodes: [{ name: 'pve1' }, { name: 'pve2', offline_at_s: 5 }, { name: 'pve3' }],
      faults: [{ path: '/version', action: 'fail', status: 503, text: 'later', nth: 1 }],
    });
    expect((await root.get('/version')).status).toBe(503);
    const begin = sim.now();
    while ((await root.get('/nodes/pve2/qemu')).status !== 595) {
      expect(sim.now() - begin).toBeLessThan(60_000);
      await time.sleep(100);
    }
  });
});

test('mutations are announced in order and awaited, requests are recorded by template', async () => {
  const events: string[] = [];
  const { root, sim } = await start(
    {},
    {
      onMutation: async ({ n, phase, method, path }) => {
        await Promise.resolve();
        events.push(`${n} ${phase} ${method} ${path}`);
      },
    },
  );
  await root.get('/version');
  await root.post('/pools', { poolid: 'a' });
  await root.del('/nodes/pve1/network');
  expect(events).toEqual([
    '1 before POST /pools',
    '1 after POST /pools',
    '2 before DELETE /nodes/pve1/network',
    '2 after DELETE /nodes/pve1/network',
  ]);
  expect(sim.requests).toMatchObject([
    { n: 1, method: 'GET', path: '/version', status: 200 },
    { n: 2, method: 'POST', path: '/pools', params: { poolid: 'a' } },
    { n: 3, method: 'DELETE', path: '/nodes/{node}/network', rawPath: '/nodes/pve1/network' },
  ]);
});
