/** Balance through the command line: what moves, what stays and why, and that a killed run is mended by the next. */
import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProcessSignal } from '../../src/commands/io.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import type { ClusterState } from '../../src/lib/simulator/state.ts';
import {
  post,
  runCli,
  startCluster,
  workFolder,
  writeFiles,
  writes,
  type RunOptions,
  type RunOutcome,
  type Cluster,
} from './harness.ts';
import { resultErrors } from './result-schema.ts';

type Guest = NonNullable<Scenario['guests']>[number];
type Node = Extract<Scenario['nodes'], readonly unknown[]>[number];

const CEPH = { id: 'ceph', type: 'rbd', size_gib: 9000, content: ['images', 'rootdir'] } as const;
const NODES: readonly Node[] = ['pve1', 'pve2', 'pve3'].map((name) => ({ name, cpus: 16, memory_gib: 32 }));

/** A guest of 4 GiB that uses three quarters of its memory and 4 cores as given. */
function guest(vmid: number, node: string, change: Partial<Guest> = {}): Guest {
  return {
    vmid,
    name: `g${vmid}`,
    node,
    cores: 4,
    memory_mib: 4096,
    memory_load: 0.75,
    load: 0.5,
    ...change,
  };
}

function cluster(guests: readonly Guest[], change: Partial<Scenario> = {}): Scenario {
  return { version: '8.4', nodes: NODES, storages: [CEPH], guests, ...change };
}

/** pve1 at 14.4 of 16 threads: one has to go. */
const OVERLOADED = [
  guest(301, 'pve1', { load: 0.9 }),
  guest(302, 'pve1', { load: 0.9 }),
  guest(303, 'pve1', { load: 0.9 }),
  guest(304, 'pve1', { load: 0.9 }),
  guest(305, 'pve2', { load: 0.1 }),
];

async function run(
  simulator: Cluster | undefined,
  yml: string,
  { args = [], ...options }: { readonly args?: readonly string[] } & Pick<RunOptions, 'env' | 'clock'> = {},
): Promise<RunOutcome> {
  const folder = workFolder();
  writeFiles(folder, { 'balance.yml': yml });
  return runCli(['balance', ...args, '-c', join(folder, 'balance.yml')], simulator, options);
}

interface Result {
  readonly plan: {
    readonly steps: readonly { readonly kind: string }[];
    readonly warnings: readonly string[];
    readonly balance: {
      readonly verdict: string;
      readonly reason: string;
      readonly gaps?: readonly string[];
      readonly rejected: readonly { readonly name: string; readonly code: string; readonly reason: string }[];
      readonly stuck: readonly { readonly user: string; readonly reason: string }[];
      readonly moves: readonly {
        readonly name: string;
        readonly unit: string;
        readonly to: string;
        readonly reason: string;
      }[];
      readonly remaining?: readonly number[];
    };
  };
  readonly summary: {
    readonly status: string;
    readonly moves: readonly {
      readonly status: string;
      readonly guests: readonly {
        readonly vmid: number;
        readonly node: string | null;
        readonly status: string;
      }[];
      readonly error?: { readonly code: string; readonly message: string };
    }[];
  };
}

function resultOf({ stdout }: RunOutcome): Result {
  expect(resultErrors(stdout)).toEqual([]);
  return JSON.parse(stdout) as Result;
}

const json = ['--output', 'json'];
const placesOf = (simulator: Cluster): Record<string, string> =>
  Object.fromEntries(simulator.snapshot().guests.map(({ vmid, node }) => [vmid, node]));
const codes = (result: Result): Record<string, string> =>
  Object.fromEntries(
    result.plan.balance.rejected.map(({ name, code }) => [/\d+/.exec(name)?.[0] ?? name, code]),
  );

describe('an overloaded node', () => {
  test.each(['7.4', '9.2'] as const)('%s: one VM moves live, then nothing is left to do', async (version) => {
    const simulator = await startCluster({ scenario: cluster(OVERLOADED, { version }) });
    const dry = await run(simulator, 'guests: all', { args: ['--dry-run', '--detailed-exitcode'] });
    expect([dry.code, writes(simulator)]).toEqual([6, []]);
    expect(dry.stdout).toContain('dry run: ');

    const first = await run(simulator, 'guests: all', { args: json });
    expect([first.code, first.stderr]).toEqual([0, expect.any(String)]);
    const { plan, summary } = resultOf(first);
    expect(plan.balance.moves).toHaveLength(1);
    expect(summary).toMatchObject({ status: 'done', moves: [{ status: 'moved' }] });
    const moved = summary.moves[0]?.guests[0];
    expect(placesOf(simulator)[moved?.vmid ?? 0]).toBe(moved?.node);
    const call = simulator.requests.find((one) => one.method === 'POST' && one.path.endsWith('/migrate'));
    expect(call?.params).toMatchObject({ online: '1' });
    expect('with-conntrack-state' in (call?.params ?? {})).toBe(version === '9.2');

    const before = simulator.requests.length;
    const second = await run(simulator, 'guests: all');
    expect([second.code, writes(simulator, before)]).toEqual([0, []]);
    expect(second.stdout.trim().split('\n')).toHaveLength(1);
  });

  test('calls grow with the nodes, not with the guests', async () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      guest(1000 + i, `pve${(i % 3) + 1}`, { cores: 1, memory_mib: 64, load: 0.05 }),
    );
    const simulator = await startCluster({ scenario: cluster(many) });
    const result = await run(simulator, 'guests: all');
    expect(result.code).toBe(0);
    expect(simulator.requests.length).toBeLessThan(15 + 6 * 3);
  });
});

