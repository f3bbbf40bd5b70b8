/** The interfaces file: what the writer makes of a request, and what one worker of pveproxy still knows of it. */
import { describe, expect, test } from 'vitest';
import { versions } from '../../src/lib/simulator/version.ts';
import { start, type Caller, type Form, type Loose } from './harness.ts';

const path = '/nodes/pve1/network';

async function rows(caller: Caller, form: Form = {}): Promise<Record<string, Record<string, unknown>>> {
  const list: Loose[] = await caller.ok('GET', path, form);
  return Object.fromEntries(list.map((one) => [one.iface, one]));
}

const changesOf = async (caller: Caller): Promise<string | undefined> =>
  (await caller.get(path)).body.changes;

const oneNode = (node: object) => ({
  nodes: [{ name: 'pve1', ...node }, { name: 'pve2' }, { name: 'pve3' }],
});

describe.each(versions)('%s: the difference', (version) => {
  test('a change inside a stanza shows three lines before it, which need not name the stanza', async () => {
    const { root } = await start({
      version,
      ...oneNode({
        bridges: [
          'vmbr0',
          { name: 'vmbr1000', comments: 'a mark' },
          { name: 'vmbr1001', comments: 'a mark' },
        ],
      }),
    });
    await root.ok('PUT', `${path}/vmbr1000`, { type: 'bridge', bridge_vlan_aware: 1, comments: 'a mark' });
    const hunk = (await changesOf(root))?.split('\n').slice(2);
    expect(hunk).toEqual([
      expect.stringMatching(/^@@ -\d+,6 \+\d+,8 @@$/),
      ' \tbridge-ports none',
      ' \tbridge-stp off',
      ' \tbridge-fd 0',
      '+\tbridge-vlan-aware yes',
      '+\tbridge-vids 2-4094',
      ' #a mark',
      ' ',
      ' auto vmbr1001',
      '',
    ]);
  });

  test('new stanzas go behind those of their kind, VLANs behind the kind of what they are on', async () => {
    const { root } = await start({ version, ...oneNode({ bridges: ['vmbr0', 'vmbr7'] }) });
    await root.ok('POST', path, { iface: 'vmbr5', type: 'bridge' });
    await root.ok('POST', path, { iface: 'eno1.5', type: 'vlan' });
    await root.task('PUT', path);
    const order = (await root.ok('GET', path)).map((one: Loose) => one.iface);
    expect(order).toEqual(['eno1', 'eno1.5', 'vmbr0', 'vmbr7', 'vmbr5']);
  });

  test('sending a bridge as it is leaves an interfaces.new without a difference', async () => {
    const { root, sim } = await start({
      version,
      ...oneNode({ bridges: [{ name: 'vmbr1', comments: 'x' }] }),
    });
    await root.ok('PUT', `${path}/vmbr1`, { type: 'bridge', comments: 'x', autostart: 1 });
    expect(await changesOf(root)).toBeUndefined();
    expect(sim.snapshot().nodes[0]?.staged).toEqual(sim.snapshot().nodes[0]?.interfaces);
    await root.ok('DELETE', path);
    expect(sim.snapshot().nodes[0]?.staged).toBeUndefined();
  });
});

