/** Users, groups, roles, ACLs, pools and what they allow. */
import { expect, test } from 'vitest';
import { login, secret, start, userWithToken, type Started, type Loose } from './harness.ts';

const anna = (started: Started): ReturnType<Started['as']> => started.as(`anna@pve!t=${secret}`);
const grant = (
  path: string,
  role: string,
  propagate = true,
): { path: string; role: string; user: string; propagate: boolean } => ({
  path,
  role,
  user: 'anna@pve',
  propagate,
});

test('users are created, listed, changed and deleted with their grants', async () => {
  const { root, sim } = await start();
  await root.ok('POST', '/access/users', {
    userid: 'a@pve',
    password: 'secret-1',
    comment: 'A',
    groups: 'teachers',
  });
  const again = await root.post('/access/users', { userid: 'a@pve' });
  expect(again).toMatchObject({ status: 500, reason: "create user failed: user 'a@pve' already exists" });
  const group = await root.post('/access/users', { userid: 'b@pve', groups: 'ghosts' });
  expect(group.reason).toBe("create user failed: no such group 'ghosts'");
  await root.ok('PUT', '/access/acl', { path: '/vms/100', users: 'a@pve', roles: 'PVEVMUser' });
  const list = await root.ok('GET', '/access/users', { full: 1 });
  expect(list.find((user: Loose) => user.userid === 'a@pve')).toMatchObject({
    comment: 'A',
    enable: 1,
    groups: 'teachers',
  });
  await root.ok('PUT', '/access/users/a@pve', { enable: 0 });
  expect(await root.ok('GET', '/access/users/a@pve')).toMatchObject({
    enable: 0,
    comment: 'A',
    groups: ['teachers'],
  });
  await root.ok('DELETE', '/access/users/a@pve');
  expect(sim.snapshot().acl.filter((entry) => entry.subject === 'a@pve')).toEqual([]);
  expect((await root.get('/access/users/a@pve')).reason).toBe("no such user ('a@pve')");
});

test('passwords can be set where the realm keeps them', async () => {
  const { root } = await start({ realms: [{ realm: 'school', type: 'ldap' }] });
  const at = async (userid: string): Promise<string> =>
    (await root.post('/access/users', { userid, password: 'secret-1' })).reason;
  expect(await at('a@school')).toBe("create user failed: can't set password on auth type 'ldap'");
  expect(await at('a@pam')).toBe("create user failed: change password failed: user 'a' does not exist");
  expect(await at('a@pve')).toBe('OK');
  expect((await root.post('/access/users', { userid: 'b@school' })).status).toBe(200);
});

test('a token shows its secret once and has rights of its own', async () => {
  const { root, as } = await start();
  const made = await root.ok('POST', '/access/users/teacher@pve/token/ci', { comment: 'x' });
  expect(made).toMatchObject({ 'full-tokenid': 'teacher@pve!ci', info: { privsep: 1 } });
  const again = await root.post('/access/users/teacher@pve/token/ci');
  expect(again.body.errors).toEqual({ tokenid: 'Token already exists.' });
  const caller = as(`teacher@pve!ci=${made.value}`);
  // The owner may, through the group's grant on the pool; the token has no grant of its own yet.
  expect((await caller.get('/nodes/pve1/qemu/300/config')).reason).toBe(
    'Permission check failed (/vms/300, VM.Audit)',
  );
  await root.ok('PUT', '/access/acl', { path: '/vms', tokens: 'teacher@pve!ci', roles: 'PVEAuditor' });
  expect((await caller.get('/nodes/pve1/qemu/300/config')).status).toBe(200);
  // And never more than its owner.
  expect((await caller.get('/nodes/pve3/qemu/303/config')).status).toBe(403);
  await root.ok('DELETE', '/access/users/teacher@pve/token/ci');
  expect((await caller.get('/version')).status).toBe(401);
});

test('roles: built-in ones per version, own ones editable', async () => {
  const { root } = await start({ version: '9.2' });
  const roles = await root.ok('GET', '/access/roles');
  const privs = (name: string): string[] =>
    roles.find((role: Loose) => role.roleid === name).privs.split(',');
  expect(privs('PVEVMUser')).toContain('VM.GuestAgent.Audit');
  expect(privs('PVEVMAdmin')).not.toContain('VM.Monitor');
  expect(privs('PVEAdmin')).not.toContain('Permissions.Modify');
  expect((await root.put('/access/roles/PVEAdmin', { privs: 'VM.Audit' })).reason).toBe(
    "update role failed: auto-generated role 'PVEAdmin' cannot be modified",
  );
  await root.ok('POST', '/access/roles', { roleid: 'lab', privs: 'VM.Audit VM.Console' });
  await root.ok('PUT', '/access/roles/lab', { privs: 'VM.Clone', append: 1 });
  expect(Object.keys(await root.ok('GET', '/access/roles/lab')).sort()).toEqual([
    'VM.Audit',
    'VM.Clone',
    'VM.Console',
  ]);
});

