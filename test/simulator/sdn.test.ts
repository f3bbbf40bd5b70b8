/** SDN: zones and vnets, staged and applied, on nodes that have them and nodes that do not. */
import { describe, expect, test } from 'vitest';
import { versions } from '../../src/lib/simulator/version.ts';
import { secret, start, userWithToken, type Caller, type Form, type Loose, type Reply } from './harness.ts';

const zones = '/cluster/sdn/zones';
const vnets = '/cluster/sdn/vnets';
const sdn = {
  zones: [
    { zone: 'lab', type: 'vlan', bridge: 'vmbr0', nodes: ['pve1', 'pve2'] },
    { zone: 'wide', type: 'vxlan', peers: ['192.0.2.1', '192.0.2.2'] },
  ],
  vnets: [
    { vnet: 'hq', zone: 'lab', tag: 10, alias: 'Head office', vlanaware: true },
    { vnet: 'dmz', zone: 'wide', tag: 20 },
  ],
} as const;

/** Text of an error, where the version has it. */
const textOf = (reply: Reply): string => reply.body.message?.trimEnd() ?? reply.reason;
const names = (list: Loose[], key: string): string[] => list.map((one) => one[key]).sort();

describe.each(versions)('%s: lists', (version) => {
  test('vnets are in the lists of bridges that this version adds them to, on nodes that have their zone', async () => {
    const { root } = await start({ version, sdn });
    const list = async (node: string, form: Form): Promise<string[]> =>
      names(await root.ok('GET', `/nodes/${node}/network`, form), 'iface').filter(
        (one) => !/^(?:eno|vmbr)/.test(one),
      );
    expect(await list('pve1', { type: 'any_bridge' })).toEqual(['dmz', 'hq']);
    expect(await list('pve3', { type: 'any_bridge' })).toEqual(['dmz']);
    expect(await list('pve1', {})).toEqual([]);
    if (version === '9.2') {
      expect(await list('pve1', { type: 'vnet' })).toEqual(['dmz', 'hq']);
      expect(await list('pve1', { type: 'include_sdn' })).toEqual(['dmz', 'hq']);
    }
    if (version === '8.4') expect(await list('pve1', { type: 'vnet' })).toEqual([]);
  });

  test("the alias is the row's comment, and it is always active", async () => {
    const { root } = await start({ version, sdn });
    const rows: Loose[] = await root.ok('GET', '/nodes/pve1/network', { type: 'any_bridge' });
    expect(rows.find((one) => one.iface === 'hq')).toMatchObject({
      type: 'vnet',
      active: '1',
      comments: 'Head office',
    });
  });

  test('the rows of /cluster/resources', async () => {
    const { root } = await start({ version, sdn });
    const type = version === '9.2' ? 'network' : 'sdn';
    const rows: Loose[] = (await root.ok('GET', '/cluster/resources')).filter(
      (one: Loose) => one.type === type,
    );
    const ids = names(rows, 'id').filter((one) => !one.endsWith('localnetwork'));
    const prefix =
      version === '9.2' ? (node: string) => `network/${node}/zone` : (node: string) => `sdn/${node}`;
    expect(ids).toEqual(
      [
        ...['pve1', 'pve2'].map((node) => `${prefix(node)}/lab`),
        ...['pve1', 'pve2', 'pve3'].map((node) => `${prefix(node)}/wide`),
      ].sort(),
    );
    expect(rows.find((one) => one.id === `${prefix('pve1')}/lab`)).toMatchObject({ status: 'available' });
    expect(rows.some((one) => one.id.endsWith('localnetwork'))).toBe(version !== '7.4');
  });
});