describe.each(versions)('%s: `active` is what a worker saw when it last read the file', (version) => {
  const reload = { latency: { network_reload_s: 600 } };

  test('the three workers answer in turn, and one that was asked too early never learns', async () => {
    const { root } = await start({ version, ...reload });
    await root.ok('POST', path, { iface: 'vmbr1000', type: 'bridge', autostart: 1 });
    const upid = await root.ok('PUT', path);
    const active = async (): Promise<unknown> => (await rows(root))['vmbr1000']?.['active'];
    expect(await active()).toBeUndefined();
    expect(await root.ended(upid)).toBe('OK');
    expect([await active(), await active(), await active(), await active()]).toEqual([1, 1, undefined, 1]);
  });

  test('a bare second reload changes nothing of that; a staged write does, and a revert keeps it', async () => {
    const { root } = await start({ version, ...reload });
    await root.ok('POST', path, { iface: 'vmbr1000', type: 'bridge', autostart: 1 });
    const upid = await root.ok('PUT', path);
    const active = async (): Promise<unknown[]> => {
      const seen: unknown[] = [];
      for (let i = 0; i < 3; i += 1) seen.push((await rows(root))['vmbr1000']?.['active']);
      return seen;
    };
    expect(await active()).toEqual([undefined, undefined, undefined]);
    await root.ended(upid);
    expect(await active()).toEqual([undefined, undefined, undefined]);
    expect(await root.task('PUT', path)).toBe('OK');
    expect(await active()).toEqual([undefined, undefined, undefined]);
    await root.ok('PUT', `${path}/vmbr1000`, { type: 'bridge', autostart: 1 });
    expect(await changesOf(root)).toBeUndefined();
    expect(await active()).toEqual([1, 1, 1]);
    await root.ok('DELETE', path);
    expect(await active()).toEqual([1, 1, 1]);
  });
});

describe.each(versions)('%s: what is written and read back', (version) => {
  test('a bridge sent without its address becomes manual', async () => {
    const { root } = await start({ version });
    await root.ok('PUT', `${path}/vmbr0`, { type: 'bridge', bridge_ports: 'eno1', autostart: 1 });
    expect((await rows(root))['vmbr0']).toMatchObject({ method: 'manual', gateway: '192.0.2.254' });
    const changes = await changesOf(root);
    expect(changes).toContain('-iface vmbr0 inet static\n+iface vmbr0 inet manual');
    await root.ok('PUT', `${path}/vmbr0`, { type: 'bridge', cidr: '192.0.2.1/24' });
    expect((await rows(root))['vmbr0']).toMatchObject({ method: 'static', cidr: '192.0.2.1/24' });
    expect(await changesOf(root)).toBeUndefined();
  });

  test('addresses come in halves or whole, not both', async () => {
    const { root } = await start({ version });
    const bridge = { iface: 'vmbr1', type: 'bridge' };
    await root.ok('POST', path, { ...bridge, address: '10.1.0.1', netmask: '255.255.240.0' });
    expect((await rows(root))['vmbr1']).toMatchObject({
      cidr: '10.1.0.1/20',
      netmask: '20',
      method: 'static',
    });
    const both = {
      iface: 'vmbr2',
      type: 'bridge',
      cidr: '10.2.0.1/24',
      address: '10.2.0.1',
      netmask: '255.255.255.0',
    };
    expect((await root.post(path, both)).body.errors).toEqual({ address: 'address conflicts with cidr' });
    const half = await root.post(path, { iface: 'vmbr2', type: 'bridge', address: '10.2.0.1' });
    expect([half.status, half.body.errors]).toEqual([
      400,
      {
        netmask:
          version === '9.2'
            ? "missing property required by 'address'"
            : "missing property - 'address' requires this property",
      },
    ]);
    await root.ok('POST', path, { iface: 'vmbr3', type: 'bridge', cidr6: '2001:db8::1/64' });
    expect((await rows(root))['vmbr3']).toMatchObject({
      method6: 'static',
      netmask6: '64',
      families: ['inet6'],
    });
  });

  test('comments lose white space at the ends of lines, and one that is 0 altogether', async () => {
    const { root } = await start({ version });
    await root.ok('POST', path, { iface: 'vmbr1', type: 'bridge', comments: ' a mark \t\r\n\nlast\r\n' });
    expect((await rows(root))['vmbr1']?.['comments']).toBe(' a mark\n\nlast\n');
    await root.ok('PUT', `${path}/vmbr1`, { type: 'bridge', comments: '0' });
    expect((await rows(root))['vmbr1']).not.toHaveProperty('comments');
  });
});