describe('who stays, and why', () => {
  test('nothing to do; all nodes full', async () => {
    const even = await startCluster({ scenario: cluster([guest(301, 'pve1'), guest(302, 'pve2')]) });
    const calm = await run(even, 'guests: all');
    expect([calm.code, writes(even)]).toEqual([0, []]);

    const full = ['pve1', 'pve2', 'pve3'].flatMap((node, at) =>
      [0, 1, 2, 3].map((i) => guest(310 + at * 10 + i, node, { load: 0.95 })),
    );
    const simulator = await startCluster({ scenario: cluster(full) });
    const { code, stdout } = await run(simulator, 'guests: all', { args: json });
    const { plan } = resultOf({ code, stdout, stderr: '' });
    expect([code, plan.balance.verdict, plan.steps]).toEqual([0, 'no-beneficial-move', []]);
  });

  test('disks move onto the storage that takes the place of their own there, and back', async () => {
    const local = (id: string, node: string, size_gib = 900) =>
      ({ id, type: 'zfspool', size_gib, nodes: [node], content: ['images'] }) as const;
    const storages = [local('ssd1', 'pve1'), local('ssd2', 'pve2'), local('small', 'pve2', 1), CEPH];
    const guests = [true, false].map((running, at) => guest(301 + at, 'pve1', { storage: 'ssd1', running }));
    const simulator = await startCluster({
      scenario: cluster(guests, { nodes: NODES.slice(0, 2), storages }),
    });
    const disks = (): string[] =>
      simulator
        .snapshot()
        .guests.map(({ node, config }) => `${node} ${config['scsi0']?.split(':')[0] ?? ''}`);
    const there = await run(simulator, 'guests: all', { args: ['evacuate', 'pve1'] });
    expect([there.code, there.stdout]).toEqual([0, expect.stringContaining('disks: ssd1 → ssd2')]);
    expect(disks()).toEqual(['pve2 ssd2', 'pve2 ssd2']);
    const back = await run(simulator, 'guests: all', { args: [...json, 'evacuate', 'pve2'] });
    const storageMap = { ssd2: 'ssd1' };
    expect(resultOf(back).plan.steps).toMatchObject([{ storageMap }, { storageMap }]);
    expect(disks()).toEqual(['pve1 ssd1', 'pve1 ssd1']);
  });

  test('HA, pins, ignored tags, ISO images, passthrough, snapshots on local disks, foreign guests', async () => {
    const local = { id: 'zfs', type: 'zfspool', size_gib: 900, content: ['images', 'rootdir'] } as const;
    const iso = { id: 'local', type: 'dir', size_gib: 90, content: ['iso'] } as const;
    const busy = { load: 0.6, cores: 2 } as const;
    const simulator = await startCluster({
      scenario: cluster(
        [
          guest(301, 'pve1', { ...busy, ha: true }),
          guest(302, 'pve1', busy),
          guest(303, 'pve1', { ...busy, tags: 'no-balance' }),
          guest(304, 'pve1', { ...busy, config: { ide2: 'local:iso/x.iso,media=cdrom' } }),
          guest(305, 'pve1', { ...busy, config: { hostpci0: '0000:01:00.0' } }),
          guest(306, 'pve1', { ...busy, storage: 'zfs', snapshots: ['start'] }),
          guest(307, 'pve1', { load: 0.95, cores: 8 }),
        ],
        { storages: [CEPH, local, iso] },
      ),
    });
    const yml = `guests: all
rules:
  ignore: [{ tags: [no-balance] }]
  pin: [{ name: licence, vmids: [302], nodes: [pve1] }, { name: big, vmids: [307], nodes: [pve1] }]
`;
    const { code, stdout } = await run(simulator, yml, { args: json });
    const result = resultOf({ code, stdout, stderr: '' });
    expect([code, writes(simulator), result.plan.steps]).toEqual([0, [], []]);
    const found = codes(result);
    expect(Object.keys(found).sort()).toEqual(['301', '302', '303', '304', '305', '306', '307']);
    for (const { reason } of result.plan.balance.rejected) expect(reason).not.toBe('');
  });

  test('mixed CPU models, an older target, maintenance, a node out of service', async () => {
    const nodes: Node[] = [
      { name: 'pve1', cpus: 16, memory_gib: 32, cpu_model: 'AMD EPYC 7302' },
      { name: 'pve2', cpus: 64, memory_gib: 256, cpu_model: 'Intel Xeon 4210' },
      { name: 'pve3', cpus: 64, memory_gib: 256, cpu_model: 'AMD EPYC 7302', maintenance: true },
      { name: 'pve4', cpus: 64, memory_gib: 256, cpu_model: 'AMD EPYC 7302', pve_version: '8.1.4' },
      { name: 'pve5', cpus: 64, memory_gib: 256, cpu_model: 'AMD EPYC 7302', online: false },
      { name: 'pve6', cpus: 16, memory_gib: 32, cpu_model: 'AMD EPYC 7302' },
    ];
    const simulator = await startCluster({ scenario: cluster(OVERLOADED, { nodes }) });
    const { code } = await run(simulator, 'guests: all');
    expect(code).toBe(0);
    const places = Object.values(placesOf(simulator));
    expect(places.filter((node) => node === 'pve6')).toHaveLength(1);
    expect(places.filter((node) => ['pve3', 'pve4', 'pve5'].includes(node))).toEqual([]);
  });
});

describe('memory without a state file', () => {
  test('a guest whose move failed is left alone, another one moves; one that just moved stays', async () => {
    const simulator = await startCluster({ scenario: cluster(OVERLOADED.slice(0, 4)) });
    simulator.addFault({
      match: { method: 'POST', path: '/nodes/{node}/qemu/{vmid}/migrate' },
      nth: 1,
      once: true,
      action: 'task-fail',
      exitstatus: 'migration aborted',
    });
    const failed = await run(simulator, 'guests: all', { args: json });
    const first = resultOf(failed);
    expect([failed.code, first.summary.moves[0]?.status]).toEqual([5, 'failed']);
    expect(first.summary.moves[0]?.guests[0]?.node).toBe('pve1');
    const unlucky = String(first.summary.moves[0]?.guests[0]?.vmid);

    const again = resultOf(await run(simulator, 'guests: all', { args: json }));
    expect(again.summary.moves[0]?.status).toBe('moved');
    expect(codes(again)[unlucky]).toMatch(/blacklist|failed/);
    const moved = again.summary.moves[0]?.guests[0];
    const target = moved?.node ?? '';

    // What just came must not go on: the target is emptied of everything else by exclusion, and still it stays.
    const evacuate = await run(simulator, 'guests: all\nexclude: { source: [pve1] }', { args: json });
    expect(resultOf(evacuate).plan.steps).toEqual([]);
    expect(placesOf(simulator)[moved?.vmid ?? 0]).toBe(target);
  });
});

