/** Network: staging, the diff, reload, and everything that surprises people. */
import { describe, expect, test } from 'vitest';
import { secret, start, userWithToken, type Caller, type Loose } from './harness.ts';

const path = '/nodes/pve1/network';

async function row(caller: Caller, iface: string): Promise<Record<string, unknown> | undefined> {
  const rows = await caller.ok('GET', path);
  return rows.find((one: Loose) => one.iface === iface);
}

test('an edit is listed at once, active only after a reload, and the diff says what waits', async () => {
  const { root } = await start();
  await root.ok('POST', path, { iface: 'vmbr1000', type: 'bridge', autostart: 1, comments: 'ours\nsecond' });
  const listed = await root.get(path);
  expect(listed.body.changes).toMatch(
    /^--- \/etc\/network\/interfaces\t?\n\+\+\+ \/etc\/network\/interfaces\.new/,
  );
  expect(listed.body.changes).toContain('+auto vmbr1000\n+iface vmbr1000 inet manual\n+\tbridge-ports none');
  expect(listed.body.changes).toContain('+#ours\n+#second');
  expect(await row(root, 'vmbr1000')).toMatchObject({
    type: 'bridge',
    autostart: 1,
    comments: 'ours\nsecond\n',
    bridge_ports: '',
  });
  expect(await row(root, 'vmbr1000')).not.toHaveProperty('active');
  const upid = await root.ok('PUT', path);
  expect(upid).toMatch(/:srvreload:networking:root@pam!deploy-stand:$/);
  expect(await root.ended(upid)).toBe('OK');
  expect(await row(root, 'vmbr1000')).toMatchObject({ active: 1 });
  expect((await root.get(path)).body).not.toHaveProperty('changes');
});

test('without autostart a bridge does not come up', async () => {
  const { root } = await start();
  await root.ok('POST', path, { iface: 'vmbr1000', type: 'bridge' });
  await root.task('PUT', path);
  expect(await row(root, 'vmbr1000')).not.toHaveProperty('active');
});

test('bridge_vlan_aware=0 turns it on; delete turns it off', async () => {
  const { root } = await start();
  await root.ok('POST', path, { iface: 'vmbr1000', type: 'bridge', autostart: 1, bridge_vlan_aware: 0 });
  expect(await row(root, 'vmbr1000')).toMatchObject({ bridge_vlan_aware: 1, bridge_vids: '2-4094' });
  await root.ok('PUT', `${path}/vmbr1000`, { type: 'bridge', delete: 'bridge_vlan_aware' });
  expect(await row(root, 'vmbr1000')).not.toHaveProperty('bridge_vlan_aware');
  expect(await row(root, 'vmbr1000')).toMatchObject({ autostart: 1 });
});

test.each<[Record<string, string>, number, string, Record<string, string>?]>([
  [
    { iface: 'vmbr0', type: 'bridge' },
    400,
    'Parameter verification failed.',
    { iface: 'interface already exists' },
  ],
  [
    { iface: 'vmbr1', type: 'bridge', bridge_ports: 'none' },
    500,
    "bridge 'vmbr1' - unable to find bridge port 'none'",
  ],
  [
    { iface: 'vmbr1', type: 'bridge', bridge_ports: 'eno1' },
    400,
    'Parameter verification failed.',
    { bridge_ports: "eno1 is already used on interface 'vmbr0'." },
  ],
  [
    { iface: 'vmbr1', type: 'bridge', cidr: '10.0.0.1/24', gateway: '10.0.0.2' },
    400,
    'Parameter verification failed.',
    { gateway: "Default gateway already exists on interface 'vmbr0'." },
  ],
])('refuses %j', async (form, status, reason, errors) => {
  const { root, sim } = await start();
  const reply = await root.post(path, form);
  expect([reply.status, reply.reason]).toEqual([status, reason]);
  if (errors) expect(reply.body.errors).toEqual(errors);
  expect(sim.snapshot().nodes[0]?.staged).toBeUndefined();
});

test('names that the kernel may not like are legal; others are not', async () => {
  const { root } = await start();
  expect((await root.post(path, { iface: 'lab_network_17_chars', type: 'bridge' })).status).toBe(200);
  expect((await root.del(`${path}/nothere`)).body.errors).toEqual({ iface: 'interface does not exist' });
  expect((await root.put(`${path}/nothere`, { type: 'bridge' })).body.errors).toEqual({
    iface: 'interface does not exist',
  });
});

test('7.4 reads back only vmbrN as a bridge', async () => {
  const { root } = await start({ version: '7.4' });
  await root.ok('POST', path, { iface: 'lab1', type: 'bridge', autostart: 1 });
  expect(await row(root, 'lab1')).toMatchObject({ type: 'unknown' });
});