describe.each(['8.4', '9.2'] as const)('%s: VLAN ids', (version) => {
  test('go without awareness, and default to all with it', async () => {
    const { root } = await start({ version });
    await root.ok('POST', path, { iface: 'vmbr1', type: 'bridge', bridge_vids: '5' });
    expect((await rows(root))['vmbr1']).not.toHaveProperty('bridge_vids');
    await root.ok('PUT', `${path}/vmbr1`, { type: 'bridge', bridge_vlan_aware: 1, bridge_vids: '5,7-9' });
    expect((await rows(root))['vmbr1']).toMatchObject({ bridge_vlan_aware: 1, bridge_vids: '5 7-9' });
  });

  test.each([
    ['1', "invalid VLAN tag '1'"],
    ['5-4095', "invalid VLAN tag '4095'"],
    ['9-7', "VLAN range must go from lower to higher tag '9-7'"],
    ['x', "invalid VLAN configuration 'x'"],
  ])('refuses %j', async (bridge_vids, problem) => {
    const { root } = await start({ version });
    const form = { iface: 'vmbr1', type: 'bridge', bridge_vlan_aware: 1, bridge_vids };
    expect((await root.post(path, form)).body.errors).toEqual({ bridge_vids: `invalid format - ${problem}` });
  });
});

describe.each(versions)('%s: Open vSwitch', (version) => {
  const ovs = oneNode({
    bridges: ['vmbr0', { name: 'vmbr1', type: 'OVSBridge', ports: 'eno2 bond0 int7' }],
    interfaces: [
      { iface: 'eno3', type: 'eth' },
      { iface: 'eno4', type: 'eth' },
      { iface: 'bond0', type: 'OVSBond', options: { ovs_bonds: 'eno3 eno4', bond_mode: 'balance-slb' } },
      { iface: 'int7', type: 'OVSIntPort', options: { ovs_tag: '7' } },
    ],
  });

  test('bridge, port, internal port and bond are listed with their types', async () => {
    const { root } = await start({ version, ...ovs });
    const listed = await rows(root);
    expect(listed['vmbr1']).toMatchObject({ type: 'OVSBridge', ovs_ports: 'eno2 bond0 int7', active: 1 });
    expect(listed['eno2']).toMatchObject({ type: 'OVSPort', ovs_bridge: 'vmbr1', exists: 1 });
    expect(listed['int7']).toMatchObject({ type: 'OVSIntPort', ovs_bridge: 'vmbr1', ovs_tag: '7' });
    expect(listed['bond0']).toMatchObject({ type: 'OVSBond', ovs_bonds: 'eno3 eno4', ovs_bridge: 'vmbr1' });
    expect(listed['eno3']).toMatchObject({ type: 'eth', autostart: 1 });
    expect(Object.keys(await rows(root, { type: 'any_bridge' }))).toEqual(['vmbr0', 'vmbr1']);
  });

  test('an internal port joins its bridge when it is made, and leaves it when it goes', async () => {
    const { root } = await start({ version, ...ovs });
    const port = { iface: 'int8', type: 'OVSIntPort' };
    expect((await root.post(path, port)).body.errors).toEqual({ ovs_bridge: 'parameter is required' });
    expect((await root.post(path, { ...port, ovs_bridge: 'vmbr0' })).body.errors).toEqual({
      ovs_bridge: "interface 'vmbr0' is no OVS bridge",
    });
    await root.ok('POST', path, { ...port, ovs_bridge: 'vmbr1' });
    expect((await rows(root))['vmbr1']).toMatchObject({ ovs_ports: 'eno2 bond0 int7 int8' });
    await root.ok('DELETE', `${path}/int8`);
    expect((await rows(root))['vmbr1']).toMatchObject({ ovs_ports: 'eno2 bond0 int7' });
  });

  test('without the bridge its ports are plain interfaces again', async () => {
    const { root } = await start({ version, ...ovs });
    await root.ok('DELETE', `${path}/vmbr1`);
    expect((await rows(root))['eno2']).toMatchObject({ type: 'eth' });
    expect((await rows(root))['int7']).toMatchObject({ type: 'unknown' });
  });

  test('guests use such a bridge, tagged too', async () => {
    const { root } = await start({ version, ...ovs });
    await root.ok('PUT', '/nodes/pve1/qemu/300/config', { net0: 'virtio,bridge=vmbr1,tag=5' });
    await root.task('POST', '/nodes/pve1/qemu/300/status/stop');
    expect(await root.task('POST', '/nodes/pve1/qemu/300/status/start')).toBe('OK');
  });
});