describe.each(versions)('%s: guests', (version) => {
  async function startOn(root: Caller, net0: string): Promise<string> {
    await root.task('POST', '/nodes/pve1/qemu/300/status/stop');
    await root.ok('PUT', '/nodes/pve1/qemu/300/config', { net0 });
    return root.task('POST', '/nodes/pve1/qemu/300/status/start');
  }

  test('start on a vnet of a zone that the node has', async () => {
    const { root } = await start({ version, sdn });
    expect(await startOn(root, 'virtio,bridge=dmz')).toBe('OK');
    expect(await startOn(root, 'virtio,bridge=hq,tag=5')).toBe('OK');
    expect(await startOn(root, 'virtio,bridge=dmz,tag=5')).toBe('start failed: QEMU exited with code 1');
  });

  test('do not start where the zone is not', async () => {
    const elsewhere = { ...sdn, zones: [{ ...sdn.zones[0], nodes: ['pve2'] }, sdn.zones[1]] };
    const { root } = await start({ version, sdn: elsewhere });
    expect(await startOn(root, 'virtio,bridge=hq')).toBe("bridge 'hq' does not exist");
  });
});

describe.each(versions)('%s: changes', (version) => {
  test('are staged, shown as pending, and applied on all nodes with everybody’s staged interfaces', async () => {
    const { root } = await start({
      version,
      sdn,
      nodes: [{ name: 'pve1' }, { name: 'pve2', staged: [{ name: 'vmbr77' }] }, { name: 'pve3' }],
    });
    await root.ok('POST', zones, { zone: 'new', type: 'simple', nodes: 'pve1' });
    await root.ok('POST', vnets, { vnet: 'n1', zone: 'new', alias: 'x' });
    await root.ok('PUT', `${vnets}/hq`, { alias: 'other' });
    await root.ok('DELETE', `${vnets}/dmz`);
    expect(names(await root.ok('GET', vnets), 'vnet')).toEqual(['hq', 'n1']);
    expect(names(await root.ok('GET', vnets, { running: 1 }), 'vnet')).toEqual(['dmz', 'hq']);
    const pending: Loose[] = await root.ok('GET', vnets, { pending: 1 });
    expect(pending.map((one) => [one.vnet, one.state, one.pending])).toEqual([
      ['dmz', 'deleted', {}],
      ['hq', 'changed', { alias: 'other' }],
      ['n1', 'new', { zone: 'new', alias: 'x' }],
    ]);
    expect(names(await root.ok('GET', '/nodes/pve1/network', { type: 'any_bridge' }), 'iface')).not.toContain(
      'n1',
    );
    const upid = await root.ok('PUT', '/cluster/sdn');
    expect(upid).toMatch(/:reloadnetworkall::root@pam!deploy-stand:$/);
    expect(await root.ended(upid)).toBe('OK');
    const listed = names(await root.ok('GET', '/nodes/pve1/network', { type: 'any_bridge' }), 'iface');
    expect(listed).toEqual(['hq', 'n1', 'vmbr0']);
    expect(names(await root.ok('GET', '/nodes/pve2/network', { type: 'bridge' }), 'iface')).toContain(
      'vmbr77',
    );
    expect((await root.get('/nodes/pve2/network')).body).not.toHaveProperty('changes');
    expect((await root.ok('GET', vnets, { pending: 1 })).every((one: Loose) => one.state === undefined)).toBe(
      true,
    );
    const tasks: Loose[] = await root.ok('GET', '/nodes/pve2/tasks', { typefilter: 'srvreload' });
    expect(tasks).toMatchObject([{ user: 'root@pam', status: 'OK' }]);
  });

  test('a node is pending until it has generated what was applied; a failed reload leaves the parent OK', async () => {
    const { root, sim } = await start({ version, sdn, latency: { network_reload_s: 600 } });
    await root.ok('POST', vnets, { vnet: 'n1', zone: 'lab', tag: 11 });
    const status = async (node: string): Promise<string[]> =>
      (await root.ok('GET', `/nodes/${node}/sdn/zones`)).map((one: Loose) => `${one.zone} ${one.status}`);
    expect(await status('pve2')).toEqual(['lab available', 'wide available']);
    const held = await root.ok('PUT', '/nodes/pve2/network');
    const upid = await root.ok('PUT', '/cluster/sdn');
    expect(await status('pve2')).toEqual(['lab pending', 'wide pending']);
    expect(await root.ok('GET', '/nodes/pve2/sdn/zones/lab/content')).toMatchObject([
      { vnet: 'hq', status: 'pending' },
      { vnet: 'n1', status: 'pending' },
    ]);
    expect([await root.ended(upid), await root.ended(held)]).toEqual(['OK', 'OK']);
    expect(await status('pve2')).toEqual(['lab available', 'wide available']);
    expect(sim.snapshot().nodes[1]?.running['n1']).toMatchObject({ type: 'vnet' });
  });

  test('neither the bridge of a VLAN zone nor its nodes have to exist', async () => {
    const { root } = await start({ version, sdn });
    const zone = { zone: 'z9', type: 'vlan', bridge: 'vmbr999', nodes: 'pve99' };
    expect((await root.call('POST', zones, zone)).status).toBe(200);
    expect(await root.ok('GET', zones)).toContainEqual(
      expect.objectContaining({ zone: 'z9', bridge: 'vmbr999' }),
    );
    expect((await root.call('PUT', `${zones}/z9`, { bridge: 'vmbr998' })).status).toBe(200);
  });

  test('of two applies at once both parents end OK, and what was staged is in force', async () => {
    const { root } = await start({ version, sdn });
    await root.ok('POST', vnets, { vnet: 'n1', zone: 'lab', tag: 11 });
    const first = await root.ok('PUT', '/cluster/sdn');
    await root.ok('POST', vnets, { vnet: 'n2', zone: 'lab', tag: 12 });
    const second = await root.ok('PUT', '/cluster/sdn');
    expect([await root.ended(first), await root.ended(second)]).toEqual(['OK', 'OK']);
    const listed = names(await root.ok('GET', '/nodes/pve2/network', { type: 'any_bridge' }), 'iface');
    expect(listed).toEqual(expect.arrayContaining(['n1', 'n2']));
  });

  test('a vnet that guests use goes without a word, and its bridge with it', async () => {
    const { root } = await start({ version, sdn });
    await root.task('POST', '/nodes/pve1/qemu/300/status/stop');
    await root.ok('PUT', '/nodes/pve1/qemu/300/config', { net0: 'virtio,bridge=dmz' });
    expect((await root.del(`${vnets}/dmz`)).status).toBe(200);
    await root.task('PUT', '/cluster/sdn');
    expect(await root.task('POST', '/nodes/pve1/qemu/300/status/start')).toBe("bridge 'dmz' does not exist");
  });

  test.each<[string, string, Form, string]>([
    [
      'POST',
      zones,
      { zone: 'lab', type: 'simple' },
      "create sdn zone object failed: sdn zone object ID 'lab' already defined",
    ],
    ['POST', zones, { zone: 'z1', type: 'vlan' }, "missing value for required option 'bridge'"],
    ['POST', zones, { zone: 'z1', type: 'simple', bridge: 'vmbr0' }, "unexpected property 'bridge'"],
    [
      'POST',
      vnets,
      { vnet: 'hq', zone: 'lab', tag: 9 },
      "create sdn vnet object failed: sdn vnet object ID 'hq' already defined",
    ],
    [
      'POST',
      vnets,
      { vnet: 'n1', zone: 'none', tag: 9 },
      'create sdn vnet object failed: cannot lookup undefined type!',
    ],
    ['DELETE', `${zones}/lab`, {}, 'delete sdn zone object failed: zone lab is used by vnet hq'],
    ['DELETE', `${zones}/none`, {}, "delete sdn zone object failed: sdn 'none' does not exist"],
    ['DELETE', `${vnets}/none`, {}, "sdn vnet 'none' does not exist"],
  ])('%s %s %j', async (method, path, form, text) => {
    const { root } = await start({ version, sdn });
    const reply = await root.call(method, path, form);
    expect(reply.status).toBe(500);
    expect(textOf(reply)).toContain(text);
  });
});

