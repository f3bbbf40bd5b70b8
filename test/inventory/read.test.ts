import { expect, test } from 'vitest';
import { readInventory } from '../../src/lib/inventory/read.ts';
import type { Rights } from '../../src/lib/inventory/types.ts';
import { AuthError, UnreachableError } from '../../src/lib/proxmox/errors.ts';
import type { PveApi, ResourceRow } from '../../src/lib/proxmox/types.ts';
import type { GuestAt } from '../../src/lib/pve-values/guest-kinds.ts';
import type { Trouble } from '../../src/lib/unanswered.ts';

const unreachable = (path: string, trouble: Trouble): Error =>
  new UnreachableError({ method: 'GET', path, isSent: false, troubles: [trouble] });

const rows: ResourceRow[] = [
  {
    id: 'node/pve1',
    type: 'node',
    node: 'pve1',
    status: 'online',
    maxcpu: 8,
    maxmem: 100,
    mem: 40,
    cpu: 0.5,
  },
  { id: 'node/pve2', type: 'node', node: 'pve2', status: 'offline' },
  {
    id: 'storage/pve1/ceph',
    type: 'storage',
    node: 'pve1',
    storage: 'ceph',
    plugintype: 'rbd',
    status: 'available',
    shared: true,
    content: 'images,rootdir',
    disk: 10,
    maxdisk: 100,
  },
  { id: 'qemu/100', type: 'qemu', vmid: 100, node: 'pve1', name: 'tpl', template: true, status: 'stopped' },
  {
    id: 'qemu/10000',
    type: 'qemu',
    vmid: 10000,
    node: 'pve1',
    status: 'unknown',
    pool: 'anna',
    lock: 'clone',
  },
  { id: 'qemu/10001', type: 'qemu', vmid: 10001, node: 'pve2', status: 'unknown', pool: 'anna' },
  ...Array.from({ length: 500 }, (_, i) => ({
    id: `lxc/${i + 2000}`,
    type: 'lxc',
    vmid: i + 2000,
    node: 'pve1',
    status: 'running',
  })),
];

const isPlace = (arg: unknown): arg is Partial<GuestAt> =>
  typeof arg === 'object' && arg !== null && 'node' in arg;

/** Records the calls, so that a test can count them. */
function fakePve(over: Partial<PveApi> = {}): { pve: PveApi; calls: string[] } {
  const calls: string[] = [];
  const answer =
    <T>(name: string, value: T) =>
    (...args: readonly unknown[]) => {
      calls.push(
        [name, ...args.flatMap((arg) => (isPlace(arg) ? [arg.node, arg.vmid] : arg))]
          .filter((arg) => typeof arg === 'string' || typeof arg === 'number')
          .join(' '),
      );
      return Promise.resolve(value);
    };
  const pve = {
    serverTime: () => new Date('2026-11-21T08:00:00Z'),
    version: answer('version', { version: '8.4.1', release: '8.4' }),
    resources: answer('resources', rows),
    pools: answer('pools', [{ pool: 'anna', comment: 'claim' }]),
    users: answer('users', []),
    acls: answer('acls', []),
    roles: answer('roles', [{ role: 'PVEVMAdmin', privileges: ['VM.Audit'] }]),
    realms: answer('realms', [{ realm: 'pve', type: 'pve' }]),
    groups: answer('groups', []),
    vnetZones: answer('vnetZones', []),
    nodeHaStates: answer('nodeHaStates', { pve1: 'maintenance' }),
    network: answer('network', {
      rows: [
        {
          iface: 'eno1',
          type: 'eth',
          active: true,
          vlanAware: false,
          ports: [],
          addresses: [],
          gateways: [],
          comments: '',
        },
        {
          iface: 'vmbr0',
          type: 'bridge',
          active: true,
          vlanAware: true,
          ports: ['eno1'],
          addresses: ['192.0.2.10/24'],
          gateways: ['192.0.2.1'],
          comments: 'uplink',
        },
        {
          iface: 'vmbr0.5',
          type: 'vlan',
          active: true,
          vlanAware: false,
          ports: [],
          addresses: [],
          gateways: [],
          comments: '',
        },
      ],
      changes: '',
    }),
    permissions: answer('permissions', { '/access': { 'Sys.Audit': true } }),
    nodeVms: answer('nodeVms', [{ vmid: 10000, name: 'pc', status: 'stopped' }]),
    guestConfig: answer('guestConfig', { name: 'x', digest: 'abc' }),
    ...over,
  } as unknown as PveApi;
  return { pve, calls };
}