describe.each(versions)('%s: bridges that PVE does not list', (version) => {
  const hidden = oneNode({ sourced_bridges: ['vmbr50'], hand_made_bridges: ['vmbr60'] });

  test('guests start on them, on this node alone', async () => {
    const { root } = await start({ version, ...hidden });
    expect(Object.keys(await rows(root))).toEqual(['eno1', 'vmbr0']);
    for (const bridge of ['vmbr50', 'vmbr60']) {
      await root.task('POST', '/nodes/pve1/qemu/300/status/stop');
      await root.ok('PUT', '/nodes/pve1/qemu/300/config', { net0: `virtio,bridge=${bridge}` });
      expect(await root.task('POST', '/nodes/pve1/qemu/300/status/start')).toBe('OK');
    }
    expect((await root.del(`${path}/vmbr50`)).body.errors).toEqual({ iface: 'interface does not exist' });
  });

  test('one of the same name can be made; it is active at once, and what stays of it depends on where it came from', async () => {
    const { root } = await start({ version, ...hidden });
    for (const iface of ['vmbr50', 'vmbr60'])
      await root.ok('POST', path, { iface, type: 'bridge', autostart: 1 });
    expect(await rows(root)).toMatchObject({ vmbr50: { active: 1 }, vmbr60: { active: 1 } });
    await root.task('PUT', path);
    for (const iface of ['vmbr50', 'vmbr60']) await root.ok('DELETE', `${path}/${iface}`);
    await root.task('PUT', path);
    const startOn = async (bridge: string): Promise<string> => {
      await root.task('POST', '/nodes/pve1/qemu/300/status/stop');
      await root.ok('PUT', '/nodes/pve1/qemu/300/config', { net0: `virtio,bridge=${bridge}` });
      return root.task('POST', '/nodes/pve1/qemu/300/status/start');
    };
    expect(await startOn('vmbr50')).toBe('OK');
    expect(await startOn('vmbr60')).toBe("bridge 'vmbr60' does not exist");
  });

  test('reloads leave both alone', async () => {
    const { root, sim } = await start({ version, ...hidden });
    await root.ok('POST', path, { iface: 'vmbr1', type: 'bridge', autostart: 1 });
    await root.task('PUT', path);
    expect(Object.keys(sim.snapshot().nodes[0]?.running ?? {}).sort()).toEqual(
      ['eno1', 'lo', 'vmbr0', 'vmbr1', 'vmbr50', 'vmbr60'].sort(),
    );
  });
});

test.each([
  [{ iface: 'bond0', type: 'bond', slaves: 'eno9' }, "bond 'bond0' - unable to find slave 'eno9'"],
  [{ iface: 'eno9.5', type: 'vlan' }, "vlan 'eno9.5' - unable to find parent 'eno9'"],
  [
    { iface: 'vmbr1', type: 'OVSBridge', ovs_ports: 'eno9' },
    "OVS bridge 'vmbr1' - unable to find port 'eno9'",
  ],
  [
    { iface: 'eno1.5', type: 'vlan', mtu: 9000 },
    "interface 'eno1' - mtu 1500 is lower than 'eno1.5' - mtu 9000",
  ],
])('the writer refuses %j', async (form, reason) => {
  const { root } = await start();
  expect((await root.post(path, form)).reason).toBe(reason);
});