test.each<[Form, string]>([
  [{ zone: 'lab' }, 'tag: missing vlan tag'],
  [{ zone: 'wide' }, 'tag: missing vxlan tag'],
  [{ zone: 'lab', tag: 10 }, 'tag: tag 10 already exist in vnet hq'],
  [{ zone: 'lab', tag: 4097 }, 'tag: vlan tag max value is 4096'],
  [{ zone: 'wide', tag: 20 }, 'tag: vxlan tag 20 already exist in vnet dmz in zone wide'],
  [{ zone: 'plain', tag: 5 }, 'tag: vlan tag is not allowed on simple zone'],
])('a vnet of %j is a 500 with the detail in its message', async (form, text) => {
  const { root } = await start({ sdn: { ...sdn, zones: [...sdn.zones, { zone: 'plain', type: 'simple' }] } });
  const reply = await root.post(vnets, { vnet: 'n1', ...form });
  expect(reply.status).toBe(500);
  expect(reply.body.message).toContain(
    `create sdn vnet object failed: 400 Parameter verification failed.\n${text}`,
  );
});

describe.each(['8.4', '9.2'] as const)('%s: aliases', (version) => {
  const mark = 'deploy-stand lab=x user=y@pve net=hq since=2026-11-28T00:00:00Z';
  test.each<[string, number, string | undefined]>([
    [mark, 200, mark],
    ['  blanks  ', 200, 'blanks'],
    ['Büro', 200, undefined],
    ['a|b', 400, undefined],
    ['a\nb', 500, undefined],
  ])('%j', async (alias, status, stored) => {
    const { root } = await start({ version, sdn });
    expect((await root.post(vnets, { vnet: 'n1', zone: 'lab', tag: 5, alias })).status).toBe(status);
    if (status !== 200) return;
    const found = (await root.ok('GET', vnets)).find((one: Loose) => one.vnet === 'n1');
    expect(found.alias).toBe(stored);
  });
});

