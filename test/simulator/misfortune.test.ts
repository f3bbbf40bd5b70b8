/** What goes wrong around a call: workers that die, a lost quorum, answers that break off. */
import { describe, expect, test } from 'vitest';
import { contractOf } from '../../src/lib/simulator/contract/contract.ts';
import { Router } from '../../src/lib/simulator/http/router.ts';
import { start, type Form, type Loose } from './harness.ts';

const versions = ['7.4', '8.4', '9.2'] as const;

test('a worker that dies before it runs: the call fails, nothing has begun, and repeating is safe', async () => {
  const { root, sim } = await start();
  sim.addFault({
    match: { method: 'POST', path: '/nodes/{node}/qemu/{vmid}/clone' },
    once: true,
    action: 'no-worker',
  });
  const clone = (): ReturnType<typeof root.post> => root.post('/nodes/pve1/qemu/100/clone', { newid: 10001 });
  expect(await root.post('/nodes/pve1/qemu/100/clone', { newid: 303 })).toMatchObject({ status: 500 });
  sim.addFault({
    match: { method: 'POST', path: '/nodes/{node}/qemu/{vmid}/clone' },
    once: true,
    action: 'no-worker',
  });
  expect(await clone()).toMatchObject({ status: 500, reason: 'got no worker upid - start worker failed' });
  expect(await root.ok('GET', '/nodes/pve1/tasks', { source: 'all' })).toEqual([]);
  expect(sim.snapshot().guests.some((guest) => guest.vmid === 10001)).toBe(false);
  expect(await root.ended((await clone()).data)).toBe('OK');
});

/** Of each task that the contract knows one: off at 500 and 400, running at 501 and 401. */
const TASKS: readonly (readonly [method: string, path: string, form?: Form])[] = [
  ['POST', '/nodes/pve1/qemu', { vmid: 9000 }],
  ['POST', '/nodes/pve1/qemu/100/clone', { newid: 9000 }],
  ['POST', '/nodes/pve1/qemu/503/template'],
  ['POST', '/nodes/pve1/qemu/500/config', { memory: 4096 }],
  ['PUT', '/nodes/pve1/qemu/500/resize', { disk: 'scsi0', size: '+1G' }],
  ['POST', '/nodes/pve1/qemu/500/move_disk', { disk: 'scsi0', storage: 'local-lvm' }],
  ['POST', '/nodes/pve1/qemu/500/snapshot', { snapname: 'new' }],
  ['DELETE', '/nodes/pve1/qemu/500/snapshot/old'],
  ['POST', '/nodes/pve1/qemu/500/snapshot/old/rollback'],
  ['POST', '/nodes/pve1/qemu/500/migrate', { target: 'pve2' }],
  ['DELETE', '/nodes/pve1/qemu/500'],
  ['POST', '/nodes/pve1/qemu/500/status/start'],
  ...['stop', 'shutdown', 'reboot', 'reset', 'suspend'].map(
    (word) => ['POST', `/nodes/pve1/qemu/501/status/${word}`] as const,
  ),
  ['POST', '/nodes/pve1/qemu/502/status/resume'],
  ['POST', '/nodes/pve1/lxc/400/status/start'],
  ['POST', '/nodes/pve1/lxc/400/status/resume'],
  ...['stop', 'shutdown', 'reboot', 'suspend'].map(
    (word) => ['POST', `/nodes/pve1/lxc/401/status/${word}`] as const,
  ),
  ['POST', '/nodes/pve1/lxc/400/migrate', { target: 'pve2' }],
  ['PUT', '/nodes/pve1/network'],
  ['PUT', '/cluster/sdn'],
];