test.each([
  ['9.2', '', false],
  ['8.4', '', true],
  ['8.4', 'zfs_arc: { pve1: 20GiB }', false],
] as const)(
  '%s: what ZFS holds as a cache is no load, where it is known: %s',
  async (version, arc, isRelieved) => {
    const nodes = NODES.map((node) => ({ ...node, ...(node.name === 'pve1' ? { zfs_arc_gib: 20 } : {}) }));
    const guests = [guest(301, 'pve1', { load: 0.1 }), guest(302, 'pve1', { load: 0.1 })];
    const simulator = await startCluster({ scenario: cluster(guests, { version, nodes }) });
    const { plan } = resultOf(await run(simulator, `guests: all\n${arc}`, { args: [...json, '--dry-run'] }));
    expect(plan.balance.moves.length > 0).toBe(isRelieved);
  },
);

describe('a reading that fails ends no run', () => {
  const five = OVERLOADED.slice(0, 4);
  test.each<[string, '7.4' | '8.4', string, number, string, RegExp]>([
    ['metrics', '8.4', '/cluster/metrics/export', 500, 'x', /metrics cannot be read/],
    [
      'metrics, too slow',
      '8.4',
      '/cluster/metrics/export',
      596,
      'Connection timed out',
      /metrics cannot be read/,
    ],
    ["one node's network", '8.4', '/nodes/pve2/network', 500, 'x', /network of pve2 cannot be read/],
    [
      'states of HA',
      '7.4',
      '/cluster/ha/status/manager_status',
      500,
      'x',
      /maintenance modes cannot be read/,
    ],
    ['rules of HA', '8.4', '/cluster/ha/groups', 500, 'x', /rules of HA cannot be read/],
    [
      'one configuration',
      '8.4',
      '/nodes/pve1/qemu/301/config',
      500,
      'x',
      /configuration of VM 301 cannot be read/,
    ],
  ])(
    '%s: it is a gap, and what depends on it is left alone',
    async (what, version, path, status, text, gap) => {
      const simulator = await startCluster({ scenario: cluster(five, { version }) });
      simulator.addFault({ match: { method: 'GET', path }, every: 1, action: 'fail', status, text });
      const outcome = await run(simulator, 'guests: all\nha: follow', { args: json });
      const { plan, summary } = resultOf(outcome);
      expect([outcome.code, summary.status, plan.balance.gaps?.join()]).toEqual([
        0,
        'done',
        expect.stringMatching(gap),
      ]);
      const moved = summary.moves.flatMap(({ guests }) => guests);
      if (what.startsWith('one node')) expect(moved.map(({ node }) => node)).toEqual(['pve3']);
      if (what.startsWith('one conf')) expect(moved.map(({ vmid }) => vmid)).not.toContain(301);
      const shown = await run(simulator, 'guests: all', { args: ['--dry-run'] });
      if (!what.startsWith('one conf')) expect(shown.stdout.replaceAll(/\s+/g, ' ')).toMatch(gap);
    },
  );

  test.each<[string, string, (data: unknown) => unknown, RegExp]>([
    ['metrics', '/cluster/metrics/export', () => ({}), /metrics cannot be read.*data\.data is not a list/],
    [
      'the memory of one guest',
      '/cluster/resources',
      (rows) => (rows as { vmid?: number }[]).map((row) => (row.vmid === 301 ? { ...row, maxmem: 0 } : row)),
      /what 301 take is not known: they stay/,
    ],
  ])('%s without a value: the same', async (what, path, emptied, gap) => {
    const simulator = await startCluster({ scenario: cluster(five) });
    const { serve } = simulator;
    Object.assign(simulator, {
      serve: async (request: Parameters<typeof serve>[0]) => {
        const answer = await serve(request);
        if (!request.target.startsWith(`/api2/json${path}`)) return answer;
        const { data } = JSON.parse(answer.body) as { data: unknown };
        return { ...answer, body: JSON.stringify({ data: emptied(data) }) };
      },
    });
    const outcome = await run(simulator, 'guests: all', { args: json });
    const { plan, summary } = resultOf(outcome);
    expect([outcome.code, summary.status, plan.balance.gaps?.join()]).toEqual([
      0,
      'done',
      expect.stringMatching(gap),
    ]);
    const moved = summary.moves.flatMap(({ guests }) => guests.map(({ vmid }) => vmid));
    if (what !== 'metrics') {
      expect(moved).not.toContain(301);
      expect(codes(resultOf(outcome))['301']).toBe('load-unknown');
    }
    expect(moved.length).toBeGreaterThan(0);
  });
});

describe('a target that cannot take them', () => {
  /** The least loaded one has an older QEMU, in the same release. */
  const nodes: readonly Node[] = [
    { name: 'pve1', cpus: 16, memory_gib: 32 },
    { name: 'pve2', cpus: 64, memory_gib: 256, qemu_version: '9.0.2' },
    { name: 'pve3', cpus: 16, memory_gib: 32 },
  ];
  const MACHINES = '/nodes/{node}/capabilities/qemu/machines';

  test('is known before it is tried, by the machine types of its QEMU', async () => {
    const simulator = await startCluster({ scenario: cluster(OVERLOADED.slice(0, 4), { nodes }) });
    const { code, stdout } = await run(simulator, 'guests: all', { args: json });
    const { plan, summary } = resultOf({ code, stdout, stderr: '' });
    expect([code, summary.status, plan.balance.moves.map(({ to }) => to)]).toEqual([0, 'done', ['pve3']]);
    const asked = simulator.requests.filter(({ path }) => path.endsWith('/capabilities/qemu/machines'));
    expect(asked.length).toBeLessThanOrEqual(2 * nodes.length);
  });

  test('is blamed by the log of the task, and another one is tried in the same run', async () => {
    const simulator = await startCluster({ scenario: cluster(OVERLOADED.slice(0, 4), { nodes }) });
    simulator.addFault({
      match: { method: 'GET', path: MACHINES },
      every: 1,
      action: 'fail',
      status: 500,
      text: 'x',
    });
    const outcome = await run(simulator, 'guests: all', { args: json });
    const { summary } = resultOf(outcome);
    expect([outcome.code, summary.moves.map(({ status }) => status)]).toEqual([0, ['failed', 'moved']]);
    const [failed, moved] = summary.moves;
    expect(failed?.error?.code).toBe('MIGRATION_TARGET');
    expect(failed?.error?.message).toContain('too old to run machine type');
    expect(moved?.guests[0]?.vmid).toBe(failed?.guests[0]?.vmid);
    expect(placesOf(simulator)[moved?.guests[0]?.vmid ?? 0]).toBe('pve3');
  });

  test('two guests that failed there blame it: nobody is sent there, nobody is left alone for it', async () => {
    const simulator = await startCluster({ scenario: cluster(OVERLOADED.slice(0, 4), { nodes }) });
    for (const vmid of [301, 302]) {
      const path = `/nodes/pve1/qemu/${vmid}/migrate`;
      expect(await post(simulator, path, { target: 'pve2', online: '1' })).toBe(200);
    }
    await simulator.idle();
    simulator.addFault({
      match: { method: 'GET', path: MACHINES },
      every: 1,
      action: 'fail',
      status: 500,
      text: 'x',
    });
    const { plan, summary } = resultOf(await run(simulator, 'guests: all', { args: json }));
    expect([plan.balance.moves.map(({ to }) => to), summary.status]).toEqual([['pve3'], 'done']);
  });
});