test('7.4: PVEAdmin may modify permissions, VM.Monitor exists, SDN.Use does not', async () => {
  const { root } = await start({ version: '7.4' });
  expect(await root.ok('GET', '/access/roles/PVEAdmin')).toMatchObject({ 'Permissions.Modify': 1 });
  expect(await root.ok('GET', '/access/roles/PVEVMAdmin')).toMatchObject({ 'VM.Monitor': 1 });
  expect(await root.ok('GET', '/access/roles/Administrator')).not.toHaveProperty('SDN.Use');
});

test.each([
  ['/vms/100', '8.4', 200],
  ['/pool/a/b/c', '8.4', 200],
  ['/pool/a/b', '7.4', 400],
  ['/sdn/vnets/x', '7.4', 200],
  ['/sdn/vnets/x', '8.4', 400],
  ['/sdn/zones/localnetwork/vmbr0/5', '8.4', 200],
  ['/mapping/usb', '7.4', 400],
  ['/nonsense', '8.4', 400],
  ['/vms/x', '8.4', 400],
] as const)('ACL path %s on %s → %i', async (path, version, status) => {
  const { root } = await start({ version });
  const reply = await root.put('/access/acl', { path, users: 'teacher@pve', roles: 'PVEAuditor' });
  expect(reply.status).toBe(status);
  if (status === 400) expect(reply.body.errors).toEqual({ path: `invalid ACL path '${path}'` });
});

test('ACLs name who or what is missing, and are idempotent', async () => {
  const { root } = await start();
  const put = async (form: Record<string, string>): Promise<string> =>
    (await root.put('/access/acl', { path: '/vms/1000', ...form })).reason;
  expect(await put({ users: 'x@pve', roles: 'PVEAuditor' })).toBe(
    "ACL update failed: user 'x@pve' does not exist",
  );
  expect(await put({ users: 'teacher@pve', roles: 'nope' })).toBe(
    "ACL update failed: role 'nope' does not exist",
  );
  expect(await put({ users: 'teacher@pve', roles: 'PVEAuditor' })).toBe('OK');
  expect(await put({ users: 'teacher@pve', roles: 'PVEAuditor' })).toBe('OK');
  const entries = await root.ok('GET', '/access/acl');
  const mine = entries.filter((entry: Loose) => entry.path === '/vms/1000');
  expect(mine).toEqual([
    { path: '/vms/1000', type: 'user', ugid: 'teacher@pve', roleid: 'PVEAuditor', propagate: 1 },
  ]);
  await root.ok('PUT', '/access/acl', {
    path: '/vms/1000',
    users: 'teacher@pve',
    roles: 'PVEAuditor',
    delete: 1,
  });
  expect((await root.ok('GET', '/access/acl')).some((entry: Loose) => entry.path === '/vms/1000')).toBe(
    false,
  );
});

test('without Permissions.Modify 8+ hands out only what one has; 7.4 does not look', async () => {
  for (const [version, status] of [
    ['7.4', 200],
    ['8.4', 500],
  ] as const) {
    const started = await start({
      version,
      users: [userWithToken('anna@pve')],
      acl: [grant('/vms/100', 'PVEVMAdmin')],
    });
    const reply = await anna(started).put('/access/acl', {
      path: '/vms/100',
      users: 'anna@pve',
      roles: 'Administrator',
    });
    expect(reply.status).toBe(status);
    if (status === 500) {
      expect(reply.reason).toBe('ACL update failed: 400 Parameter verification failed.');
      expect(reply.body.message).toMatch(
        /role: Cannot add role 'Administrator' - requires 'Permissions.Modify' or superset/,
      );
    }
    const less = await anna(started).put('/access/acl', {
      path: '/vms/100',
      users: 'anna@pve',
      roles: 'PVEVMUser',
    });
    expect(less.status).toBe(200);
    const elsewhere = await anna(started).put('/access/acl', {
      path: '/vms/101',
      users: 'anna@pve',
      roles: 'PVEVMUser',
    });
    expect(elsewhere.reason).toBe('Permission check failed (/vms/101, Permissions.Modify|VM.Allocate)');
  }
});

