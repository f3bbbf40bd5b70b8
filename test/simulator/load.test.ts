/** Load over time, HA's groups and rules, containers that move, nodes of different age. */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { ScenarioGuest } from '../../src/lib/simulator/scenario-types.ts';
import { start, type Loose } from './harness.ts';

const NODES: Scenario['nodes'] = [
  { name: 'pve1', cpus: 8, memory_gib: 16, cpu_model: 'EPYC' },
  { name: 'pve2', cpus: 8, memory_gib: 16, pve_version: '8.1.4' },
];
const GUESTS: Scenario['guests'] = [
  { vmid: 400, name: 'vm', node: 'pve1', cores: 2, memory_mib: 1024, load: 0.5, memory_load: 0.25, ha: true },
  { vmid: 401, name: 'ct', node: 'pve1', type: 'lxc', storage: 'local-lvm' },
  { vmid: 402, name: 'usb', node: 'pve1', config: { usb0: 'host=1-2' } },
];
const cluster = (change: Partial<Scenario> = {}): Partial<Scenario> => ({
  nodes: NODES,
  templates: [],
  guests: GUESTS,
  ...change,
});

describe('statistics', () => {
  test('of a node are answered by any node; of a guest they are averages', async () => {
    const { root } = await start(cluster());
    const at = { timeframe: 'hour', cf: 'AVERAGE' };
    const [one, two]: Loose[] = await Promise.all(
      ['pve1', 'pve2'].map((node) => root.ok('GET', `/nodes/${node}/rrddata`, at)),
    );
    expect(one.at(-1).cpu).toBeGreaterThan(two.at(-1).cpu);
    const points: Loose = await root.ok('GET', '/nodes/pve2/qemu/400/rrddata', at);
    expect(points.at(-1)).toMatchObject({ cpu: 0.5, mem: 0.25 * 1024 ** 3, maxcpu: 2 });
    expect((await root.ok('GET', '/nodes/pve1/status')).cpuinfo.model).toBe('EPYC');
  });

  test('what a CPU cannot do keeps machines from starting, until they do without', async () => {
    const nodes: Scenario['nodes'] = [
      { name: 'pve1', kvm: false },
      { name: 'pve2', cpu_flags: ['sev'] },
    ];
    const guests: Scenario['guests'] = [
      { vmid: 400, name: 'kvm', node: 'pve1', running: false },
      { vmid: 401, name: 'slow', node: 'pve1', running: false, config: { kvm: '0' } },
      { vmid: 402, name: 'secret', node: 'pve2', running: false, config: { 'amd-sev': 'std', bios: 'ovmf' } },
      {
        vmid: 403,
        name: 'more-secret',
        node: 'pve2',
        running: false,
        config: { 'amd-sev': 'type=snp', bios: 'ovmf' },
      },
    ];
    const { root } = await start(cluster({ nodes, guests }));
    const startOf = (node: string, vmid: number) =>
      root.task('POST', `/nodes/${node}/qemu/${vmid}/status/start`);
    expect(await startOf('pve1', 400)).toContain('KVM virtualisation configured, but not available');
    expect(await startOf('pve1', 401)).toBe('OK');
    expect(await startOf('pve2', 402)).toBe('OK');
    expect(await startOf('pve2', 403)).toContain('Your CPU does not support AMD SEV-SNP.');
    const [one, two]: Loose[] = await Promise.all(
      ['pve1', 'pve2'].map((node) => root.ok('GET', `/nodes/${node}/status`)),
    );
    expect([one.cpuinfo.hvm, two.cpuinfo.hvm]).toEqual(['', '1']);
  });

  test('metrics of the whole cluster: from a moment on, at most half an hour; none on 7', async () => {
    const { root, sim } = await start(cluster());
    const since = Math.floor(sim.now() / 1000) - 60;
    const read = async (form: Record<string, number>): Promise<Loose[]> =>
      (await root.ok('GET', '/cluster/metrics/export', form)).data;
    const recent = (await read({ history: 1, 'start-time': since })).filter(
      (row) => row.id === 'qemu/400' && row.metric === 'cpu_current',
    );
    expect(recent.length).toBeGreaterThanOrEqual(5);
    expect(recent.every((row) => row.value === 0.5 && row.timestamp > since)).toBe(true);
    const all = (await read({ history: 1 })).filter(
      (row) => row.id === 'node/pve1' && row.metric === 'cpu_current',
    );
    expect(all).toHaveLength(180);
    const old = await start(cluster({ version: '7.4' }));
    expect((await old.root.get('/cluster/metrics/export')).status).toBe(501);
  });
});

