/** Whose a machine is: pools that name it, who can read and write what pools, users and tokens say. */
import { describe, expect, test } from 'vitest';
import { login, secret, start, userWithToken, type Caller, type Loose, type Virtual } from './harness.ts';

const versions = ['7.4', '8.4', '9.2'] as const;
type Version = (typeof versions)[number];

/** Anna and Boris with a pool each; PVEVMAdmin on their own. */
async function twoStudents(version: Version): Promise<Virtual & { anna: Caller; boris: Caller }> {
  const users = ['anna@pve', 'boris@pve'];
  const started = await start({
    version,
    users: users.map(userWithToken),
    pools: [{ pool: 'anna' }, { pool: 'boris' }],
    acl: users.map((user) => ({ path: `/pool/${user.split('@')[0]}`, role: 'PVEVMAdmin', user })),
  });
  const [anna, boris] = users.map((user) => started.as(`${user}!t=${secret}`));
  if (!anna || !boris) throw new Error('two users');
  return { ...started, anna, boris };
}

const put = (
  root: Caller,
  version: Version,
  poolid: string,
  form: Record<string, string | number>,
): Promise<Loose> =>
  version === '7.4' ? root.put(`/pools/${poolid}`, form) : root.put('/pools', { poolid, ...form });

const vmsOf = ({ sim }: Virtual, poolid: string): readonly number[] | undefined =>
  sim.snapshot().pools.find((pool) => pool.poolid === poolid)?.vms;

describe.each(versions)('%s: a claimed number', (version) => {
  test('reserves nothing: who makes it in a pool that sorts first has it, and its claimant nothing', async () => {
    const started = await twoStudents(version);
    const { root, anna, boris } = started;
    expect((await put(root, version, 'boris', { vms: '10001' })).status).toBe(200);
    expect(await anna.task('POST', '/nodes/pve2/qemu', { vmid: 10001, pool: 'anna', description: 'x' })).toBe(
      'OK',
    );
    expect(vmsOf(started, 'anna')).toEqual([10001]);
    expect(vmsOf(started, 'boris')).toEqual([]);
    expect((await anna.get('/nodes/pve2/qemu/10001/config')).status).toBe(200);
    expect((await boris.get('/nodes/pve2/qemu/10001/config')).status).toBe(403);
  });

  test('made in a pool that sorts later it appears in the claiming one, and its maker is locked out', async () => {
    const started = await twoStudents(version);
    const { root, anna, boris } = started;
    expect((await put(root, version, 'anna', { vms: '10001' })).status).toBe(200);
    expect(await boris.task('POST', '/nodes/pve2/qemu', { vmid: 10001, pool: 'boris' })).toBe('OK');
    expect(vmsOf(started, 'anna')).toEqual([10001]);
    expect(vmsOf(started, 'boris')).toEqual([]);
    expect((await anna.put('/nodes/pve2/qemu/10001/config', { name: 'mine' })).status).toBe(200);
    expect((await boris.get('/nodes/pve2/qemu/10001/config')).status).toBe(403);
  });

  test('loses the membership for good when somebody makes and deletes it; the comment stays', async () => {
    const started = await twoStudents(version);
    const { root, anna } = started;
    expect((await put(root, version, 'anna', { vms: '10001', comment: 'a:10001?' })).status).toBe(200);
    expect(await anna.task('POST', '/nodes/pve1/qemu', { vmid: 10001, pool: 'anna' })).toBe('OK');
    expect(await anna.task('DELETE', '/nodes/pve1/qemu/10001')).toBe('OK');
    expect(started.sim.snapshot().pools.find((pool) => pool.poolid === 'anna')).toMatchObject({
      vms: [],
      comment: 'a:10001?',
    });
    expect((await put(root, version, 'anna', { vms: '10001', delete: 1 })).reason).toBe(
      'update pools failed: VM 10001 is not a pool member',
    );
  });

  test('a clone into a pool obeys the same rule; a pool that is gone meanwhile is no error', async () => {
    const started = await twoStudents(version);
    const { root } = started;
    await put(root, version, 'anna', { vms: '10001' });
    const clone = { newid: 10001, pool: 'boris' };
    expect(await root.task('POST', '/nodes/pve1/qemu/100/clone', clone)).toBe('OK');
    expect(vmsOf(started, 'anna')).toEqual([10001]);
    const upid = await root.ok('POST', '/nodes/pve1/qemu/100/clone', { newid: 10002, pool: 'boris' });
    await root.ok(
      'DELETE',
      version === '7.4' ? '/pools/boris' : '/pools',
      version === '7.4' ? {} : { poolid: 'boris' },
    );
    expect(await root.ended(upid)).toBe('OK');
    expect(started.sim.snapshot().guests.some((guest) => guest.vmid === 10002)).toBe(true);
  });
});