test('a pool grant reaches its members, without propagation, and NoAccess wins', async () => {
  const started = await start({
    users: [userWithToken('anna@pve')],
    pools: [{ pool: 'infra' }],
    acl: [grant('/pool/infra', 'PVEVMUser')],
  });
  const { root } = started;
  expect((await anna(started).get('/nodes/pve1/qemu/300/config')).status).toBe(200);
  expect((await anna(started).get('/nodes/pve1/qemu/100/config')).status).toBe(403);
  const own = await anna(started).ok('GET', '/access/permissions', { path: '/vms/300' });
  expect(own['/vms/300']).toMatchObject({ 'VM.Audit': 0, 'VM.PowerMgmt': 0 });
  await root.ok('PUT', '/access/acl', { path: '/vms/300', users: 'anna@pve', roles: 'NoAccess' });
  expect((await anna(started).get('/nodes/pve1/qemu/300/config')).status).toBe(403);
});

test("the deepest grant replaces inherited ones; a user grant hides the group's", async () => {
  const started = await start({
    users: [{ ...userWithToken('anna@pve'), groups: ['teachers'] }],
    acl: [
      { path: '/vms', role: 'PVEVMAdmin', group: 'teachers' },
      grant('/vms/100', 'PVETemplateUser'),
      grant('/storage', 'PVEDatastoreUser', false),
    ],
  });
  const caller = anna(started);
  const names = async (path: string): Promise<string[]> =>
    Object.keys((await caller.ok('GET', '/access/permissions', { path }))[path]).sort();
  expect(await names('/vms/100')).toEqual(['VM.Audit', 'VM.Clone']);
  expect(await names('/vms/101')).toContain('VM.Allocate');
  expect(await names('/storage')).toEqual(['Datastore.AllocateSpace', 'Datastore.Audit']);
  expect(await names('/storage/ceph')).toEqual([]);
});

test('lists show what the caller may see', async () => {
  const started = await start({
    users: [userWithToken('anna@pve')],
    acl: [
      grant('/vms/100', 'PVEAuditor'),
      grant('/storage/ceph', 'PVEDatastoreUser'),
      grant('/pool/infra', 'PVEPoolUser'),
    ],
  });
  const caller = anna(started);
  const rows = await caller.ok('GET', '/cluster/resources');
  const ids = rows.map((row: Loose) => row.id);
  expect(ids).toContain('qemu/100');
  expect(ids).not.toContain('qemu/101');
  expect(ids).toContain('storage/pve2/ceph');
  expect(ids).not.toContain('storage/pve1/local');
  expect(ids).toContain('/pool/infra');
  expect(rows.find((row: Loose) => row.id === 'node/pve1')).not.toHaveProperty('cpu');
  expect((await caller.ok('GET', '/nodes/pve1/qemu')).map((row: Loose) => row.vmid)).toEqual([100]);
  // A token is not its owner: it does not even see it.
  expect(await caller.ok('GET', '/access/users')).toEqual([]);
  expect(await caller.ok('GET', '/access/acl')).toEqual([]);
  expect((await caller.ok('GET', '/nodes/pve1/storage')).map((row: Loose) => row.storage)).toEqual(['ceph']);
});

test('a user sees itself', async () => {
  const { sim } = await start({ users: [{ userid: 'anna@pve', password: 'secret-1' }] });
  const anna = await login(sim, 'anna@pve', 'secret-1');
  expect((await anna.ok('GET', '/access/users')).map((user: Loose) => user.userid)).toEqual(['anna@pve']);
});

test('creating users needs the realm and the groups', async () => {
  const started = await start({
    users: [userWithToken('anna@pve')],
    groups: [{ group: 'lab' }, { group: 'teachers' }],
    acl: [grant('/access/realm/pve', 'PVEUserAdmin'), grant('/access/groups/lab', 'PVEUserAdmin')],
  });
  const caller = anna(started);
  expect((await caller.post('/access/users', { userid: 'x@pve' })).reason).toBe(
    'Permission check failed (/access/groups, User.Modify)',
  );
  expect((await caller.post('/access/users', { userid: 'x@pve', groups: 'teachers' })).reason).toBe(
    'Permission check failed (/access/groups/teachers, User.Modify)',
  );
  expect((await caller.post('/access/users', { userid: 'x@pam', groups: 'lab' })).reason).toBe(
    'Permission check failed (/access/realm/pam, Realm.AllocateUser)',
  );
  expect((await caller.post('/access/users', { userid: 'x@pve', groups: 'lab' })).status).toBe(200);
  expect((await caller.del('/access/users/ghost@pve')).reason).toBe("no such user ('ghost@pve')");
  expect((await caller.del('/access/users/x@pve')).status).toBe(200);
});