test('every task can be made to fail, and then nothing has come of it', async () => {
  const place = { node: 'pve1', storage: 'ceph', disk_gib: 1 };
  const { root, sim } = await start({
    version: '9.2',
    guests: [
      { vmid: 500, name: 'off', ...place, running: false, snapshots: ['old'] },
      { vmid: 501, name: 'on', ...place },
      { vmid: 503, name: 'bare', ...place, running: false },
      { vmid: 502, name: 'paused', ...place },
      { vmid: 400, name: 'ct-off', ...place, type: 'lxc', running: false },
      { vmid: 401, name: 'ct-on', ...place, type: 'lxc' },
    ],
  });
  expect(await root.task('POST', '/nodes/pve1/qemu/502/status/suspend')).toBe('OK');
  sim.addFault({ match: { path: /./ }, action: 'task-fail', exitstatus: 'as planned' });
  const routes = new Router(contractOf('9.2').endpoints.values());
  const known = new Set([...contractOf('9.2').endpoints.values()].filter(({ task }) => task));
  const world = (): unknown =>
    sim.snapshot().guests.map((guest) => ({ ...guest, published: 0, publishedUntil: 0 }));
  const before = world();
  for (const [method, path, form] of TASKS) {
    const ended = await root.task(method, path, form);
    expect(`${method} ${path} ${ended}`).toBe(`${method} ${path} as planned`);
    expect([path, world()]).toEqual([path, before]);
    known.delete(routes.find(method, path)!.spec);
  }
  expect([...known].map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('a failure of tasks counts the requests that begin one', async () => {
  const { root, sim } = await start();
  sim.addFault({
    match: { path: '/nodes/{node}/qemu/{vmid}/snapshot' },
    nth: 1,
    action: 'task-fail',
    exitstatus: 'as planned',
  });
  await root.ok('GET', '/nodes/pve2/qemu/301/snapshot');
  expect(await root.task('POST', '/nodes/pve2/qemu/301/snapshot', { snapname: 'one' })).toBe('as planned');
});

describe('without quorum', () => {
  test('user.cfg cannot be locked, configurations cannot be written, reading goes on', async () => {
    const { root, sim, time } = await start();
    const upid = await root.ok('POST', '/nodes/pve1/qemu/100/clone', { newid: 10001 });
    await time.sleep(100);
    sim.addFault({ action: 'quorum-lost' });
    const config = '/nodes/pve1/qemu/100/config';
    expect((await root.post('/pools', { poolid: 'a' })).reason).toBe(
      "create pool failed: cfs-lock 'file-user_cfg' error: no quorum!",
    );
    const refused = await root.put(config, { description: 'x' });
    expect(refused.status).toBe(500);
    expect(refused.reason).toMatch(
      /^unable to open file '\/etc\/pve\/nodes\/pve1\/qemu-server\/100\.conf\.tmp\.\d+' - Permission denied$/,
    );
    expect(await root.task('POST', config, { description: 'x' })).toMatch(/Permission denied$/);
    for (const [path, form] of [
      ['/nodes/pve1/qemu/100/clone', { newid: 10002 }],
      ['/nodes/pve1/qemu', { vmid: 10002 }],
      ['/nodes/pve3/qemu/303/status/start', {}],
    ] as const) {
      expect((await root.post(path, form)).reason).toBe('cluster not ready - no quorum?');
    }
    expect(await root.ended(upid)).toMatch(/^clone failed: .*(?:no quorum!|Permission denied)/);
    const status = await root.ok('GET', '/cluster/status');
    expect(status.find((row: Loose) => row.type === 'cluster').quorate).toBe(0);
    expect(await root.ok('GET', config)).not.toHaveProperty('description');
    sim.addFault({ action: 'quorum-back' });
    expect((await root.put(config, { description: 'x' })).status).toBe(200);
  });

  test('it is lost with half of the nodes, and comes back with them', async () => {
    const { root, sim } = await start();
    sim.addFault({ action: 'node-offline', node: 'pve2' });
    expect((await root.post('/pools', { poolid: 'a' })).status).toBe(200);
    sim.addFault({ action: 'node-offline', node: 'pve3' });
    expect((await root.post('/pools', { poolid: 'b' })).reason).toMatch(/no quorum!$/);
    sim.addFault({ action: 'node-online', node: 'pve3', afterSeconds: 3 });
    expect((await root.post('/pools', { poolid: 'b' })).status).toBe(200);
  });
});

test.each(versions)('%s: an error text beyond U+00FF is never answered', async (version) => {
  const { root, sim } = await start({ version });
  // Refused in the process that holds the connection: the connection ends.
  await expect(root.get('/access/permissions', { userid: 'анна@pve' })).rejects.toThrow(/socket hang up/);
  // Refused behind it: the answer between the two ends.
  const form = { path: '/vms', roles: 'PVEVMUser', users: 'анна@pve' };
  const relayed = await root.put('/access/acl', form);
  expect([relayed.status, relayed.text]).toEqual([596, '']);
  // Up to U+00FF there are bytes for it.
  expect((await root.put('/access/acl', { ...form, users: 'zoë@pve' })).status).toBe(500);
  expect(sim.requests.map((request) => request.status)).toEqual([0, 596, 500]);
});