describe('evacuate', () => {
  const migrate = async (simulator: Cluster, from: string, target: string): Promise<void> => {
    await post(simulator, `/nodes/${from}/qemu/301/migrate`, { target, online: '1' });
    await simulator.time.sleep(120_000);
  };
  const small = { memory_mib: 1024, load: 0.1 };
  const stay = (vmids: string): string => `rules: { pin: [{ vmids: [${vmids}], nodes: [pve1] }] }`;

  test.each<{
    readonly what: string;
    readonly guests?: readonly Guest[];
    readonly yml?: string;
    readonly before?: (simulator: Cluster) => Promise<void>;
    readonly code: number;
    readonly moved: readonly number[];
    readonly told?: RegExp;
  }>([
    { what: 'all can go', code: 0, moved: [301, 302] },
    { what: 'some are pinned', yml: stay('302'), code: 5, moved: [301], told: /"no-target".*pin\[0\]/ },
    { what: 'none may move', yml: stay('301-302'), code: 5, moved: [], told: /"no-target".*pin\[0\]/ },
    {
      what: 'there is no room',
      guests: [guest(301, 'pve1', small), guest(303, 'pve2', { memory_mib: 31_000, memory_load: 0.9 })],
      code: 5,
      moved: [],
      told: /"no-target"/,
    },
    {
      what: 'containers stay',
      guests: [guest(301, 'pve1', small), guest(401, 'pve1', { type: 'lxc' })],
      code: 5,
      moved: [301],
      told: /"container"/,
    },
    {
      what: 'one moved a minute ago, and goes last',
      guests: [guest(301, 'pve2', small), guest(302, 'pve1', small)],
      before: (simulator) => migrate(simulator, 'pve2', 'pve1'),
      ...{ code: 0, moved: [302, 301], told: /although: .*cooldown/ },
    },
    {
      what: 'of one the last move failed, and it goes last',
      before: (simulator) => {
        const match = { method: 'POST', path: '/nodes/pve1/qemu/301/migrate' } as const;
        simulator.addFault({ match, nth: 1, action: 'task-fail', exitstatus: 'migration aborted' });
        return migrate(simulator, 'pve1', 'pve2');
      },
      ...{ code: 0, moved: [302, 301], told: /although: .*blacklist/ },
    },
  ])('the dry run ends with the exit code of the real one: $what', async (row) => {
    const { guests = [guest(301, 'pve1', small), guest(302, 'pve1', small)], yml = '', before } = row;
    const simulator = await startCluster({ scenario: cluster(guests, { nodes: NODES.slice(0, 2) }) });
    await before?.(simulator);
    const evacuate = (...args: string[]): Promise<RunOutcome> =>
      run(simulator, `guests: all\n${yml}`, { args: ['evacuate', 'pve1', ...args, ...json] });
    const dry = await evacuate('--dry-run');
    const real = await evacuate();
    const moved = resultOf(real).summary.moves.flatMap(({ guests: machines }) =>
      machines.map(({ vmid }) => vmid),
    );
    expect([dry.code, real.code, moved]).toEqual([row.code, row.code, row.moved]);
    expect(dry.stdout.replaceAll(/\s+/g, ' ')).toMatch(row.told ?? /./);
  });

  test('containers are restarted where that is allowed: told before, those that are off stay off', async () => {
    const simulator = await startCluster({
      scenario: cluster(
        [
          guest(301, 'pve1', { type: 'lxc', storage: 'local' }),
          guest(302, 'pve1', { type: 'lxc', running: false }),
          guest(303, 'pve1', { type: 'lxc', config: { mp0: '/srv/www,mp=/www' } }),
          guest(304, 'pve1', { type: 'lxc', bridge: 'vmbr9' }),
        ],
        {
          storages: [CEPH, { id: 'local', type: 'zfspool', size_gib: 100, content: ['images', 'rootdir'] }],
          nodes: NODES.slice(0, 2).map((node) => ({ ...node, bridges: ['vmbr0', 'vmbr9'] })),
        },
      ),
    });
    const yml = "guests: all\ncontainers: restart\nwindows: [{ from: '00:00', to: '24:00' }]";
    const dry = await run(simulator, yml, { args: ['evacuate', 'pve1', '--dry-run'] });
    expect(dry.stdout).toContain(
      'CT 301 is down meanwhile: its shutdown (180 s at most), 8.0 GiB are copied, its start',
    );
    expect(dry.stdout).not.toContain('CT 302 is down');
    expect(dry.stdout).toMatch(/host-mount: CT 303 \(g303\): has \/srv\/www of its host/);
    simulator.addFault({
      match: { method: 'POST', path: '/nodes/{node}/lxc/{vmid}/migrate' },
      nth: 2,
      once: true,
      action: 'task-fail',
      exitstatus: 'migration aborted',
    });
    const outcome = await run(simulator, yml, { args: ['evacuate', 'pve1', ...json] });
    const { plan, summary } = resultOf(outcome);
    expect([outcome.code, plan.balance.remaining]).toEqual([5, [303]]);
    expect(summary.moves.map(({ status, guests }) => [guests[0]?.vmid, status, guests[0]?.node])).toEqual([
      [301, 'moved', 'pve2'],
      [304, 'failed', 'pve1'],
      [302, 'moved', 'pve2'],
    ]);
    const states = simulator
      .snapshot()
      .guests.map(({ vmid, node, runningSince }) => [vmid, node, runningSince !== undefined]);
    expect(states).toEqual([
      [301, 'pve2', true],
      [302, 'pve2', false],
      [303, 'pve1', true],
      [304, 'pve1', true],
    ]);
    const sent = simulator.requests.filter(
      ({ method, path }) => method === 'POST' && path.endsWith('/migrate'),
    );
    expect(sent.map(({ params }) => params['restart'])).toEqual(['1', '1', undefined]);
  });

  test('empties a node, and says who stays', async () => {
    const simulator = await startCluster({
      scenario: cluster([
        guest(301, 'pve1'),
        guest(302, 'pve1', { running: false }),
        guest(303, 'pve1', { config: { hostpci0: '0000:01:00.0' } }),
        guest(304, 'pve2'),
      ]),
    });
    const dry = await run(simulator, 'guests: all', { args: ['evacuate', 'pve1', '--dry-run'] });
    const outcome = await run(simulator, 'guests: all', { args: ['evacuate', 'pve1', ...json] });
    expect(dry.code).toBe(outcome.code);
    const { plan, summary } = resultOf(outcome);
    expect([outcome.code, summary.status, plan.balance.remaining]).toEqual([5, 'partial', [303]]);
    expect(placesOf(simulator)).toMatchObject({ 303: 'pve1', 304: 'pve2' });
    expect([placesOf(simulator)['301'], placesOf(simulator)['302']]).not.toContain('pve1');
    const unknown = await run(simulator, 'guests: all', { args: ['evacuate', 'pve9', ...json] });
    expect([unknown.code, unknown.stdout]).toEqual([3, expect.stringContaining('pve9')]);
  });
});

