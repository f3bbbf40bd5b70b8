/** What goes wrong around a call: workers that die, a lost quorum, answers that break off. */
import { describe, expect, test } from 'vitest';
import { start, type Loose } from './harness.ts';

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