test('rights come before parameters', async () => {
  const started = await start({ users: [userWithToken('anna@pve')] });
  const reply = await anna(started).post('/pools', { poolid: 'x y', nonsense: 1 });
  expect(reply).toMatchObject({ status: 403, reason: 'Permission check failed (, Pool.Allocate)' });
});

const versions = ['7.4', '8.4', '9.2'] as const;

test.each(versions)('%s: empty values clear, also groups and email; a lone 0 is nothing', async (version) => {
  const { root } = await start({ version });
  const form = { userid: 'a@pve', comment: ' A ', email: 'a@example.org', groups: 'teachers' };
  await root.ok('POST', '/access/users', form);
  const full = { comment: 'A', email: 'a@example.org', groups: ['teachers'] };
  expect(await root.ok('GET', '/access/users/a@pve')).toMatchObject(full);
  await root.ok('PUT', '/access/users/a@pve', { comment: '', email: '', groups: '' });
  const bare = await root.ok('GET', '/access/users/a@pve');
  expect(bare).toMatchObject({ groups: [] });
  expect(bare).not.toHaveProperty('comment');
  expect(bare).not.toHaveProperty('email');
  await root.ok('PUT', '/access/users/a@pve', { comment: '0' });
  expect(await root.ok('GET', '/access/users/a@pve')).not.toHaveProperty('comment');
  expect((await root.put('/access/users/a@pve', { enable: '' })).body.errors).toEqual({
    enable: "type check ('boolean') failed - got ''",
  });
});

test.each(versions)(
  '%s: a userid may hold commas and semicolons; lists of users take it apart',
  async (version) => {
    const { root } = await start({ version });
    for (const userid of ['x@pve', 'y@pve', 'x@pve,y@pve', 'a,b@pve', 'c;d@pve']) {
      await root.ok('POST', '/access/users', { userid });
    }
    const grantTo = (users: string): ReturnType<typeof root.put> =>
      root.put('/access/acl', { path: '/vms/1000', roles: 'PVEVMUser', users });
    expect((await grantTo('a,b@pve')).status).toBe(400);
    expect((await grantTo('c;d@pve')).status).toBe(400);
    await grantTo('x@pve,y@pve');
    const rows = await root.ok('GET', '/access/acl');
    const there = rows.filter((row: Loose) => row.path === '/vms/1000').map((row: Loose) => row.ugid);
    expect(there).toEqual(['x@pve', 'y@pve']);
  },
);

test.each(versions)('%s: a bad userid is a 500 to all but the ticket of root', async (version) => {
  const { root, sim } = await start({ version });
  expect(await root.post('/access/users', { userid: 'a b@pve' })).toMatchObject({
    status: 500,
    reason: "value 'a b@pve' does not look like a valid user name",
  });
  const ticket = await login(sim, 'root@pam', 'simulator');
  expect((await ticket.post('/access/users', { userid: 'a b@pve' })).status).toBe(400);
});

test.each(versions)(
  '%s: who is not there: deleted for the ticket of root, no such user for its token',
  async (version) => {
    const { root, sim } = await start({ version });
    expect(await root.del('/access/users/ghost@pve')).toMatchObject({
      status: 500,
      reason: "no such user ('ghost@pve')",
    });
    const ticket = await login(sim, 'root@pam', 'simulator');
    expect((await ticket.del('/access/users/ghost@pve')).status).toBe(200);
  },
);

test.each(versions)(
  '%s: a token of its owner’s rights ignores grants of its own; a separated one needs both',
  async (version) => {
    const grants = (id: string): { path: string; role: string; token: string } => ({
      path: '/vms/100',
      role: 'PVEAuditor',
      token: `anna@pve!${id}`,
    });
    const { root, as } = await start({
      version,
      users: [
        {
          userid: 'anna@pve',
          tokens: [
            { id: 'same', secret, privsep: false },
            { id: 'own', secret, privsep: true },
          ],
        },
      ],
      acl: [grants('same'), grants('own')],
    });
    const read = async (id: string): Promise<number> =>
      (await as(`anna@pve!${id}=${secret}`).get('/nodes/pve1/qemu/100/config')).status;
    expect([await read('same'), await read('own')]).toEqual([403, 403]);
    await root.ok('PUT', '/access/acl', { path: '/vms/100', users: 'anna@pve', roles: 'PVEAuditor' });
    expect([await read('same'), await read('own')]).toEqual([200, 200]);
    await root.ok('PUT', '/access/acl', { path: '/vms/100', tokens: 'anna@pve!same', roles: 'NoAccess' });
    await root.ok('PUT', '/access/acl', { path: '/vms/100', tokens: 'anna@pve!own', roles: 'NoAccess' });
    expect([await read('same'), await read('own')]).toEqual([200, 403]);
  },
);