test("a flaw in what others staged blocks every new write, and reverting drops everybody's", async () => {
  const { root } = await start({
    nodes: [
      { name: 'pve1', staged: [{ name: 'vmbr77', comments: 'theirs', ports: 'eno9' }] },
      { name: 'pve2' },
      { name: 'pve3' },
    ],
  });
  expect((await root.get(path)).body.changes).toContain('vmbr77');
  expect((await root.post(path, { iface: 'vmbr1000', type: 'bridge' })).reason).toBe(
    "bridge 'vmbr77' - unable to find bridge port 'eno9'",
  );
  await root.ok('DELETE', path);
  expect((await root.get(path)).body).not.toHaveProperty('changes');
  expect((await root.post(path, { iface: 'vmbr1000', type: 'bridge' })).status).toBe(200);
});

test('a reload takes the staged edits of others along', async () => {
  const { root } = await start({
    nodes: [{ name: 'pve1', staged: [{ name: 'vmbr77' }] }, { name: 'pve2' }, { name: 'pve3' }],
  });
  await root.task('PUT', path);
  expect(await row(root, 'vmbr77')).toMatchObject({ active: 1 });
});

describe('reloads that fail', () => {
  test('the staged file is gone, the bridge is not up, a second reload mends it', async () => {
    const { root, sim } = await start();
    await root.ok('POST', path, { iface: 'vmbr1000', type: 'bridge', autostart: 1 });
    sim.addFault({
      match: { method: 'PUT', path: '/nodes/{node}/network' },
      action: 'task-fail',
      exitstatus: "command 'ifreload -a' failed: exit code 1",
      once: true,
    });
    expect(await root.task('PUT', path)).toBe("command 'ifreload -a' failed: exit code 1");
    expect((await root.get(path)).body).not.toHaveProperty('changes');
    expect(await row(root, 'vmbr1000')).not.toHaveProperty('active');
    expect(await root.task('PUT', path)).toBe('OK');
    expect(await row(root, 'vmbr1000')).toMatchObject({ active: 1 });
  });

  test('two at once: the second ends with exit code 89', async () => {
    const { root } = await start({ latency: { network_reload_s: 20 } });
    const ends = await Promise.all([root.task('PUT', path), root.task('PUT', path)]);
    expect(ends.sort()).toEqual(['OK', "command 'ifreload -a' failed: exit code 89"].sort());
  });
});

test('deleting a bridge in use is not refused', async () => {
  const { root } = await start();
  await root.ok('DELETE', `${path}/vmbr0`);
  expect(await root.task('PUT', path)).toBe('OK');
  expect(await row(root, 'vmbr0')).toBeUndefined();
  expect(await root.task('POST', '/nodes/pve1/qemu/300/status/stop')).toBe('OK');
  expect(await root.task('POST', '/nodes/pve1/qemu/300/status/start')).toBe("bridge 'vmbr0' does not exist");
});

test('8+ shows bridges to those with SDN rights on them; 7.4 to everybody; writes need Sys.Modify', async () => {
  const change = {
    users: [userWithToken('anna@pve')],
    acl: [{ path: '/sdn/zones/localnetwork/vmbr0', role: 'PVEAuditor', user: 'anna@pve' }],
  };
  const bridges = async (version: '7.4' | '8.4'): Promise<string[]> => {
    const acl = version === '7.4' ? [] : change.acl;
    const { as } = await start({ ...change, acl, version });
    const rows = await as(`anna@pve!t=${secret}`).ok('GET', path, { type: 'any_bridge' });
    return rows.map((one: Loose) => one.iface);
  };
  expect(await bridges('8.4')).toEqual(['vmbr0']);
  expect(await bridges('7.4')).toEqual(['vmbr0', 'vmbr100']);
  const { as } = await start({
    users: [userWithToken('anna@pve')],
    acl: [{ path: '/', role: 'PVEAdmin', user: 'anna@pve' }],
  });
  expect((await as(`anna@pve!t=${secret}`).post(path, { iface: 'vmbr1', type: 'bridge' })).reason).toBe(
    'Permission check failed (/nodes/pve1, Sys.Modify)',
  );
});

test('edits queue for ten seconds behind the lock of the file', async () => {
  const { root } = await start({ latency: { network_write_ms: 6_000 } });
  const post = async (n: number): Promise<string> =>
    (await root.post(path, { iface: `vmbr${n}`, type: 'bridge' })).reason;
  const reasons = await Promise.all([post(1), post(2), post(3)]);
  expect(reasons.sort()).toEqual([
    'OK',
    'OK',
    "can't lock file '/etc/network/.pve-interfaces.lock' - got timeout",
  ]);
});

test('one interface by name', async () => {
  const { root } = await start();
  expect(await root.ok('GET', `${path}/vmbr0`)).toMatchObject({
    type: 'bridge',
    cidr: '192.0.2.1/24',
    bridge_ports: 'eno1',
  });
  expect((await root.get(`${path}/nothere`)).body.errors).toEqual({ iface: 'interface does not exist' });
});