test.each([
  ['8.4', 'a', "invalid format - vnet ID 'a' contains illegal characters"],
  ['8.4', 'toolong99', "invalid format - vnet ID 'toolong99' can't be more length than 8 characters"],
  ['9.2', 'toolong99', 'value may only be 8 characters long'],
] as const)('%s: the vnet id %s', async (version, vnet, problem) => {
  const { root } = await start({ version, sdn });
  expect((await root.post(vnets, { vnet, zone: 'lab', tag: 5 })).body.errors?.['vnet']).toBe(problem);
});

describe('the global lock of 9', () => {
  const version = '9.2';

  test('survives its owner, stops every write without its token, and opens by force', async () => {
    const { root } = await start({ version, sdn });
    const token = await root.ok('POST', '/cluster/sdn/lock');
    const write = (more: Form = {}): Promise<Reply> =>
      root.post(vnets, { vnet: 'n1', zone: 'lab', tag: 5, ...more });
    for (const reply of [await write(), await write({ 'lock-token': 'x' }), await root.put('/cluster/sdn')]) {
      expect(reply.status).toBe(500);
      expect(reply.body.message).toContain('invalid lock token provided!');
    }
    expect((await write({ 'lock-token': token })).status).toBe(200);
    expect((await root.put('/nodes/pve1/network')).status).toBe(200);
    expect((await root.del('/cluster/sdn/lock')).status).toBe(500);
    await root.ok('DELETE', '/cluster/sdn/lock', { force: 1 });
    expect((await write({ vnet: 'n2', tag: 6 })).status).toBe(200);
  });

  test('is not given while something is pending; a rollback takes that back', async () => {
    const { root } = await start({ version, sdn });
    await root.ok('DELETE', `${vnets}/hq`);
    expect((await root.post('/cluster/sdn/lock')).body.message).toContain(
      'configuration has pending changes',
    );
    expect((await root.post('/cluster/sdn/lock', { 'allow-pending': 1 })).status).toBe(200);
    await root.ok('DELETE', '/cluster/sdn/lock', { force: 1 });
    await root.ok('POST', '/cluster/sdn/rollback');
    expect(names(await root.ok('GET', vnets), 'vnet')).toEqual(['dmz', 'hq']);
  });

  test.each(['7.4', '8.4'] as const)('%s has none of it', async (old) => {
    const { root } = await start({ version: old, sdn });
    expect((await root.post('/cluster/sdn/lock')).status).toBe(501);
    expect((await root.post('/cluster/sdn/rollback')).status).toBe(501);
    expect((await root.put('/cluster/sdn', { 'lock-token': 'x' })).status).toBe(400);
  });
});