describe('who reads pools', () => {
  test.each(['8.4', '9.2'] as const)(
    '%s: everybody, by query; the list and the path form look at Pool.Audit',
    async (version) => {
      const { root, anna } = await twoStudents(version);
      await put(root, version, 'boris', { comment: 'not secret', vms: '303' });
      const [pool] = await anna.ok('GET', '/pools', { poolid: 'boris' });
      expect(pool.comment).toBe('not secret');
      expect(pool.members.map((member: Loose) => member.vmid)).toEqual([303]);
      expect(await anna.ok('GET', '/pools')).toEqual([]);
      expect((await anna.get('/pools/boris')).status).toBe(403);
      expect(await anna.get('/pools', { poolid: 'nobody' })).toMatchObject({
        status: 500,
        reason: "pool 'nobody' does not exist",
      });
    },
  );

  test('7.4: only with Pool.Audit', async () => {
    const { anna } = await twoStudents('7.4');
    expect(await anna.get('/pools/boris')).toMatchObject({
      status: 403,
      reason: 'Permission check failed (/pool/boris, Pool.Audit)',
    });
  });
});

test.each(versions)('%s: a missing pool is a 500', async (version) => {
  const { root } = await start({ version });
  const text = "pool 'x' does not exist";
  const [path, form] = version === '7.4' ? ['/pools/x', {}] : ['/pools', { poolid: 'x' }];
  expect(await root.get(path, form)).toMatchObject({ status: 500, reason: text });
  expect(await root.put(path, { ...form, comment: 'y' })).toMatchObject({
    status: 500,
    reason: `update pools failed: ${text}`,
  });
  expect(await root.del(path, form)).toMatchObject({ status: 500, reason: `delete pool failed: ${text}` });
  expect(await root.post('/nodes/pve1/qemu', { vmid: 10001, pool: 'x' })).toMatchObject({ status: 403 });
});

describe.each(versions)('%s: what is stored', (version) => {
  test('comments lose the spaces at their ends, and a lone 0; all else stays', async () => {
    const { root, sim } = await start({ version });
    const comment = `  a:b;c=%41 \n\tпривет\n {1..3}:? \t `;
    await root.ok('POST', '/pools', { poolid: 'a', comment });
    await root.ok('POST', '/pools', { poolid: 'b', comment: '0' });
    await root.ok('POST', '/access/users', { userid: 'anna@pve', comment: ' mark ', firstname: '0' });
    const comments = Object.fromEntries(sim.snapshot().pools.map((pool) => [pool.poolid, pool.comment]));
    expect(comments).toMatchObject({ a: 'a:b;c=%41 \n\tпривет\n {1..3}:? \t', b: '' });
    const anna = await root.ok('GET', '/access/users/anna@pve');
    expect(anna.comment).toBe('mark');
    expect(anna).not.toHaveProperty('firstname');
    await put(root, version, 'a', { comment: '0' });
    expect(sim.snapshot().pools.find((pool) => pool.poolid === 'a')?.comment).toBe('');
  });

  test('a pool comment of 60,000 characters and 200 members in one call', async () => {
    const { root, sim } = await start({ version });
    await root.ok('POST', '/pools', { poolid: 'a' });
    const comment = 'x'.repeat(60_000);
    const vms = Array.from({ length: 200 }, (_, i) => 10_001 + i);
    expect((await put(root, version, 'a', { comment, vms: vms.join(',') })).status).toBe(200);
    expect(sim.snapshot().pools.find((pool) => pool.poolid === 'a')).toMatchObject({ comment, vms });
  });
});

