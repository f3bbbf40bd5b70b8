/** Pools: claims, refusals, all or nothing. */
import { expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
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

/** Two students, each with full rights on the own pool, as a class is set up. */
const students: Partial<Scenario> = {
  users: [userWithToken('anna@pve'), userWithToken('bert@pve')],
  pools: [{ pool: 'm-anna', vms: [10001], comment: 'net:10001' }, { pool: 'b-bert' }, { pool: 'z-bert' }],
  acl: [
    { path: '/pool/m-anna', role: 'PVEVMAdmin', user: 'anna@pve' },
    { path: '/pool/b-bert', role: 'PVEVMAdmin', user: 'bert@pve' },
    { path: '/pool/z-bert', role: 'PVEVMAdmin', user: 'bert@pve' },
  ],
};
const versions = ['7.4', '8.4', '9.2'] as const;

test.each(
  versions.flatMap((version) => [
    { version, pool: 'b-bert', owner: 'bert@pve', other: 'anna@pve' },
    { version, pool: 'z-bert', owner: 'anna@pve', other: 'bert@pve' },
  ]),
)('$version: a claim keeps nobody out; made for $pool the machine is $owner’s', async (one) => {
  const { as, root, sim } = await start({ ...students, version: one.version });
  const [anna, bert] = [as(`anna@pve!t=${secret}`), as(`bert@pve!t=${secret}`)];
  const form = { vmid: 10001, pool: one.pool, description: 'net:10001' };
  expect(await bert.task('POST', '/nodes/pve1/qemu', form)).toBe('OK');
  const config = '/nodes/pve1/qemu/10001/config';
  const byName = { 'anna@pve': anna, 'bert@pve': bert };
  expect((await byName[one.owner as keyof typeof byName].put(config, { cores: 2 })).status).toBe(200);
  expect((await byName[one.other as keyof typeof byName].get(config)).status).toBe(403);
  const claims = (): unknown =>
    sim
      .snapshot()
      .pools.filter((pool) => pool.vms.includes(10001))
      .map((pool) => pool.poolid);
  expect(claims()).toEqual([one.owner === 'bert@pve' ? 'b-bert' : 'm-anna']);
  // Its end takes the claim along; what the comment says stays.
  expect(await root.task('DELETE', '/nodes/pve1/qemu/10001')).toBe('OK');
  expect(claims()).toEqual([]);
  expect(sim.snapshot().pools.find((pool) => pool.poolid === 'm-anna')?.comment).toBe('net:10001');
  const remove = { vms: '10001', delete: 1 };
  const gone =
    one.version === '7.4'
      ? root.put('/pools/m-anna', remove)
      : root.put('/pools', { poolid: 'm-anna', ...remove });
  expect(await gone).toMatchObject({
    status: 500,
    reason: 'update pools failed: VM 10001 is not a pool member',
  });
});

test.each(['8.4', '9.2'] as const)(
  '%s: by query everybody reads every pool, by path and list only its own',
  async (version) => {
    const { as } = await start({ ...students, version });
    const bert = as(`bert@pve!t=${secret}`);
    expect(await bert.ok('GET', '/pools', { poolid: 'm-anna' })).toMatchObject([{ comment: 'net:10001' }]);
    expect((await bert.get('/pools/m-anna')).reason).toBe(
      'Permission check failed (/pool/m-anna, Pool.Audit)',
    );
    expect(await bert.ok('GET', '/pools')).toEqual([]);
  },
);

test('7.4 reads pools by path alone, with Pool.Audit', async () => {
  const { as } = await start({ ...students, version: '7.4' });
  const reply = await as(`bert@pve!t=${secret}`).get('/pools/m-anna');
  expect(reply.reason).toBe('Permission check failed (/pool/m-anna, Pool.Audit)');
});

test('a pool that is missing is a 500, by every verb', async () => {
  const { root } = await start();
  for (const [reply, prefix] of [
    [await root.get('/pools', { poolid: 'x' }), ''],
    [await root.put('/pools', { poolid: 'x', comment: 'y' }), 'update pools failed: '],
    [await root.del('/pools', { poolid: 'x' }), 'delete pool failed: '],
  ] as const) {
    expect(reply).toMatchObject({ status: 500, reason: `${prefix}pool 'x' does not exist` });
  }
});

test.each(versions)(
  '%s: comments lose outer blanks and a lone 0, and an empty one clears',
  async (version) => {
    const { root, sim } = await start({ version });
    await root.ok('POST', '/pools', { poolid: 'a', comment: '  \n x:y%\t\n ' });
    const comment = (): string | undefined =>
      sim.snapshot().pools.find((pool) => pool.poolid === 'a')?.comment;
    const put = (text: string): Promise<unknown> =>
      version === '7.4'
        ? root.ok('PUT', '/pools/a', { comment: text })
        : root.ok('PUT', '/pools', { poolid: 'a', comment: text });
    expect(comment()).toBe('\n x:y%\t\n');
    const long = 'ж7 '.repeat(version === '7.4' ? 1_000 : 20_000).trim();
    await put(long);
    expect(comment()).toBe(long);
    await put('');
    expect(comment()).toBe('');
    await put('0');
    expect(comment()).toBe('');
  },
);

test('a pool admin makes pools below the own one, and their grants outlive them', async () => {
  const { as, root } = await start({
    users: [userWithToken('anna@pve'), userWithToken('teacher@pve')],
    pools: [{ pool: 'a' }],
    acl: [{ path: '/pool/a', role: 'PVEPoolAdmin', user: 'anna@pve' }],
  });
  const anna = as(`anna@pve!t=${secret}`);
  await anna.ok('PUT', '/pools', { poolid: 'a', comment: 'mine' });
  await anna.ok('POST', '/pools', { poolid: 'a/b' });
  expect((await anna.post('/pools', { poolid: 'c' })).reason).toBe(
    'Permission check failed (/pool/c, Pool.Allocate)',
  );
  await root.ok('PUT', '/access/acl', { path: '/pool/a/b', users: 'teacher@pve', roles: 'PVEVMUser' });
  await anna.ok('DELETE', '/pools', { poolid: 'a/b' });
  const rows = await root.ok('GET', '/access/acl');
  expect(rows.map((row: Loose) => row.path)).toContain('/pool/a/b');
});