describe('HA', () => {
  test('`ha: follow` waits for the migration that HA starts, and for its failure', async () => {
    const simulator = await startCluster({
      scenario: cluster(OVERLOADED.map((one) => ({ ...one, ha: true }))),
    });
    const outcome = await run(simulator, 'guests: all\nha: follow', { args: json });
    const { summary } = resultOf(outcome);
    expect([outcome.code, summary.moves[0]?.status]).toEqual([0, 'moved']);
    const guestMoved = summary.moves[0]?.guests[0];
    expect(placesOf(simulator)[guestMoved?.vmid ?? 0]).toBe(guestMoved?.node);
    const types = simulator.snapshot().tasks.map((task) => task.type);
    expect(types).toEqual(expect.arrayContaining(['hamigrate', 'qmigrate']));
  });

  describe.each(['7.4', '8.4', '9.2'] as const)('%s: a node in maintenance', (version) => {
    /** The stands of anna, under HA, and of boris on pve1, which HA empties for a while already. */
    async function inMaintenance(change: Partial<ClusterState> = {}): Promise<Cluster> {
      const before = await startCluster({ scenario: { ...standCluster(), version } });
      await deployClass(before);
      const state = before.snapshot();
      const cluster = await startCluster({
        state: {
          ...state,
          nodes: state.nodes.map((node) => ({
            ...node,
            maintenance: node.name === 'pve1',
            memory: 32 * 2 ** 30,
          })),
          ha: {
            groups: [],
            resources: [10_000, 10_001].map((vmid) => ({ sid: `vm:${vmid}`, state: 'started' })),
          },
          ...change,
        },
      });
      await cluster.time.sleep(180_000);
      return cluster;
    }
    const triesOf = (simulator: Cluster): number =>
      simulator.snapshot().tasks.filter(({ type, exitstatus }) => type === 'qmigrate' && exitstatus !== 'OK')
        .length;

    test('whose stand HA cannot take for want of its bridge: evacuate makes it, and waits', async () => {
      const simulator = await inMaintenance();
      expect(triesOf(simulator)).toBeGreaterThan(2);
      expect(placesOf(simulator)).toMatchObject({ 10000: 'pve1', 10001: 'pve1' });
      const dry = await run(simulator, 'window: 15m', { args: ['evacuate', 'pve1', '--dry-run'] });
      expect([dry.code, writes(simulator)]).toEqual([5, []]);
      expect(dry.stdout.replaceAll(/\s+/g, ' ')).toContain(
        'vmbr1000 is missing on pve2, so that HA tries in vain to take 10000, 10001 there',
      );
      const outcome = await run(simulator, 'window: 15m', { args: ['evacuate', 'pve1', ...json] });
      const { plan, summary } = resultOf(outcome);
      // VM 301 is nobody's of ours.
      expect([outcome.code, plan.balance.remaining]).toEqual([5, [301]]);
      expect(summary.moves.map(({ status }) => status)).toEqual(['moved', 'moved']);
      const sent = writes(simulator).filter((write) => write.endsWith('/migrate'));
      expect(sent.filter((write) => /1000[01]/.test(write))).toEqual([]);
      expectWhole(simulator);
      expect(placesOf(simulator)).toMatchObject({ 10000: 'pve2', 10001: 'pve2', 301: 'pve1' });
    });

    test('that HA gives up: that is told, and the stand stays whole', async () => {
      const state = (await inMaintenance()).snapshot();
      const resources = state.ha.resources.map((one) => ({ ...one, status: 'error' }));
      const simulator = await startCluster({ state: { ...state, ha: { ...state.ha, resources } } });
      const outcome = await run(simulator, 'migration_timeout: 60s', { args: ['evacuate', 'pve1', ...json] });
      const { summary } = resultOf(outcome);
      expect([outcome.code, summary.moves[0]?.error?.code]).toEqual([5, 'MIGRATION_TIMEOUT']);
      expect(summary.moves[0]?.error?.message).toMatch(
        /^HA has not taken VM 1000[01] from pve1 to pve2 within 60 s$/,
      );
      expect(placesOf(simulator)).toMatchObject({
        10000: 'pve1',
        10001: 'pve1',
        10002: 'pve2',
        10003: 'pve2',
      });
    });
  });

  test("9.2's own balancer is left to its work", async () => {
    const simulator = await startCluster({
      scenario: cluster(
        OVERLOADED.map((one) => ({ ...one, ha: true })),
        { version: '9.2', datacenter: { crs: 'ha=dynamic,ha-auto-rebalance=1' } },
      ),
    });
    const { plan } = resultOf(await run(simulator, 'guests: all\nha: follow', { args: json }));
    expect([plan.steps, plan.warnings.join()]).toEqual([[], expect.stringMatching(/rebalanc/)]);
  });
});