test('a pool admin has the comment and subpools; members only with a right on them', async () => {
  for (const version of ['8.4', '9.2'] as const) {
    const started = await start({
      version,
      users: [userWithToken('anna@pve')],
      pools: [{ pool: 'anna' }],
      acl: [{ path: '/pool/anna', role: 'PVEPoolAdmin', user: 'anna@pve' }],
    });
    const anna = started.as(`anna@pve!t=${secret}`);
    expect((await anna.put('/pools', { poolid: 'anna', comment: 'mine' })).status).toBe(200);
    expect((await anna.post('/pools', { poolid: 'anna/sub' })).status).toBe(200);
    expect((await anna.post('/pools', { poolid: 'other' })).status).toBe(403);
    expect(await anna.put('/pools', { poolid: 'anna', vms: '10001' })).toMatchObject({
      status: 500,
      reason: 'update pools failed: 403 Permission check failed (/vms/10001, Permissions.Modify|VM.Allocate)',
    });
    expect(
      (await anna.put('/access/acl', { path: '/pool/anna', users: 'teacher@pve', roles: 'PVEVMAdmin' }))
        .reason,
    ).toMatch(/^ACL update failed: 400 Parameter verification failed\./);
    // What is granted on a nested pool stays when the pool goes.
    await started.root.ok('PUT', '/access/acl', {
      path: '/pool/anna/sub',
      users: 'anna@pve',
      roles: 'PVEVMAdmin',
    });
    await started.root.ok('DELETE', '/pools', { poolid: 'anna/sub' });
    expect(started.sim.snapshot().acl.some((entry) => entry.path === '/pool/anna/sub')).toBe(true);
  }
});

test('names of pools: who may ask, and what they may be', async () => {
  for (const version of versions) {
    const { root, sim } = await start({ version });
    expect(await root.post('/pools', { poolid: 'a;b' })).toMatchObject({
      status: 403,
      reason: 'Permission check failed (, Pool.Allocate)',
    });
    const ticket = await login(sim, 'root@pam', 'simulator');
    expect((await ticket.post('/pools', { poolid: 'a;b' })).status).toBe(400);
    const digit = await root.post('/pools', { poolid: '1a' });
    expect(digit.reason).toBe(
      version === '9.2' ? 'create pool failed: pool name must start with a letter' : 'OK',
    );
  }
});