const scope = {
  templates: [{ by: 'vmid', vmid: 100 }] as const,
  claimed: () => [10000, 10001],
};

const BEFORE_83 = { version: '8.2.4', release: '8.2' };

test('since 8.3 the nodes say themselves that they are in maintenance', async () => {
  const states: Readonly<Record<string, string>> = { 'node/pve1': 'online', 'node/pve2': 'maintenance' };
  const stated = rows.map((row) => ({ ...row, ...(states[row.id] ? { hastate: states[row.id] } : {}) }));
  const { pve, calls } = fakePve({ resources: () => Promise.resolve(stated) });
  const have = await readInventory({ pve }, scope);
  expect(have.nodes.map(({ name, maintenance }) => [name, maintenance])).toEqual([
    ['pve1', false],
    ['pve2', true],
  ]);
  expect(calls).not.toContain('nodeHaStates');
});

test('asks once per list and node, and per guest only for templates and claimed VMs on nodes that are up', async () => {
  const { pve, calls } = fakePve({ version: () => Promise.resolve(BEFORE_83) });
  const have = await readInventory({ pve }, scope);
  expect(calls.filter((call) => call.startsWith('guestConfig')).sort()).toEqual([
    'guestConfig pve1 100',
    'guestConfig pve1 10000',
  ]);
  expect(calls.filter((call) => call.startsWith('network'))).toEqual(['network pve1']);
  expect(calls).toHaveLength(14); // and the version
  expect(have.guests).toHaveLength(503);
  expect(have.nodes.map((node) => [node.name, node.online, node.maintenance])).toEqual([
    ['pve1', true, true],
    ['pve2', false, false],
  ]);
  expect(have.networks).toEqual([
    {
      node: 'pve1',
      readable: true,
      bridges: [
        {
          iface: 'vmbr0',
          active: true,
          vlanAware: true,
          mtu: 1500,
          ports: ['eno1'],
          addresses: ['192.0.2.10/24'],
          gateways: ['192.0.2.1'],
          above: ['vmbr0.5'],
          comments: 'uplink',
        },
      ],
      pending: [],
    },
    { node: 'pve2', readable: false, bridges: [], pending: [] },
  ]);
});

test("the node's own list corrects what the cluster's list shows late", async () => {
  const { pve } = fakePve();
  const have = await readInventory({ pve }, scope);
  expect(have.guests.find((guest) => guest.vmid === 10000)).toMatchObject({
    name: 'pc',
    status: 'stopped',
    pool: 'anna',
  });
  expect(have.guests.find((guest) => guest.vmid === 10000)?.lock).toBeUndefined();
});

test('a node is asked for its guests once, whether their states are wanted or their configurations', async () => {
  const { pve, calls } = fakePve();
  await readInventory({ pve }, { templates: [], claimed: () => [10000], live: () => [10000] });
  expect(calls.filter((call) => call.startsWith('nodeVms'))).toEqual(['nodeVms pve1']);
});

test('a list that may not be read is a gap in words; an unreachable cluster is an error', async () => {
  const forbidden = () =>
    Promise.reject(
      new AuthError({ method: 'GET', path: '/access/acl', status: 403, text: 'Permission check failed' }),
    );
  const { pve } = fakePve({ acls: forbidden });
  expect((await readInventory({ pve }, scope)).gaps).toEqual([
    { kind: 'acls-unread', text: 'the access control list cannot be read' },
  ]);
  const down = () =>
    Promise.reject(unreachable('/cluster/resources', { kind: 'said', words: 'connection refused' }));
  await expect(readInventory({ pve: fakePve({ resources: down }).pve }, scope)).rejects.toThrow(
    UnreachableError,
  );
});

