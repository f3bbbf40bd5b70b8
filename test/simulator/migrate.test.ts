/** What is told of a migration before it begins, and how the ones that cannot work end. */
import { describe, expect, test } from 'vitest';
import { versions } from '../../src/lib/simulator/version.ts';
import { start, type Loose } from './harness.ts';

const world = {
  storages: [
    { id: 'ceph', type: 'rbd' },
    { id: 'some', type: 'nfs', nodes: ['pve1', 'pve2'] },
  ],
  templates: [],
  guests: [
    { vmid: 300, name: 'up', node: 'pve1', storage: 'ceph' },
    { vmid: 301, name: 'down', node: 'pve1', storage: 'some', running: false },
  ],
} as const;
const path = (vmid: number): string => `/nodes/pve1/qemu/${vmid}/migrate`;

describe.each(versions)('%s', (version) => {
  test('preconditions: allowed nodes have an empty entry among those that are not', async () => {
    const { root } = await start({ version, ...world });
    const told = await root.ok('GET', path(301));
    expect(told).toMatchObject({
      running: 0,
      allowed_nodes: ['pve2'],
      not_allowed_nodes: { pve2: {}, pve3: { unavailable_storages: ['some'] } },
      local_disks: [],
      local_resources: [],
    });
    const more = ['mapped-resources', 'mapped-resource-info', 'has-dbus-vmstate'].filter(
      (key) => key in told,
    );
    expect(more).toEqual(
      { '7.4': [], '8.4': ['mapped-resources', 'mapped-resource-info'] }[version as string] ?? [
        'mapped-resources',
        'mapped-resource-info',
        'has-dbus-vmstate',
      ],
    );
    expect(told).not.toHaveProperty('dependent-ha-resources');
  });

  test('preconditions of a running machine name nodes since 8 only', async () => {
    const { root } = await start({ version, ...world });
    expect('allowed_nodes' in (await root.ok('GET', path(300)))).toBe(version !== '7.4');
  });

  test('a locked machine has none', async () => {
    const { root } = await start({
      version,
      ...world,
      guests: [{ ...world.guests[0], config: { lock: 'backup' } }],
    });
    expect((await root.get(path(300))).reason).toBe('VM is locked (backup)');
  });

  test('an unknown node is refused; one that is down makes the task fail', async () => {
    const { root } = await start({
      version,
      ...world,
      nodes: [{ name: 'pve1' }, { name: 'pve2', online: false }],
    });
    const unknown = await root.post(path(301), { target: 'pve9' });
    expect([unknown.status, unknown.reason]).toEqual([500, "no such cluster node 'pve9'"]);
    expect(await root.task('POST', path(301), { target: 'pve2' })).toBe('migration aborted');
  });

  test('a second migration of one machine waits for the first, and is aborted', async () => {
    // While the write of its configuration goes on, neither has locked the machine.
    const { root } = await start({ version, ...world, latency: { config_write_ms: 6_000 } });
    const write = root.put('/nodes/pve1/qemu/301/config', { description: 'x' });
    const [first, second] = await Promise.all([
      root.ok('POST', path(301), { target: 'pve2' }),
      root.ok('POST', path(301), { target: 'pve2' }),
    ]);
    expect((await write).status).toBe(200);
    const ends = [await root.ended(first), await root.ended(second)];
    expect(ends.sort()).toEqual(['OK', 'migration aborted']);
  });

  test('a bridge that the target lacks: problems online, nothing offline', async () => {
    const { root } = await start({
      version,
      ...world,
      guests: [{ ...world.guests[0], bridge: 'vmbr7' }],
      nodes: [{ name: 'pve1', bridges: ['vmbr0', 'vmbr7'] }, { name: 'pve2' }],
    });
    const upid = await root.ok('POST', path(300), { target: 'pve2', online: 1 });
    expect(await root.ended(upid)).toBe('migration problems');
    const log: Loose[] = await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(upid)}/log`);
    expect(log.map((one) => one.t).join('\n')).toContain("bridge 'vmbr7' does not exist");
    expect(await root.ok('GET', '/nodes/pve1/qemu/300/status/current')).toMatchObject({ status: 'running' });
    await root.task('POST', '/nodes/pve1/qemu/300/status/stop');
    expect(await root.task('POST', path(300), { target: 'pve2' })).toBe('OK');
  });

  test('QEMU of another version: a machine keeps its type, and goes only where that is known', async () => {
    const { root } = await start({
      version,
      ...world,
      nodes: [
        { name: 'pve1' },
        { name: 'pve2', qemu_version: '6.0.0' },
        { name: 'pve3', qemu_version: '11.0.3' },
      ],
    });
    const current = async (node: string): Promise<Loose> =>
      root.ok('GET', `/nodes/${node}/qemu/300/status/current`);
    const before = await current('pve1');
    expect(before['running-machine']).toMatch(/^pc-i440fx-\d+\.\d+\+pve\d$/);
    const types = async (node: string): Promise<string[]> => {
      const rows: Loose[] = await root.ok('GET', `/nodes/${node}/capabilities/qemu/machines`);
      return rows.map(({ id }) => String(id));
    };
    const plain = String(before['running-machine']).replace(/\+.*/, '');
    expect([(await types('pve2')).includes(plain), (await types('pve3')).includes(plain)]).toEqual([
      false,
      true,
    ]);

    const older = await root.ok('POST', path(300), { target: 'pve2', online: 1 });
    expect(await root.ended(older)).toBe('migration problems');
    const log: Loose[] = await root.ok('GET', `/nodes/pve1/tasks/${encodeURIComponent(older)}/log`);
    const lines = log.map((one) => String(one.t)).join('\n');
    expect(lines).toContain(`is too old to run machine type '${String(before['running-machine'])}'`);
    expect(lines).toContain("starting migration of VM 300 to node 'pve2'");

    expect(await root.task('POST', path(300), { target: 'pve3', online: 1 })).toBe('OK');
    expect(await current('pve3')).toMatchObject({
      'running-machine': before['running-machine'],
      'running-qemu': '11.0.3',
    });
  });
});

test('9.2 tells which HA resources go along and which stand in the way', async () => {
  const { root } = await start({
    ...world,
    version: '9.2',
    guests: [
      { ...world.guests[0], ha: true },
      { vmid: 302, name: 'friend', node: 'pve1', storage: 'ceph', ha: true },
      { vmid: 303, name: 'rival', node: 'pve2', storage: 'ceph', ha: true },
    ],
    ha: {
      rules: [
        { rule: 'near', type: 'resource-affinity', affinity: 'positive', vmids: [300, 302] },
        { rule: 'far', type: 'resource-affinity', affinity: 'negative', vmids: [300, 303] },
      ],
    },
  });
  expect(await root.ok('GET', path(300))).toMatchObject({
    'dependent-ha-resources': ['vm:302'],
    allowed_nodes: ['pve3'],
    not_allowed_nodes: { pve2: { 'blocking-ha-resources': [{ sid: 'vm:303', cause: 'resource-affinity' }] } },
  });
});

describe.each(versions)('%s: figures', (version) => {
  test('of a node, as its contract has them', async () => {
    const { root } = await start({ version, ...world });
    const status = await root.ok('GET', '/nodes/pve1/status');
    expect(status).toMatchObject({
      cpu: expect.any(Number),
      wait: expect.any(Number),
      loadavg: [expect.any(String), expect.any(String), expect.any(String)],
      memory: { total: expect.any(Number), used: expect.any(Number), free: expect.any(Number) },
      swap: { total: expect.any(Number), used: 0, free: expect.any(Number) },
      rootfs: { total: expect.any(Number), used: expect.any(Number), avail: expect.any(Number) },
      cpuinfo: { cpus: 32, cores: 16, sockets: 1, model: expect.any(String) },
      uptime: expect.any(Number),
      kversion: expect.stringMatching(/^Linux \d/),
      pveversion: expect.stringMatching(/^pve-manager\//),
    });
    expect('available' in status.memory).toBe(version === '9.2');
    const isNew = version !== '7.4';
    expect('current-kernel' in status).toBe(isNew);
    expect(status['boot-info']).toEqual(isNew ? { mode: 'efi', secureboot: 0 } : undefined);
  });

  test('pressure values are there since 9, of running machines', async () => {
    const { root } = await start({ version, ...world });
    const count = (row: Loose): number => Object.keys(row).filter((key) => key.startsWith('pressure')).length;
    const [vm, node] = version === '9.2' ? [6, 5] : [0, 0];
    expect(count(await root.ok('GET', '/nodes/pve1/qemu/300/status/current'))).toBe(vm);
    expect(count(await root.ok('GET', '/nodes/pve1/qemu/301/status/current'))).toBe(0);
    const last = (rows: Loose[]): Loose => rows.at(-1);
    expect(count(last(await root.ok('GET', '/nodes/pve1/qemu/300/rrddata', { timeframe: 'hour' })))).toBe(vm);
    expect(count(last(await root.ok('GET', '/nodes/pve1/rrddata', { timeframe: 'hour' })))).toBe(node);
  });
});