describe.each(versions)('%s: users', (version) => {
  const flat = (entries: readonly Loose[]): string[] =>
    entries.filter((entry) => entry.path === '/vms').map((entry) => `${entry.ugid} ${entry.roleid}`);

  test('a userid that is none is a plain 500', async () => {
    const { root } = await start({ version });
    const bad = "value 'anna' does not look like a valid user name";
    for (const reply of [
      await root.post('/access/users', { userid: 'anna' }),
      await root.get('/access/users/anna'),
      await root.del('/access/users/anna'),
      await root.get('/access/users/anna/token'),
    ]) {
      expect(reply).toMatchObject({ status: 500, reason: bad });
    }
    const long = `${'a'.repeat(61)}@pve`;
    expect((await root.post('/access/users', { userid: long })).reason).toBe(
      `user name '${long}' is too long (65 > 64)`,
    );
  });

  test('commas make a user that ACLs and groups take for several', async () => {
    const { root } = await start({ version });
    for (const userid of ['x@pve', 'y@pve', 'x@pve,y@pve', 'a,b@pve']) {
      await root.ok('POST', '/access/users', { userid });
    }
    const grant = (users: string): Promise<Loose> =>
      root.put('/access/acl', { path: '/vms', roles: 'PVEVMUser', users });
    expect((await grant('a,b@pve')).status).toBe(400);
    expect((await grant('x@pve,y@pve')).status).toBe(200);
    expect(flat(await root.ok('GET', '/access/acl'))).toEqual(['x@pve PVEVMUser', 'y@pve PVEVMUser']);
    await root.ok('PUT', `/access/users/${encodeURIComponent('x@pve,y@pve')}`, { groups: 'teachers' });
    expect((await root.ok('GET', '/access/users/x@pve')).groups).toEqual(['teachers']);
    expect((await root.ok('GET', `/access/users/${encodeURIComponent('x@pve,y@pve')}`)).groups).toEqual([]);
  });

  test('names beyond ASCII are encoded once more with each write of anybody', async () => {
    const { root } = await start({ version });
    const names = async (): Promise<string[]> =>
      (await root.ok('GET', '/access/users'))
        .map((user: Loose) => user.userid)
        .filter((id: string) => /[^ -~]/.test(id));
    await root.ok('POST', '/access/users', { userid: 'ü@pve' });
    expect(await names()).toEqual(['Ã¼@pve']);
    await root.ok('POST', '/pools', { poolid: 'a' });
    expect(await names()).toEqual(['Ã\u0083Â¼@pve']);
    for (let i = 0; i < 6; i += 1) await root.ok('POST', '/pools', { poolid: `a${i}` });
    expect(await names()).toEqual([]);
  });

  test('deleting one that is unknown: refused to a token of root, nothing to a ticket', async () => {
    const { root, sim } = await start({ version });
    expect(await root.del('/access/users/ghost@pve')).toMatchObject({
      status: 500,
      reason: "no such user ('ghost@pve')",
    });
    const ticket = await login(sim, 'root@pam', 'simulator');
    expect((await ticket.del('/access/users/ghost@pve')).status).toBe(200);
  });

  test('tokens: names of two characters at least, rights of the owner or of both', async () => {
    const { root, as } = await start({ version });
    const make = (id: string, form = {}): Promise<Loose> =>
      root.post(`/access/users/teacher@pve/token/${id}`, form);
    expect((await make('t')).status).toBe(400);
    const open = await make('open', { privsep: 0 });
    const own = await make('own');
    const audit = (reply: Loose): Promise<Loose> =>
      as(`${reply.data['full-tokenid']}=${reply.data.value}`).get('/nodes/pve1/qemu/300/config');
    const grant = (form: Record<string, string>): Promise<Loose> =>
      root.ok('PUT', '/access/acl', { roles: 'PVEVMUser', ...form });
    // The owner has the right through its group and the pool.
    expect((await audit(open)).status).toBe(200);
    expect((await audit(own)).status).toBe(403);
    await grant({ path: '/vms/300', tokens: 'teacher@pve!own' });
    expect((await audit(own)).status).toBe(200);
    // What only the token has counts for neither kind.
    await grant({ path: '/vms/303', tokens: 'teacher@pve!open,teacher@pve!own' });
    for (const reply of [open, own]) {
      const other = as(`${reply.data['full-tokenid']}=${reply.data.value}`);
      expect((await other.get('/nodes/pve3/qemu/303/config')).status).toBe(403);
    }
    const asked = await as(`${open.data['full-tokenid']}=${open.data.value}`).post('/access/ticket', {
      username: 'teacher@pve',
      password: 'teacher-secret',
    });
    expect(asked).toMatchObject({
      status: 403,
      reason:
        "Permission check failed (URI '/access/ticket' not available with API token, need proper ticket.",
    });
  });
});

test.each(versions)('%s: who sees ACLs and roles', async (version) => {
  const { as, root } = await start({
    version,
    users: ['anna@pve', 'boris@pve'].map(userWithToken),
    pools: [{ pool: 'a' }],
    acl: [
      { path: '/pool', role: 'PVEPoolAdmin', user: 'anna@pve' },
      { path: '/pool/a', role: 'PVEVMAdmin', user: 'boris@pve', propagate: false },
      { path: '/', role: 'PVEAuditor', group: 'teachers' },
    ],
  });
  const [anna, boris] = ['anna@pve', 'boris@pve'].map((user) => as(`${user}!t=${secret}`));
  // Pool.Allocate on /pool shows what is below it, not /pool itself.
  expect(await anna?.ok('GET', '/access/acl')).toEqual([
    { path: '/pool/a', type: 'user', ugid: 'boris@pve', roleid: 'PVEVMAdmin', propagate: 0 },
  ]);
  expect(await boris?.ok('GET', '/access/acl')).toEqual([]);
  expect(await root.ok('GET', '/access/acl')).toHaveLength(3);
  const roles = await boris?.ok('GET', '/access/roles');
  const auditor = roles.find((role: Loose) => role.roleid === 'PVEAuditor').privs.split(',');
  expect(auditor.includes('VM.GuestAgent.Audit')).toBe(version === '9.2');
});