test('a node that goes down between the lists is unreadable, not fatal', async () => {
  const { pve } = fakePve({
    network: () =>
      Promise.reject(unreachable('/nodes/pve1/network', { kind: 'status', status: 595, words: '' })),
  });
  const have = await readInventory({ pve }, scope);
  expect(have.networks[0]).toEqual({ node: 'pve1', readable: false, bridges: [], pending: [] });
});

test('a claimed VM that moved while it was read is looked for where it is now', async () => {
  let asked = 0;
  const moved = (row: ResourceRow) => (row.vmid === 10000 ? { ...row, node: 'pve3' } : row);
  const up = [...rows, { id: 'node/pve3', type: 'node', node: 'pve3', status: 'online' }];
  const { pve } = fakePve({
    resources: () => {
      asked += 1;
      return Promise.resolve(asked === 1 ? up : up.map(moved));
    },
    guestConfig: ({ node, vmid }) =>
      Promise.resolve(vmid === 10000 && node === 'pve1' ? undefined : { name: 'x', digest: 'abc' }),
  });
  const have = await readInventory({ pve }, scope);
  expect(asked).toBe(2);
  expect(have.vms.find((config) => config.vmid === 10000)?.node).toBe('pve3');
  expect(have.guests.filter((guest) => guest.vmid === 10000).map((guest) => guest.node)).toEqual(['pve3']);
});

test.each([
  { release: '8.4', zone: { 'SDN.Audit': true }, vms: { 'VM.Audit': true }, bridges: false, guests: false },
  { release: '8.4', zone: { 'SDN.Use': true }, vms: {}, bridges: false, guests: true },
  { release: '9.2', zone: { 'SDN.Audit': false }, vms: { 'VM.Audit': false }, bridges: true, guests: true },
  { release: '7.4', zone: {}, vms: { 'VM.Audit': true }, bridges: false, guests: false },
])(
  'tells on $release what $zone and $vms may hide: bridges $bridges, guests $guests',
  async ({ release, zone, vms, bridges, guests }) => {
    const { pve } = fakePve({
      version: () => Promise.resolve({ version: release, release }),
      permissions: () => Promise.resolve<Rights>({ '/sdn/zones': zone, '/vms': vms }),
    });
    const have = await readInventory({ pve }, { ...scope, rights: true });
    expect(have.hidden).toEqual({ bridges, guests, groups: true });
    expect(have.rights).toEqual({ '/sdn/zones': zone, '/vms': vms });
    expect((await readInventory({ pve }, scope)).hidden).toBeUndefined();
  },
);

test('the CPU load of the last hour is read for online nodes when asked for, and is no must', async () => {
  const { pve, calls } = fakePve({
    nodeHistory: (node) => {
      calls.push(`nodeHistory ${node}`);
      return Promise.resolve([{ time: 0, cpu: 0.2 }, { time: 60 }, { time: 120, cpu: 0.4 }]);
    },
  });
  const { nodes } = await readInventory({ pve }, { ...scope, load: true });
  expect(nodes.map(({ name, cpuHour }) => [name, cpuHour])).toEqual([
    ['pve1', expect.closeTo(0.3)],
    ['pve2', undefined],
  ]);
  expect(calls.filter((call) => call.startsWith('nodeHistory'))).toEqual(['nodeHistory pve1']);
  const denied = fakePve({
    nodeHistory: () =>
      Promise.reject(new AuthError({ method: 'GET', path: '/nodes/pve1/rrddata', status: 403, text: 'no' })),
  });
  const without = await readInventory({ pve: denied.pve }, { ...scope, load: true });
  expect(without.nodes[0]).not.toHaveProperty('cpuHour');
});
