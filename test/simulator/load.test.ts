/** Load over time, HA's groups and rules, containers that move, nodes of different age. */
import { describe, expect, test } from 'vitest';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
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

  test('devices of the host and an older QEMU stand in the way', async () => {
    const { root } = await start(cluster({ guests: GUESTS.map((one) => ({ ...one, ha: false })) }));
    const to = { target: 'pve2', online: 1 };
    expect((await root.ok('GET', '/nodes/pve1/qemu/402/migrate')).local_resources).toEqual(['usb0']);
    expect(await root.task('POST', '/nodes/pve1/qemu/402/migrate', to)).toBe('migration aborted');
    expect(await root.task('POST', '/nodes/pve1/qemu/400/migrate', to)).toBe('migration problems');
  });
});