const LAB = {
  'lab.yml': `name: net
placement: { strategy: specific, node: pve1, overcommit: { memory: 4 } }
machines:
  - { device_type: linux, name: a, template_vmid: 101, start: true, networks: [{ bridge: lan }] }
  - { device_type: linux, name: b, template_vmid: 101, start: true, networks: [{ bridge: lan }, { bridge: vmbr0 }] }
`,
  'users.yml': 'users: [anna@pve, boris@pve]\n',
};

/** pve1 has little memory, most of it taken: a stand has to go. */
function standCluster(storage: Scenario['storages'][number] = CEPH): Scenario {
  return {
    version: '8.4',
    nodes: [
      { name: 'pve1', cpus: 8, memory_gib: 8 },
      { name: 'pve2', cpus: 8, memory_gib: 32 },
    ],
    storages: [storage],
    templates: [{ vmid: 101, name: 'tpl', node: 'pve1', storage: storage.id, disks_gib: [2] }],
    guests: [guest(301, 'pve1', { storage: storage.id, load: 0.1 })],
  };
}

async function deployClass(simulator: Cluster, rest = 12_000): Promise<string[]> {
  const folder = workFolder();
  writeFiles(folder, LAB);
  const files = ['-c', join(folder, 'lab.yml'), '-u', join(folder, 'users.yml')];
  const args = ['deploy', ...files, '--credentials', join(folder, 'c.csv')];
  const made = await runCli(args, simulator);
  expect([made.code, made.code === 0 ? '' : made.stdout + made.stderr]).toEqual([0, '']);
  // For a cycle of pvestatd nobody knows what new VMs need.
  if (rest > 0) await simulator.time.sleep(rest);
  return args;
}

/** Every stand whole on one node, with its bridge there, up, and nowhere else. */
function expectWhole(simulator: Cluster): void {
  const state = simulator.snapshot();
  for (const vmids of [
    [10_000, 10_001],
    [10_002, 10_003],
  ]) {
    const members = state.guests.filter(({ vmid }) => vmids.includes(vmid));
    expect(new Set(members.map(({ node }) => node)).size).toBe(1);
    expect(members.every(({ runningSince }) => runningSince !== undefined)).toBe(true);
    const bridge = /bridge=(vmbr1\d+)/.exec(members[0]?.config['net0'] ?? '')?.[1] ?? '';
    const there = state.nodes.filter(({ running }) => running[bridge] !== undefined);
    expect([bridge, there.map(({ name }) => name)]).toEqual([bridge, [members[0]?.node]]);
  }
}

describe('a stand', () => {
  test('moves as a whole with its bridges; deploy finds it complete', async () => {
    const simulator = await startCluster({ scenario: standCluster() });
    const deploy = await deployClass(simulator);
    const outcome = await run(simulator, 'window: 15m', { args: json });
    const { plan, summary } = resultOf(outcome);
    expect([outcome.code, summary.status, plan.balance.moves[0]?.unit]).toEqual([0, 'done', 'stand']);
    expectWhole(simulator);
    expect(new Set(Object.values(placesOf(simulator)))).toEqual(new Set(['pve1', 'pve2']));
    const before = simulator.requests.length;
    expect((await runCli(deploy, simulator)).code).toBe(0);
    expect((await run(simulator, 'window: 15m')).code).toBe(0);
    expect(writes(simulator, before)).toEqual([]);
  });

  test('that was started a moment ago, and is off in the lists: it waits for the next run', async () => {
    const simulator = await startCluster({ scenario: standCluster() });
    await deployClass(simulator, 0);
    const order = { args: [...json, 'evacuate', 'pve1'] };
    const early = await run(simulator, 'window: 15m', order);
    expect([early.code, codes(resultOf(early))]).toMatchObject([5, { 'stand net of boris@pve': 'veto' }]);
    expect(early.stdout).toContain('was started a moment ago');
    expect(writes(simulator).join()).not.toMatch(/1000[23]\/migrate/);
    await simulator.time.sleep(12_000);
    expect(resultOf(await run(simulator, 'window: 15m', order)).plan.balance.remaining).toEqual([301]);
    expectWhole(simulator);
  });

  test('half-way through a migration fails: what is where is told, and the next run puts it together', async () => {
    const simulator = await startCluster({ scenario: standCluster() });
    await deployClass(simulator);
    simulator.addFault({
      match: { method: 'POST', path: '/nodes/{node}/qemu/{vmid}/migrate' },
      nth: 2,
      once: true,
      action: 'task-fail',
      exitstatus: 'migration aborted',
    });
    const outcome = await run(simulator, 'blacklist: 1s\ncooldown: 1s', { args: json });
    const { summary } = resultOf(outcome);
    const [move] = summary.moves;
    expect([outcome.code, summary.status, move?.status]).toEqual([5, 'partial', 'partial']);
    const places = placesOf(simulator);
    for (const { vmid, node } of move?.guests ?? []) expect(places[vmid]).toBe(node);
    expect(new Set(move?.guests.map(({ node }) => node)).size).toBe(2);
    const text = await run(simulator, 'blacklist: 1s\ncooldown: 1s');
    expect([text.code, text.stdout]).toEqual([0, expect.stringContaining('moved')]);
    expectWhole(simulator);
  });

  test('on local linked clones is stuck and says why', async () => {
    const simulator = await startCluster({
      scenario: standCluster({ id: 'zfs', type: 'zfspool', size_gib: 900, content: ['images', 'rootdir'] }),
    });
    await deployClass(simulator);
    const { plan } = resultOf(await run(simulator, 'window: 15m', { args: json }));
    expect(plan.steps).toEqual([]);
    expect(plan.balance.stuck.map(({ reason }) => reason).join()).toMatch(/clone/);
  });
});

