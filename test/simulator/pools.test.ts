/** Pools: claims, refusals, all or nothing. */
import { expect, test } from 'vitest';
import { secret, start, userWithToken, type Loose } from './harness.ts';

test('a claim may name machines that do not exist yet; they are not shown', async () => {
  const { root } = await start();
  await root.ok('POST', '/pools', { poolid: 'anna', comment: 'line 1\nline 2' });
  await root.ok('PUT', '/pools', { poolid: 'anna', vms: '303,10001,10002', comment: 'new\ncomment' });
  const [pool] = await root.ok('GET', '/pools', { poolid: 'anna' });
  expect(pool).toMatchObject({ poolid: 'anna', comment: 'new\ncomment' });
  expect(pool.members.map((one: Loose) => one.vmid)).toEqual([303]);
  expect((await root.put('/pools', { poolid: 'anna', vms: '10001' })).reason).toBe(
    'update pools failed: VM 10001 is already a pool member',
  );
});

test('one refused id and nothing is written', async () => {
  const { root, sim } = await start();
  await root.ok('POST', '/pools', { poolid: 'a' });
  await root.ok('POST', '/pools', { poolid: 'b' });
  await root.ok('PUT', '/pools', { poolid: 'a', vms: '10001' });
  const refused = await root.put('/pools', { poolid: 'b', vms: '10002,10001', comment: 'changed' });
  expect(refused.reason).toBe(
    "update pools failed: VM 10001 belongs already to pool 'a' and 'allow-move' is not set",
  );
  expect(sim.snapshot().pools.find((pool) => pool.poolid === 'b')).toMatchObject({ vms: [], comment: '' });
  await root.ok('PUT', '/pools', { poolid: 'b', vms: '10002,10001', 'allow-move': 1 });
  expect(sim.snapshot().pools.find((pool) => pool.poolid === 'a')?.vms).toEqual([]);
  expect((await root.put('/pools', { poolid: 'a', vms: '10001', delete: 1 })).reason).toBe(
    'update pools failed: VM 10001 is not a pool member',
  );
});

test('creation is exclusive; parents come first', async () => {
  const { root } = await start();
  await root.ok('POST', '/pools', { poolid: 'a' });
  expect((await root.post('/pools', { poolid: 'a' })).reason).toBe(
    "create pool failed: pool 'a' already exists",
  );
  await root.ok('POST', '/pools', { poolid: 'a/b' });
  expect((await root.post('/pools', { poolid: 'x/y' })).reason).toBe(
    "create pool failed: parent 'x' of pool 'x/y' does not exist",
  );
  expect((await root.del('/pools', { poolid: 'a' })).reason).toBe(
    "delete pool failed: pool 'a' is not empty (contains pool 'a/b')",
  );
});

test('only empty pools go, and members that do not exist do not count', async () => {
  const { root, sim } = await start();
  expect((await root.del('/pools', { poolid: 'infra' })).reason).toBe(
    "delete pool failed: pool 'infra' is not empty (contains VM 300)",
  );
  await root.ok('POST', '/pools', { poolid: 'a' });
  await root.ok('PUT', '/pools', { poolid: 'a', vms: '10001' });
  await root.ok('PUT', '/access/acl', { path: '/pool/a', users: 'teacher@pve', roles: 'PVEVMUser' });
  await root.ok('DELETE', '/pools', { poolid: 'a' });
  expect(sim.snapshot().acl.some((entry) => entry.path === '/pool/a')).toBe(false);
  expect((await root.get('/pools', { poolid: 'a' })).reason).toBe("pool 'a' does not exist");
});

test('7.4 addresses pools by path and answers with an object', async () => {
  const { root } = await start({ version: '7.4' });
  await root.ok('POST', '/pools', { poolid: 'a' });
  await root.ok('PUT', '/pools/a', { vms: '10001,303' });
  expect((await root.ok('GET', '/pools/a')).members).toHaveLength(1);
  await root.ok('POST', '/pools', { poolid: 'b' });
  expect((await root.put('/pools/b', { vms: '10001' })).reason).toBe(
    "update pools failed: VM 10001 belongs already to pool 'a'",
  );
  expect((await root.get('/pools', { poolid: 'a' })).status).toBe(400);
  expect((await root.put('/pools/b', { 'allow-move': 1 })).status).toBe(400);
  await root.ok('DELETE', '/pools/b');
});

test('8.1+ still knows the path form, for names without slash', async () => {
  const { root } = await start();
  await root.ok('POST', '/pools', { poolid: 'a' });
  await root.ok('POST', '/pools', { poolid: 'a/b' });
  expect(await root.ok('GET', '/pools/a')).toEqual({ members: [] });
  expect((await root.get('/pools/a%2Fb')).status).toBe(501);
});

test('members need VM.Allocate or Permissions.Modify on each machine; the refusal is a 500', async () => {
  const { as } = await start({
    users: [userWithToken('anna@pve')],
    acl: [
      { path: '/pool', role: 'PVEPoolAdmin', user: 'anna@pve' },
      { path: '/vms/10001', role: 'PVEVMAdmin', user: 'anna@pve' },
    ],
  });
  const anna = as(`anna@pve!t=${secret}`);
  await anna.ok('POST', '/pools', { poolid: 'a' });
  await anna.ok('PUT', '/pools', { poolid: 'a', vms: '10001' });
  const refused = await anna.put('/pools', { poolid: 'a', vms: '10002' });
  expect(refused).toMatchObject({ status: 500 });
  expect(refused.reason).toMatch(/^update pools failed: 403 Permission check failed \(\/vms\/10002, /);
});