test('a token id has two characters at least', async () => {
  const { root } = await start();
  expect((await root.post('/access/users/teacher@pve/token/t')).status).toBe(400);
  expect((await root.post('/access/users/teacher@pve/token/t1')).status).toBe(200);
});

test.each([
  ['7.4', false],
  ['8.4', false],
  ['9.2', true],
] as const)('%s: auditors may ask guest agents: %s', async (version, may) => {
  const { root } = await start({ version });
  const privs = Object.keys(await root.ok('GET', '/access/roles/PVEAuditor'));
  expect(privs.includes('VM.GuestAgent.Audit')).toBe(may);
});

test.each(versions)(
  '%s: who allocates pools sees the grants on them, not those above; roles everybody',
  async (version) => {
    const started = await start({
      version,
      users: [userWithToken('anna@pve'), userWithToken('bert@pve')],
      groups: [{ group: 'lab' }],
      pools: [{ pool: 'x' }],
      acl: [
        grant('/pool', 'PVEPoolAdmin'),
        { path: '/', role: 'PVEAuditor', group: 'lab' },
        { path: '/pool', role: 'PVEPoolUser', group: 'lab' },
        { path: '/pool/x', role: 'PVEVMAdmin', user: 'bert@pve', propagate: false },
      ],
    });
    expect(await anna(started).ok('GET', '/access/acl')).toEqual([
      { path: '/pool/x', type: 'user', ugid: 'bert@pve', roleid: 'PVEVMAdmin', propagate: 0 },
    ]);
    const bert = started.as(`bert@pve!t=${secret}`);
    expect(await bert.ok('GET', '/access/acl')).toEqual([]);
    expect(await bert.ok('GET', '/access/roles')).toEqual(await started.root.ok('GET', '/access/roles'));
  },
);

test.each(versions)(
  '%s: an error text with characters beyond U+00FF is no answer, or 596 through a proxy',
  async (version) => {
    const { root } = await start({ version });
    // pvedaemon dies over this one, behind pveproxy.
    expect(await root.put('/access/acl', { path: '/', users: 'ж@pve', roles: 'PVEAuditor' })).toMatchObject({
      status: 596,
      text: '',
    });
    // pveproxy itself over this one.
    await expect(root.post('/access/users', { userid: 'a ж@pve' })).rejects.toThrow('socket hang up');
    // Latin-1 goes out as bytes.
    expect((await root.post('/access/users', { userid: 'a é@pve' })).status).toBe(500);
  },
);

test('an address keeps Latin-1, and spoils beyond it', async () => {
  const { root } = await start();
  const email = async (userid: string): Promise<string> =>
    (await root.ok('GET', `/access/users/${userid}`)).email;
  await root.ok('POST', '/access/users', { userid: 'a@pve', email: 'müller@x.example' });
  await root.ok('POST', '/access/users', { userid: 'b@pve', email: 'ж@x.example' });
  expect(await email('a@pve')).toBe('müller@x.example');
  expect(await email('b@pve')).not.toBe('ж@x.example');
  expect((await root.post('/access/users', { userid: 'c@pve', email: 'c@ж.example' })).status).toBe(400);
});

test('a userid beyond ASCII becomes another one with each write of user.cfg', async () => {
  const { root } = await start();
  const ids = async (): Promise<string[]> =>
    (await root.ok('GET', '/access/users')).map((user: Loose) => user.userid);
  await root.ok('POST', '/access/users', { userid: 'ж@pve' });
  const first = (await ids()).at(-1) ?? '';
  expect(first).not.toBe('ж@pve');
  // A path stays bytes, and so it finds what a form no longer does.
  expect((await root.get('/access/users/%D0%B6@pve')).status).toBe(200);
  await root.ok('POST', '/pools', { poolid: 'x' });
  expect(await ids()).not.toContain(first);
  expect(await root.get('/access/users/%D0%B6@pve')).toMatchObject({ status: 500 });
});