describe('HA', () => {
  const ha: Scenario['ha'] = {
    groups: [{ group: 'left', nodes: ['pve1'], restricted: true, vmids: [400] }],
    rules: [{ rule: 'apart', type: 'resource-affinity', vmids: [400, 401], affinity: 'negative' }],
  };

  test('groups up to 8, rules since 9', async () => {
    const eight = await start(cluster({ ha }));
    expect(await eight.root.ok('GET', '/cluster/ha/groups')).toMatchObject([
      { group: 'left', nodes: 'pve1', restricted: 1 },
    ]);
    expect(await eight.root.ok('GET', '/cluster/ha/resources')).toMatchObject([
      { sid: 'vm:400', group: 'left' },
    ]);
    expect((await eight.root.get('/cluster/ha/rules')).status).toBe(501);
    const nine = await start(
      cluster({ ha, version: '9.2', datacenter: { crs: 'ha=dynamic,ha-auto-rebalance=1' } }),
    );
    expect((await nine.root.get('/cluster/ha/groups')).status).toBe(500);
    expect(await nine.root.ok('GET', '/cluster/ha/rules')).toMatchObject([
      { rule: 'apart', resources: 'vm:400,ct:401', affinity: 'negative' },
    ]);
    expect((await nine.root.ok('GET', '/cluster/options')).crs).toEqual({
      ha: 'dynamic',
      'ha-auto-rebalance': '1',
    });
  });
});

describe('migration', () => {
  test('a container moves by a restart, with its local disk', async () => {
    const { root } = await start(cluster());
    const path = '/nodes/pve1/lxc/401/migrate';
    expect((await root.post(path, { target: 'pve2' })).reason).toMatch(/without --online or --restart/);
    expect(await root.task('POST', path, { target: 'pve2', online: 1 })).toBe('migration aborted');
    expect(await root.task('POST', path, { target: 'pve2', restart: 1 })).toBe('OK');
    expect(await root.ok('GET', '/nodes/pve2/lxc')).toMatchObject([{ vmid: 401, status: 'running' }]);
    expect((await root.post(path, { target: 'pve2' })).reason).toMatch(/does not exist/);
  });

  test('a container stays up when its start is refused, comes back when its disks are, and may arrive without running', async () => {
    const guests: ScenarioGuest[] = [
      { vmid: 410, name: 'bound', node: 'pve1', type: 'lxc', config: { mp0: '/srv/www,mp=/www' } },
      { vmid: 411, name: 'told', node: 'pve1', type: 'lxc', config: { mp0: '/srv/www,mp=/www,shared=1' } },
      { vmid: 412, name: 'saved', node: 'pve1', type: 'lxc', storage: 'local-lvm', snapshots: ['before'] },
      { vmid: 413, name: 'plugged', node: 'pve1', type: 'lxc', bridge: 'vmbr7' },
      { vmid: 414, name: 'off', node: 'pve1', type: 'lxc', running: false },
    ];
    const nodes: Scenario['nodes'] = [{ name: 'pve1', bridges: ['vmbr0', 'vmbr7'] }, { name: 'pve2' }];
    const { root } = await start(cluster({ guests, nodes, ha: {} }));
    const upids: string[] = await Promise.all(
      guests.map(({ vmid }) =>
        root.ok('POST', `/nodes/pve1/lxc/${vmid}/migrate`, { target: 'pve2', restart: 1 }),
      ),
    );
    expect(await Promise.all(upids.map((upid) => root.ended(upid)))).toEqual([
      'migration aborted',
      'OK',
      'migration aborted',
      'migration problems',
      'OK',
    ]);
    const logs = await Promise.all(
      [0, 2, 3].map(async (at): Promise<string> => {
        const lines: Loose[] = await root.ok('GET', `/nodes/pve1/tasks/${upids[at] ?? ''}/log`);
        return lines.map(({ t }) => String(t)).join('\n');
      }),
    );
    expect(logs[0]).toContain("cannot migrate local bind mount point 'mp0'");
    expect(logs[0]).not.toContain('shutdown');
    expect(logs[1]).toMatch(/shutdown CT 412[^]*non-migratable snapshot exists[^]*start container on source/);
    expect(logs[2]).toMatch(/start container on target node[^]*startup for container '413' failed/);
    const lists = await Promise.all(['pve1', 'pve2'].map((node) => root.ok('GET', `/nodes/${node}/lxc`)));
    const states = lists.map((rows) =>
      Object.fromEntries((rows as Loose[]).map(({ vmid, status }) => [vmid, status])),
    );
    expect(states).toEqual([
      { 410: 'running', 412: 'running' },
      { 411: 'running', 413: 'stopped', 414: 'stopped' },
    ]);
  });

  test('devices of the host and an older QEMU stand in the way', async () => {
    const { root } = await start(cluster({ guests: GUESTS.map((one) => ({ ...one, ha: false })) }));
    const to = { target: 'pve2', online: 1 };
    expect((await root.ok('GET', '/nodes/pve1/qemu/402/migrate')).local_resources).toEqual(['usb0']);
    expect(await root.task('POST', '/nodes/pve1/qemu/402/migrate', to)).toBe('migration aborted');
    expect(await root.task('POST', '/nodes/pve1/qemu/400/migrate', to)).toBe('migration problems');
  });
});