describe.each(['8.4', '9.2'] as const)('%s: rights', (version) => {
  const anna = (role: string, path: string) => ({
    version,
    sdn,
    users: [userWithToken('anna@pve')],
    acl: [{ path, role, user: 'anna@pve' }],
  });
  const caller = async (role: string, path: string): Promise<Caller> =>
    (await start(anna(role, path))).as(`anna@pve!t=${secret}`);

  test('a zone takes SDN.Allocate on /sdn/zones, its vnets on the zone, applying on /sdn', async () => {
    const ofZone = await caller('PVESDNAdmin', '/sdn/zones/lab');
    expect((await ofZone.post(vnets, { vnet: 'n1', zone: 'lab', tag: 5 })).status).toBe(200);
    expect((await ofZone.post(vnets, { vnet: 'n2', zone: 'wide', tag: 5 })).reason).toBe(
      'Permission check failed (/sdn/zones/wide, SDN.Allocate)',
    );
    expect((await ofZone.del(`${vnets}/dmz`)).status).toBe(403);
    expect((await ofZone.post(zones, { zone: 'z1', type: 'simple' })).status).toBe(403);
    expect((await ofZone.put('/cluster/sdn')).reason).toBe('Permission check failed (/sdn, SDN.Allocate)');
  });

  test('SDN.Use shows vnets among the bridges, and not in the configuration', async () => {
    const user = await caller('PVESDNUser', '/sdn/zones/lab/hq');
    expect(names(await user.ok('GET', '/nodes/pve1/network', { type: 'any_bridge' }), 'iface')).toEqual([
      'hq',
    ]);
    expect(names(await user.ok('GET', vnets), 'vnet')).toEqual(['hq']);
    expect(await user.ok('GET', zones)).toEqual([]);
    expect((await user.ok('GET', '/nodes/pve1/sdn/zones')).length).toBe(2);
  });

  test('the check of a NIC looks the zone up in the staged configuration', async () => {
    const { as, root } = await start({
      ...anna('PVEAdmin', '/vms'),
      acl: [
        { path: '/vms', role: 'PVEAdmin', user: 'anna@pve' },
        { path: '/sdn/zones/lab', role: 'PVESDNUser', user: 'anna@pve' },
        { path: '/sdn/zones/localnetwork', role: 'PVESDNUser', user: 'anna@pve' },
      ],
    });
    const nic = (bridge: string): Promise<Reply> =>
      as(`anna@pve!t=${secret}`).put('/nodes/pve1/qemu/300/config', { net0: `virtio,bridge=${bridge}` });
    expect((await nic('dmz')).reason).toBe('Permission check failed (/sdn/zones/wide/dmz, SDN.Use)');
    await root.ok('POST', vnets, { vnet: 'n1', zone: 'wide', tag: 5 });
    expect((await nic('n1')).reason).toBe('Permission check failed (/sdn/zones/wide/n1, SDN.Use)');
    expect((await nic('hq')).status).toBe(200);
  });
});