describe('running', () => {
  test('--interval: holds, acts, and ends cleanly on SIGTERM', async () => {
    let send: ((signal: 'SIGINT' | 'SIGTERM') => void) | undefined;
    let rounds = 0;
    const simulator = await startCluster({
      scenario: cluster(OVERLOADED),
      onAnswer: ({ target }) => {
        rounds += Number(target.endsWith('/cluster/status'));
        if (rounds < 5 || !Object.values(placesOf(simulator)).includes('pve3')) return;
        send?.('SIGTERM');
        send = undefined; // a second one would mean: at once
      },
    });
    const folder = workFolder();
    writeFiles(folder, { 'balance.yml': 'guests: all\nhold: 3\n' });
    const tooOften = await runCli(['balance', '--interval', '9s'], simulator);
    expect([tooOften.code, tooOften.stderr]).toEqual([
      2,
      expect.stringMatching(/--interval +must be between 10s/),
    ]);
    const outcome = await runCli(
      ['balance', '-c', join(folder, 'balance.yml'), '--interval', '15', '--output', 'json'],
      simulator,
      { onSignaller: (signaller) => void (send = signaller) },
    );
    const documents = outcome.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Result);
    const verdicts = documents.map(({ plan }) => plan.balance.verdict);
    expect([outcome.code, verdicts.slice(0, 3)]).toEqual([0, ['holding', 'holding', 'moves']]);
    expect(documents[2]?.summary.status).toBe('done');
  });

  test('--interval: a terminal that is gone ends it, after the migration under way', async () => {
    let send: ((signal: ProcessSignal) => void) | undefined;
    const simulator = await startCluster({
      scenario: cluster(OVERLOADED),
      onMutation: ({ path, phase }) => {
        if (phase === 'after' && path.endsWith('/migrate')) send?.('SIGHUP');
      },
    });
    const folder = workFolder();
    writeFiles(folder, { 'balance.yml': 'guests: all\nhold: 1\n' });
    const outcome = await runCli(
      ['balance', '-c', join(folder, 'balance.yml'), '--interval', '15', '--output', 'json'],
      simulator,
      { onSignaller: (signaller) => void (send = signaller) },
    );
    const documents = outcome.stdout.trim().split('\n');
    expect([outcome.code, documents.length]).toEqual([0, 1]);
    expect(JSON.parse(documents[0] ?? '')).toMatchObject({ summary: { status: 'done' } });
    expect(Object.values(placesOf(simulator))).toContain('pve3');
  });

  test('a metrics file that cannot be one is refused before anything is contacted', async () => {
    const simulator = await startCluster({ scenario: cluster(OVERLOADED) });
    const folder = workFolder();
    execFileSync('mkfifo', [join(folder, 'm.prom')]);
    const outcome = await run(simulator, 'guests: all', { args: ['--metrics-file', join(folder, 'm.prom')] });
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining('[METRICS_FILE]')]);
    expect(simulator.requests).toEqual([]);
  });

  test('several clusters: one that fails stops no other; the worst exit code wins', async () => {
    const simulator = await startCluster({ scenario: cluster(OVERLOADED) });
    const folder = workFolder();
    const { tokenId, secret } = simulator.credentials;
    const token = `use_token: true\n  user: ${tokenId.split('!')[0]}\n  token_name: ${tokenId.split('!')[1]}\n  token_value: ${secret}`;
    writeFiles(folder, {
      'balance.yml': 'guests: all\n',
      'connections.yml': `dead:\n  host: 127.0.0.1:1\n  ${token}\n  verify_ssl: false\nlive:\n  host: 127.0.0.1:${simulator.port}\n  ${token}\n  verify_ssl: false\n`,
      env: 'CLUSTER_IDS=dead,live # both\nMAX_MIGRATIONS_PER_CYCLE=1\nVERIFY_SSL=false\n',
    });
    const files = ['-c', join(folder, 'balance.yml'), '--connections', join(folder, 'connections.yml')];
    const metrics = join(folder, 'm.prom');
    const outcome = await runCli(
      ['balance', ...files, '--env-file', join(folder, 'env'), '--metrics-file', metrics, ...json],
      undefined,
      { env: {} },
    );
    const document = JSON.parse(outcome.stdout) as { connections: readonly Record<string, unknown>[] };
    expect(resultErrors(outcome.stdout)).toEqual([]);
    expect([outcome.code, document.connections.map((one) => Object.keys(one).sort())]).toEqual([
      4,
      [
        ['connection', 'error'],
        ['connection', 'plan', 'summary'],
      ],
    ]);
    expect(outcome.stderr).toContain('VERIFY_SSL');
    const text = readFileSync(metrics, 'utf8');
    expect(text).toContain('deploy_stand_balance_success{connection="dead"} 0');
    expect(text).toContain('deploy_stand_balance_moves{connection="live",result="moved"} 1');
  });

  test('no quorum: refused, nothing is written', async () => {
    const nodes = NODES.map((node, at) => ({ ...node, online: at === 0 }));
    const simulator = await startCluster({ scenario: cluster(OVERLOADED.slice(0, 4), { nodes }) });
    const { code, stdout } = await run(simulator, 'guests: all', { args: json });
    expect([code, JSON.parse(stdout), writes(simulator)]).toEqual([
      3,
      { error: expect.objectContaining({ code: 'NO_QUORUM' }) },
      [],
    ]);
  });

  test('an account that may read no load is told so, and not that all is well', async () => {
    const secret = '00000000-0000-4000-a000-000000000007';
    const users = [{ userid: 'blind@pve', tokens: [{ id: 'tok', secret, privsep: false }] }];
    const simulator = await startCluster({ scenario: cluster(OVERLOADED, { users }) });
    const env = { PVE_TOKEN_ID: 'blind@pve!tok', PVE_TOKEN_SECRET: secret };
    const { code, stdout } = await run(simulator, 'guests: all', { args: json, env });
    expect([code, JSON.parse(stdout)]).toEqual([
      4,
      { error: expect.objectContaining({ code: 'MISSING_PRIVILEGES' }) },
    ]);
  });

  test('two balancers at once, and a deploy beside them: each guest moves once, every stand is whole', async () => {
    const simulator = await startCluster({ scenario: standCluster() });
    const deploy = await deployClass(simulator);
    const users = deploy[deploy.indexOf('-u') + 1] ?? '';
    writeFileSync(users, LAB['users.yml'].replace(']', ', carla@pve]'));
    const before = simulator.requests.length;
    const [made, ...balanced] = await Promise.all([
      runCli(deploy, simulator),
      run(simulator, 'window: 15m'),
      run(simulator, 'window: 15m'),
    ]);
    const moved = writes(simulator, before).filter((line) => line.endsWith('/migrate'));
    expect([made.code, balanced.map(({ code }) => code).sort()]).toEqual([0, [0, 3]]);
    expect([moved.length > 0, moved.length]).toEqual([true, new Set(moved).size]);
    expectWhole(simulator);
    const after = simulator.requests.length;
    expect((await runCli(deploy, simulator)).code).toBe(0);
    expect(writes(simulator, after)).toEqual([]);
  });

  test('the clock of this machine is set while a guest moves: it is followed to its end', async () => {
    let isSet = false;
    const simulator = await startCluster({
      scenario: cluster(OVERLOADED),
      onAnswer: ({ target }) => (isSet ||= target.endsWith('/migrate')),
    });
    const { clock } = simulator.time;
    const wallTime = (): number => clock.wallTime() + (isSet ? 3 * 3_600_000 : 0);
    const first = await run(simulator, 'guests: all', { clock: { ...clock, wallTime } });
    expect([isSet, first.code, first.stdout]).toEqual([true, 0, expect.stringContaining('1 guest moved')]);
    const before = simulator.requests.length;
    const second = await run(simulator, 'guests: all', { clock: { ...clock, wallTime } });
    expect([second.code, writes(simulator, before)]).toEqual([0, []]);
  });
});

describe('notifications', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  test('a move is told to Telegram and a webhook; a dead endpoint changes nothing but a warning', async () => {
    const heard: { readonly path: string; readonly body: Record<string, unknown> }[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        heard.push({ path: request.url ?? '', body: JSON.parse(text) as Record<string, unknown> });
        response.end('{"ok":true}');
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const TOKEN = '123456:AAsecret-secret-secret-secret';
    const notify = (webhook: string): string =>
      `guests: all\nnotify:\n  events: [start, move, failure, summary]\n  telegram: { token: env:BOT, chat: '-100' }\n  webhook: { url: '${webhook}', headers: { Authorization: env:HOOK } }\n`;
    const env = { BOT: TOKEN, HOOK: 'Bearer hook-secret', TELEGRAM_API_URL: url };

    const good = await startCluster({ scenario: cluster(OVERLOADED) });
    const dry = await run(good, notify(`${url}/hook`), { args: ['--dry-run'], env });
    expect([dry.code, heard]).toEqual([0, []]);
    const told = await run(good, notify(`${url}/hook`), { env });
    expect(told.code).toBe(0);
    const bot = heard.filter(({ path }) => path === `/bot${TOKEN}/sendMessage`);
    const hook = heard.filter(({ path }) => path === '/hook').map(({ body }) => body['event']);
    expect([bot.length, hook]).toEqual([3, ['start', 'move', 'summary']]);
    expect(bot[0]?.body['chat_id']).toBe('-100');

    const dead = await startCluster({ scenario: cluster(OVERLOADED) });
    const silent = await run(dead, notify('http://127.0.0.1:1/hook-secret'), {
      args: ['--log-level', 'trace'],
      env: { ...env, TELEGRAM_API_URL: 'http://127.0.0.1:1' },
    });
    expect([silent.code, silent.stdout]).toEqual([0, told.stdout]);
    expect(silent.stderr.match(/was not notified/g)).toHaveLength(2);
    expect(silent.stderr + silent.stdout).not.toMatch(/AAsecret|hook-secret/);
    expect((await run(dead, notify(url), { env: {} })).code).toBe(2);
  });
});

test('the example runs on its cluster', async () => {
  const files = ['--simulate', 'examples/clusters/uneven.yml', '-c', 'examples/balance/all-guests.yml'];
  const { code, stdout } = await runCli(['balance', ...files, '--dry-run'], undefined);
  expect([code, stdout]).toEqual([0, expect.stringContaining('planned: VM 301 (web): pve1 → pve3, 5.9 GiB')]);
});

test('somebody else starts to move the very guest: it is followed, not moved twice', async () => {
  const waiting = new Map([
    ['pve2', 301],
    ['pve3', 302],
  ]);
  const simulator = await startCluster({
    scenario: cluster(OVERLOADED.map((one) => (one.vmid === 302 ? { ...one, ha: true } : one))),
    onRequest: () => {
      const [next] = waiting;
      if (!next) return;
      const [target, vmid] = next;
      waiting.delete(target);
      void post(simulator, `/nodes/pve1/qemu/${vmid}/migrate`, { target, online: '1' });
    },
  });
  simulator.addFault({ match: { path: '/version' }, action: 'slow', ms: 1000 });
  const { plan } = resultOf(await run(simulator, 'guests: all', { args: [...json, '--dry-run'] }));
  // Where to they go stands in the logs of their tasks: there they count.
  expect(plan.balance).toMatchObject({
    moves: [],
    inFlight: [
      { vmid: 301, from: 'pve1', to: 'pve2', status: 'running' },
      { vmid: 302, from: 'pve1', to: 'pve3', status: 'running' },
    ],
  });
});

describe('Open vSwitch', () => {
  /** vmbr0 is an OVS bridge with a bond; the host has its address on an internal port. */
  const ovs: readonly Node[] = NODES.map((node) => ({
    ...node,
    bridges: [{ name: 'vmbr0', type: 'OVSBridge', ports: 'bond0 mgmt' }],
    interfaces: [
      { iface: 'bond0', type: 'OVSBond', options: { ovs_bridge: 'vmbr0', ovs_bonds: 'eno1 eno2' } },
      { iface: 'mgmt', type: 'OVSIntPort', options: { ovs_bridge: 'vmbr0', ovs_tag: '7' } },
      { iface: 'eno2', type: 'eth' },
    ],
  }));

  test('a bridge with a bond leads out: guests on it move one by one, tags and all', async () => {
    const tagged = { config: { net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=20' } };
    const guests = OVERLOADED.map((one) => (one.vmid === 301 ? { ...one, ...tagged } : one));
    const simulator = await startCluster({ scenario: cluster(guests, { nodes: ovs }) });
    const ran = await run(simulator, 'guests: all\noverload: { memory: 80, cpu: 80 }\n', { args: json });
    expect([ran.code, ran.stderr]).toEqual([0, expect.any(String)]);
    const result = resultOf(ran);
    expect(result.plan.balance.moves).toHaveLength(1);
    expect(result.summary.moves.map(({ status }) => status)).toEqual(['moved']);
    expect(Object.values(placesOf(simulator)).filter((node) => node === 'pve1')).toHaveLength(3);
  });
});
