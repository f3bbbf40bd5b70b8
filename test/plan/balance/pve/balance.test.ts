import { describe, expect, test } from 'vitest';
import {
  planBalance,
  type BalanceDecision,
  type BalanceInput,
} from '../../../../src/lib/plan/balance/pve/balance.ts';
import type { BalanceInventory } from '../../../../src/lib/inventory/balance-types.ts';
import type { BridgeInfo, StorageInfo } from '../../../../src/lib/inventory/types.ts';
import type { RejectedMove } from '../../../../src/lib/plan/document/balance-report.ts';
import {
  ago,
  config,
  GIB,
  inventory,
  localBridge,
  localStorage,
  standBridge,
  standScene,
  type GuestSpec,
  type NodeSpec,
  type Scene,
} from './builders.ts';

const ALL = 'guests: all';
/** Most scenes are about who moves where: relief no further than to the limit keeps them small. */
const EXACTLY = 'relieve_to: { cpu: 75, memory: 80, load_per_core: 1.5, pressure: 50 }';
const three = [{ name: 'pve1' }, { name: 'pve2' }, { name: 'pve3' }];

/** `count` guests of `gib` GiB each. */
function fill(node: string, first: number, count: number, more: Partial<GuestSpec> = {}): GuestSpec[] {
  return Array.from({ length: count }, (_, index) => ({ vmid: first + index, node, ...more }));
}

function decide(
  have: BalanceInventory,
  yaml: string = ALL,
  more: Partial<BalanceInput> = {},
): BalanceDecision {
  const whole = yaml.includes('relieve_to') ? yaml : `${yaml === '{}' ? '' : yaml}\n${EXACTLY}`;
  return planBalance({ have, config: config(whole), ...more });
}

const plan = (scene: Scene, yaml?: string, more?: Partial<BalanceInput>): BalanceDecision =>
  decide(inventory(scene), yaml, more);

/** `101 pve1→pve2` */
function moves({ plan: { steps } }: BalanceDecision): string[] {
  return steps.flatMap((step) =>
    step.kind === 'vm.migrate' ? [`${step.vmid} ${step.node}→${step.target}`] : [],
  );
}

function ids({ plan: { steps } }: BalanceDecision): string[] {
  return steps.map(({ id, dependsOn, after }) => {
    const edges = [...dependsOn, ...after.map((edge) => `~${edge}`)];
    return edges.length === 0 ? id : `${id} < ${edges.join(' ')}`;
  });
}

/** `101 code: reason` of what stays. */
function stays({ plan }: BalanceDecision): string[] {
  return plan.balance.rejected.map(({ vmids, code, reason }) => `${vmids.join('+')} ${code}: ${reason}`);
}

function rejectionOf({ plan }: BalanceDecision, vmid: number): RejectedMove | undefined {
  return plan.balance.rejected.find(({ vmids }) => vmids.includes(vmid));
}

describe('load', () => {
  test('an overloaded node gives away the cheapest that suffices', () => {
    const decision = plan({
      nodes: three,
      guests: [
        { vmid: 101, node: 'pve1', gib: 32 },
        { vmid: 102, node: 'pve1', gib: 16 },
        { vmid: 103, node: 'pve1', gib: 4 },
        { vmid: 104, node: 'pve1', gib: 2 },
        { vmid: 201, node: 'pve2', gib: 16 },
      ],
    });
    // 55 of 64 GiB are used, 51.2 is the limit: 3.8 GiB have to go.
    expect(moves(decision)).toEqual(['103 pve1→pve3']);
    expect(decision.plan.balance).toMatchObject({
      verdict: 'moves',
      reason: '1 migration planned',
      deferred: 0,
    });
    expect(decision.plan.balance.moves[0]).toMatchObject({
      unit: 'guest',
      name: 'VM 103 (vm103)',
      why: 'overload',
      bytes: 4 * GIB,
      reason: 'relieves pve1 (memory 86 % > 80 %)',
    });
    expect(stays(decision)).toEqual([
      '101 not-needed: pve1 is below its limits with the other moves',
      '102 not-needed: pve1 is below its limits with the other moves',
      '104 not-needed: pve1 is below its limits with the other moves',
    ]);
    expect(decision.needs).toEqual({ configs: [], bridgeUse: [] });
  });

  test('CPU: the busiest per GiB goes', () => {
    const decision = plan({
      nodes: three,
      guests: [
        { vmid: 101, node: 'pve1', gib: 16, threads: 4 },
        { vmid: 102, node: 'pve1', gib: 2, threads: 4 },
        ...fill('pve1', 110, 4, { gib: 2, threads: 1.5 }),
      ],
    });
    expect(moves(decision)).toEqual(['102 pve1→pve2']);
  });

  test('one of two equal ones is the cheapest; of moves that copy next to nothing nobody is told what they cost', () => {
    const gapOf = (gib: number, threads: number): number | undefined =>
      plan({ nodes: three.slice(0, 2), guests: fill('pve1', 101, 2, { gib, threads }) }).plan.balance.gap;
    expect(gapOf(27.5, 0.1)).toBe(0);
    expect(gapOf(0, 7)).toBeUndefined();
  });

  test('load per core and pressure are reasons of their own', () => {
    const guests = fill('pve1', 101, 4, { threads: 2 });
    const nodes = (more: object): Scene['nodes'] => [{ name: 'pve1', ...more }, { name: 'pve2' }];
    expect(moves(plan({ nodes: nodes({ loadPerCore: 1.6 }), guests }))).toEqual(['101 pve1→pve2']);
    expect(moves(plan({ nodes: nodes({ pressure: { cpu: 0.6, memory: 0 } }), guests }))).toEqual([
      '101 pve1→pve2',
    ]);
    expect(moves(plan({ nodes: nodes({}), guests }))).toEqual([]);
  });

  test('relief goes 4 points below the limit, or as far as relieve_to says; where that cannot be had, to the limit', () => {
    const scene = (own: number): Scene => ({
      nodes: [
        { name: 'pve1', own: 7 },
        { name: 'pve2', own },
      ],
      guests: fill('pve1', 101, 23, { gib: 2 }),
    });
    const after = (yaml: string, own = 1): number[] =>
      plan(scene(own), yaml).plan.balance.nodes.map((node) => Math.round(node.after.memory * 64));
    // 53 of 64 GiB; 51.2 is the limit, 48.6 four points below it.
    expect(after(`${ALL}\nrelieve_to: {}`)).toEqual([47, 7]);
    expect(after(`${ALL}\nrelieve_to: { memory: 72 }`)).toEqual([45, 9]);
    expect(after(`${ALL}\nrelieve_to: { memory: 80 }`)).toEqual([51, 3]);
    expect(after(`${ALL}\nrelieve_to: {}`, 48)).toEqual([51, 50]);
  });

  test('relief stops at the limit where going on is far dearer than it need be, and says so', () => {
    const scene = (small: number, large: number): Scene => ({
      nodes: [{ name: 'pve1' }, { name: 'pve2' }],
      guests: [{ vmid: 101, node: 'pve1', gib: small }, ...fill('pve1', 201, 2, { gib: large })],
    });
    // 52 of 64 GiB; without 3 of them it is below 51.2, and 0.4 above what relief goes down to.
    const stopped = plan(scene(3, 24), `${ALL}\nrelieve_to: {}`);
    expect(moves(stopped)).toEqual(['101 pve1→pve2']);
    const told = /; no further than that: to relieve_to would be 21\.0 GiB more$/;
    expect(stopped.plan.balance.moves[0]!.reason).toMatch(told);
    const whole = plan(scene(4, 23.5), `${ALL}\nrelieve_to: {}`);
    expect(moves(whole)).toEqual(['101 pve1→pve2']);
    expect(whole.plan.balance.moves[0]!.reason).not.toMatch(told);
    // The others would be shut down for it; or there is nowhere to go on to.
    const { guests } = scene(3, 24);
    const containers = guests.map((one) => (one.vmid === 101 ? one : { ...one, type: 'lxc' as const }));
    const reasonOf = (nodes: Scene['nodes'], some: Scene['guests'], yaml: string): string =>
      plan({ nodes, guests: some }, `${yaml}\nrelieve_to: {}`).plan.balance.moves[0]!.reason;
    expect(reasonOf(scene(3, 24).nodes, containers, RESTART)).toMatch(
      /; no further than that: to relieve_to would be 1 restart more$/,
    );
    expect(reasonOf([{ name: 'pve1' }, { name: 'pve2', gib: 8 }], guests, ALL)).toMatch(
      /; no further than that: relieve_to cannot be had$/,
    );
  });

  test('few moves that do are found where the first that come to mind lead to many', () => {
    // Used GiB and busy threads. Both measures are tight everywhere: a search of any depth takes 14 moves and 108 GiB.
    const carried: Record<string, readonly (readonly [gib: number, threads: number])[]> = {
      pve1: [
        [5.8, 26.3],
        [23.7, 1.6],
        [17, 0.7],
        [11.2, 0.7],
        [14.3, 1],
        [19.7, 18.8],
        [16.4, 1.1],
      ],
      pve2: [
        [12.7, 0.3],
        [3.3, 12],
        [3.8, 0.3],
        [2.7, 0.3],
        [7.1, 0.9],
        [11.2, 0.5],
        [6.2, 13],
        [6.1, 0.3],
        [12.2, 0.8],
        [10.7, 10.8],
        [9.3, 0.4],
      ],
      pve3: [
        [14.2, 0.7],
        [3.8, 1.5],
        [9.6, 0.8],
        [13.2, 27.9],
        [2.5, 1.8],
        [16, 1.3],
        [7.9, 1.3],
        [9.1, 1.4],
      ],
      pve4: [
        [10.5, 1],
        [14.7, 1],
        [3.5, 0.4],
        [2.9, 0.5],
        [3.1, 0.6],
        [3.7, 0.9],
        [2.9, 13.8],
        [10.7, 0.8],
        [18.2, 16.9],
        [10, 0.5],
      ],
    };
    const guests = Object.entries(carried).flatMap(([node, rows], at) =>
      rows.map(([gib, threads], i) => {
        const cpus = Math.ceil(threads);
        return { vmid: 100 * (at + 1) + i, node, gib, threads, cpus };
      }),
    );
    const nodes = Object.keys(carried).map((name) => ({ name, gib: 128, own: 4, cpus: 64 }));
    const wide = 'max_migrations: 99\nmax_migrations_per_node: 99\nmax_inflow_per_node: 99';
    const decision = plan({ nodes, guests }, `${ALL}\novercommit: 400\n${wide}\nrelieve_to: {}`);
    const gib = decision.plan.balance.moves.reduce((sum, { bytes }) => sum + bytes, 0) / GIB;
    expect([moves(decision).length, Math.round(gib * 10) / 10]).toEqual([4, 28.4]);
  });

  test('a node between target and overload takes something when no target can', () => {
    const scene: Scene = {
      nodes: [
        { name: 'pve1', own: 5 },
        { name: 'pve2', own: 46 },
      ],
      guests: fill('pve1', 101, 12, { gib: 4 }),
    };
    expect(moves(plan(scene))).toEqual(['101 pve1→pve2']);
  });

  test('a node gives something away to make room, before it takes what relieves another', () => {
    const decision = plan({
      nodes: [{ name: 'pve1' }, { name: 'pve2' }, { name: 'pve3' }],
      guests: [
        ...[101, 102, 103].map((vmid) => ({ vmid, node: 'pve1', gib: 18 })),
        ...[201, 202, 203, 204].map((vmid) => ({ vmid, node: 'pve2', gib: 10 })),
        ...[301, 302, 303].map((vmid) => ({ vmid, node: 'pve3', gib: 12 })),
      ],
    });
    // Nobody has room for 18 GiB: pve3 has it when 12 GiB of it go to pve2 … which has no room for them, but pve2 can give 10 to pve3.
    expect(moves(decision)).toEqual(['201 pve2→pve3', '101 pve1→pve2']);
    expect(ids(decision).at(-1)).toContain('< vm.migrate:201');
    expect(decision.plan.balance.moves[0]!.reason).toBe('makes room on pve2 for what leaves pve1');
    expect(decision.plan.balance.nodes.flatMap(({ after }) => (after.severity > 1 ? [after] : []))).toEqual(
      [],
    );
  });

  test('a node with too much memory in use takes virtual machines with busy threads, once it has given some away', () => {
    const busy = [201, 202, 203, 204];
    const decision = plan(
      {
        nodes: ['pve1', 'pve2', 'pve3', 'pve4'].map((name) => ({ name })),
        guests: [
          ...[101, 102, 103].map((vmid) => ({ vmid, node: 'pve1', gib: 18 })),
          ...busy.map((vmid) => ({ vmid, node: 'pve2', threads: 3.3 })),
          ...[301, 302, 303].map((vmid) => ({ vmid, node: 'pve3', gib: 10, threads: 3.6 })),
          ...[401, 402].map((vmid) => ({ vmid, node: 'pve4', gib: 10, threads: 3.5 })),
        ],
      },
      `${ALL}\nrules: { pin: [{ name: near, vmids: [${busy.join(', ')}], nodes: [pve1, pve2, pve3] }] }`,
    );
    // pve3 could take a busy one, too, when it gives 10 GiB to pve4.
    expect(decision.plan.balance.moves.map(({ guests, to }) => [guests[0]?.vmid, to])).toEqual([
      [101, expect.stringMatching(/^pve[34]$/)],
      [201, 'pve1'],
    ]);
    expect(ids(decision).at(-1)).toContain('< vm.migrate:101');
  });

  test('virtual CPUs per core, and committed memory, make a node overloaded when they are measures', () => {
    const scene: Scene = {
      nodes: [{ name: 'pve1' }, { name: 'pve2' }],
      guests: fill('pve1', 101, 30, { gib: 3, memoryUsed: GIB, cpus: 4, threads: 0.1 }),
    };
    // 120 virtual CPUs on 16 threads, 90 GiB promised of 64.
    expect(moves(plan(scene))).toEqual([]);
    const allocation = plan(scene, `${ALL}\nmeasures: [load, allocation]`).plan.balance;
    expect(allocation.nodes[0]!.overloaded).toEqual(['virtual CPUs per core 7.50 > 7.00']);
    expect(allocation.nodes[0]).toMatchObject({ after: { vcpusPerCore: 6.5 } });
    const committed = plan(scene, `${ALL}\nmeasures: [overcommit]\novercommit: 120\nmax_migrations: 20`).plan
      .balance;
    expect(committed.nodes[0]!.overloaded).toEqual(['committed memory 141 % > 120 %']);
    expect(committed.moves.length).toBeGreaterThan(0);
  });

  test('max_guests: a target never has more guests than that, stopped ones included', () => {
    const decision = plan(
      {
        nodes: [{ name: 'pve1' }, { name: 'pve2' }],
        guests: [...fill('pve1', 101, 14), { vmid: 201, node: 'pve2', status: 'stopped' }],
      },
      `${ALL}\nmax_guests: 1`,
    );
    expect(moves(decision)).toEqual([]);
    expect(decision.plan.balance.rejected[0]!.targets).toEqual([
      { code: 'max-guests', reason: 'would have 2 guests, more than 1', nodes: ['pve2'] },
    ]);
  });

  test('nothing to do', () => {
    const { plan: made } = plan({ nodes: three, guests: fill('pve1', 101, 4) });
    expect(made.steps).toEqual([]);
    expect(made.balance).toMatchObject({
      verdict: 'balanced',
      reason: 'no node is overloaded',
      rejected: [],
    });
  });

  test('all nodes full: nothing moves, and every guest has a reason', () => {
    const decision = plan({
      nodes: [{ name: 'pve1' }, { name: 'pve2' }],
      guests: [...fill('pve1', 101, 2, { gib: 27 }), ...fill('pve2', 201, 2, { gib: 23 })],
    });
    expect(moves(decision)).toEqual([]);
    expect(decision.plan.balance.verdict).toBe('no-beneficial-move');
    expect(decision.plan.balance.reason).toBe('no move would help: pve1 stays at memory 86 % > 80 %');
    expect(stays(decision)).toEqual([
      '101 no-target: no node can take it',
      '102 no-target: no node can take it',
    ]);
    expect(decision.plan.balance.rejected[0]!.targets).toEqual([
      { code: 'overload', reason: 'would be overloaded: memory 116 % > 80 %', nodes: ['pve2'] },
    ]);
  });

  test('mixed memory sizes: bytes count, not percent', () => {
    const decision = plan({
      nodes: [
        { name: 'big', gib: 768 },
        { name: 'small', gib: 64, own: 30 },
        { name: 'full', gib: 256, own: 10 },
      ],
      guests: fill('full', 101, 7, { gib: 32 }),
    });
    // 234 of 256 GiB; the small node has room by percent, not for 32 GiB.
    expect(moves(decision)).toEqual(['101 full→big']);
  });

  test('what was promised counts: overcommit', () => {
    const scene: Scene = {
      nodes: [{ name: 'pve1' }, { name: 'pve2' }],
      guests: [
        ...fill('pve1', 101, 7, { gib: 8 }),
        ...fill('pve2', 201, 4, { gib: 15 }).map((spec) => ({ ...spec, memoryUsed: 4 * GIB })),
      ],
    };
    const decision = plan(scene);
    expect(moves(decision)).toEqual([]);
    expect(decision.plan.balance.rejected[0]!.targets![0]!.reason).toBe(
      'guests would be promised 106 % of its memory (overcommit 100 %)',
    );
    expect(moves(plan(scene, `${ALL}\novercommit: 120`))).toEqual(['101 pve1→pve2']);
  });

  test('several sources: the worst first, and each node counts what it was given', () => {
    const decision = plan(
      {
        nodes: [...three, { name: 'pve4' }],
        guests: [
          ...fill('pve1', 101, 14),
          ...fill('pve2', 201, 13),
          ...fill('pve3', 301, 8),
          ...fill('pve4', 401, 8),
        ],
      },
      `${ALL}\nmax_migrations: 2`,
    );
    expect(moves(decision)).toEqual(['101 pve1→pve3', '102 pve1→pve4']);
    expect(decision.plan.balance.deferred).toBe(1);
    expect(stays(decision)).toContain('201 limit: the limits of this run are reached; the next one goes on');
  });

  test('spread evens out, and stops at the limit', () => {
    const scene: Scene = { nodes: three, guests: [...fill('pve1', 101, 9), ...fill('pve2', 201, 1)] };
    expect(moves(plan(scene))).toEqual([]);
    const decision = plan(scene, `${ALL}\nmode: spread\nmax_migrations_per_node: 9`);
    expect(moves(decision)).toEqual([
      '101 pve1→pve3',
      '102 pve1→pve2',
      '103 pve1→pve3',
      '104 pve1→pve2',
      '105 pve1→pve3',
    ]);
    const { before, after } = decision.plan.balance.imbalance;
    expect([before > 0.3, after <= 0.3]).toEqual([true, true]);
  });

  test('spread relieves what is overloaded first, however even the loads are', () => {
    const scene: Scene = {
      nodes: three,
      guests: [...fill('pve1', 101, 13), ...fill('pve2', 201, 10), ...fill('pve3', 301, 10)],
    };
    const decision = plan(scene, `${ALL}\nmode: spread`);
    expect(decision.plan.balance.imbalance.before).toBeLessThan(0.3);
    expect(moves(decision)).toEqual(['101 pve1→pve2']);
    expect(decision.plan.balance.moves[0]?.reason).toContain('relieves pve1');
    expect(stays(decision)).toContain('102 not-needed: node loads differ little with the other moves');
  });

  test('the order of the input does not matter', () => {
    const scene: Scene = { nodes: three, guests: [...fill('pve1', 101, 14), ...fill('pve2', 201, 3)] };
    const turned = { nodes: [...scene.nodes].reverse(), guests: [...scene.guests].reverse() };
    expect(plan(turned).plan).toEqual(plan(scene).plan);
  });
});

/** One overloaded node and one guest that alone would suffice. */
function scene(guest: Partial<GuestSpec>, more: Partial<Scene> = {}): Scene {
  return {
    nodes: [{ name: 'pve1' }, { name: 'pve2' }],
    guests: [
      { vmid: 101, node: 'pve1', gib: 8, ...guest },
      // Nothing moves it.
      ...fill('pve1', 900, 1, { gib: 46, status: 'running', lock: 'backup' }),
    ],
    ...more,
  };
}

const RESTART = `${ALL}\ncontainers: restart\nwindows: [{ from: '00:00', to: '24:00' }]`;

test.each([
  ['qemu', 'qm'],
  ['lxc', 'pct'],
] as const)('root unlocks a guest of kind %s with %s', (type, tool) => {
  const kept = stays(plan(scene({ type, lock: 'backup' }), RESTART));
  expect(kept.join('\n')).toContain(`101 locked`);
  expect(kept.join('\n')).toContain(`\`${tool} unlock 101\``);
});

const local = (type: string): Scene['storages'] => [
  localStorage('pve1', 'data', type),
  localStorage('pve2', 'data', type),
];

test.each<[string, Scene, string | undefined, string | undefined]>([
  ['nothing holds it', scene({}), undefined, undefined],
  ['a container', scene({ type: 'lxc' }), undefined, 'container'],
  ['a container that may be restarted', scene({ type: 'lxc' }), RESTART, undefined],
  ['a container under HA', scene({ type: 'lxc', ha: true }), `${RESTART}\nha: follow`, 'container'],
  [
    'a directory of its host in a container',
    scene({ type: 'lxc', values: { mp0: '/srv/www,mp=/www' } }),
    RESTART,
    'host-mount',
  ],
  [
    'one that every node has',
    scene({ type: 'lxc', values: { mp0: '/srv/www,mp=/www,shared=1' } }),
    RESTART,
    undefined,
  ],
  ['a device in a container', scene({ type: 'lxc', values: { dev0: '/dev/kvm' } }), RESTART, 'passthrough'],
  [
    'settings of its own for LXC',
    scene({ type: 'lxc', values: { lxc: 'lxc.mount.entry=/dev/dri dev/dri none bind' } }),
    RESTART,
    'passthrough',
  ],
  ...(['zfspool', 'dir'] as const).map((type): [string, Scene, string, string | undefined] => [
    `a container's snapshots on ${type}`,
    scene(
      { type: 'lxc', values: { rootfs: 'data:subvol-101-disk-0,size=8G', parent: 'a' } },
      { storages: local(type)! },
    ),
    RESTART,
    type === 'dir' ? 'snapshots' : undefined,
  ]),
  [
    'a storage that takes no containers',
    scene(
      { type: 'lxc', values: { rootfs: 'data:vm-101-disk-0,size=8G' } },
      { storages: local('lvmthin')!.map((row) => ({ ...row, content: ['images'] })) },
    ),
    RESTART,
    'no-target',
  ],
  ['a foreign guest', scene({}), '{}', 'foreign'],
  ['ignored by tag', scene({ tags: ['keep'] }), `${ALL}\nrules: { ignore: [{ tags: [KEEP] }] }`, 'ignored'],
  ['ignored by pool', scene({ pool: 'infra' }), `${ALL}\nrules: { ignore: [{ pools: [infra] }] }`, 'ignored'],
  ['ignored by id', scene({}), `${ALL}\nrules: { ignore: [{ vmids: [100-110] }] }`, 'ignored'],
  ['ignored by name', scene({ name: 'DC-1' }), `${ALL}\nrules: { ignore: [{ names: ["dc-?"] }] }`, 'ignored'],
  ['the source is excluded', scene({}), `${ALL}\nexclude: { source: [pve1] }`, 'excluded'],
  [
    'under way',
    scene({}, { over: { tasks: [{ node: 'pve1', type: 'qmsnapshot', id: '101' }] } }),
    undefined,
    'busy',
  ],
  ['locked', scene({ lock: 'backup' }), undefined, 'locked'],
  ['paused', scene({ status: 'paused', memoryUsed: 8 * GIB }), undefined, 'state'],
  ['HA', scene({ ha: true }), undefined, 'ha'],
  ['HA, followed', scene({ ha: true }), `${ALL}\nha: follow`, undefined],
  [
    'HA, followed, but it balances itself',
    scene({ ha: true }, { over: { haAutoRebalance: true } }),
    `${ALL}\nha: follow`,
    'ha',
  ],
  [
    'HA, tied to another',
    scene(
      { ha: true },
      {
        over: {
          haRules: [{ name: 'r', kind: 'resource-affinity', vmids: [101, 102], affinity: 'positive' }],
        },
      },
    ),
    `${ALL}\nha: follow`,
    'ha',
  ],
  ['passthrough', scene({ values: { hostpci0: '0000:01:00' } }), undefined, 'passthrough'],
  ['a USB device', scene({ values: { usb0: 'host=1234:5678' } }), undefined, 'passthrough'],
  ['a SPICE port is none', scene({ values: { usb0: 'spice' } }), undefined, undefined],
  ['a raw disk', scene({ values: { scsi1: '/dev/sdb,size=1T' } }), undefined, 'passthrough'],
  ['sealed memory', scene({ values: { 'amd-sev': 'std' } }), undefined, 'not-live'],
  ['a VNC clipboard', scene({ values: { vga: 'std,clipboard=vnc' } }), undefined, 'not-live'],
  [
    'a VNC clipboard that QEMU hands on',
    scene(
      { values: { vga: 'std,clipboard=vnc' } },
      {
        nodes: [
          { name: 'pve1', qemuVersion: '10.1' },
          { name: 'pve2', qemuVersion: '10.1' },
        ],
        over: { running: [{ vmid: 101, machine: 'pc-i440fx-10.1+pve0', qemu: '10.1.2' }] },
      },
    ),
    undefined,
    undefined,
  ],
  [
    'a storage that takes no disks any more',
    scene(
      { values: { scsi0: 'data:vm-101-disk-0,size=8G' } },
      { storages: local('lvmthin')!.map((row) => ({ ...row, content: ['rootdir'] })) },
    ),
    undefined,
    'no-target',
  ],
  [
    'a local ISO',
    scene({ values: { ide2: 'data:iso/x.iso,media=cdrom' } }, { storages: local('dir')! }),
    undefined,
    'local-iso',
  ],
  ['an empty drive', scene({ values: { ide2: 'none,media=cdrom' } }), undefined, undefined],
  [
    'a local cloud-init drive',
    scene({ values: { ide2: 'data:101/vm-101-cloudinit.qcow2,media=cdrom' } }, { storages: local('dir')! }),
    undefined,
    undefined,
  ],
  [
    'a linked clone on ZFS',
    scene(
      { values: { scsi0: 'data:base-100-disk-0/vm-101-disk-0,size=8G' } },
      { storages: local('zfspool')! },
    ),
    undefined,
    'linked-clone',
  ],
  [
    'a linked clone in a directory',
    scene(
      { values: { scsi0: 'data:100/base-100-disk-0.qcow2/101/vm-101-disk-0.qcow2,size=8G' } },
      { storages: local('dir')! },
    ),
    undefined,
    'linked-clone',
  ],
  [
    'a disk on lvmthin',
    scene({ values: { scsi0: 'data:vm-101-disk-0,size=8G' } }, { storages: local('lvmthin')! }),
    undefined,
    undefined,
  ],
  [
    'no local disks wanted',
    scene({ values: { scsi0: 'data:vm-101-disk-0,size=8G' } }, { storages: local('lvmthin')! }),
    `${ALL}\nlocal_disks: false`,
    'local-disks',
  ],
  [
    'snapshots on local storage',
    scene({ values: { scsi0: 'data:vm-101-disk-0,size=8G', parent: 'a' } }, { storages: local('zfspool')! }),
    undefined,
    'snapshots',
  ],
  ['snapshots on shared storage', scene({ values: { parent: 'a' } }), undefined, undefined],
  [
    'it just moved',
    scene(
      {},
      {
        over: {
          migrations: [{ vmid: 101, from: 'pve3', to: 'pve1', start: ago(40), end: ago(35), status: 'ok' }],
        },
      },
    ),
    undefined,
    'cooldown',
  ],
  [
    'it moved two hours ago',
    scene(
      {},
      {
        over: {
          migrations: [{ vmid: 101, from: 'pve2', to: 'pve1', start: ago(130), end: ago(120), status: 'ok' }],
        },
      },
    ),
    undefined,
    undefined,
  ],
  [
    'its last move failed',
    scene(
      {},
      {
        over: {
          migrations: [
            {
              vmid: 101,
              from: 'pve1',
              to: 'pve2',
              start: ago(310),
              end: ago(300),
              status: 'failed',
              error: 'migration aborted',
            },
          ],
        },
      },
    ),
    undefined,
    'blacklist',
  ],
  [
    'its last but one move failed',
    scene(
      {},
      {
        over: {
          migrations: [
            { vmid: 101, from: 'pve1', to: 'pve2', start: ago(310), end: ago(300), status: 'timeout' },
            { vmid: 101, from: 'pve2', to: 'pve1', start: ago(210), end: ago(200), status: 'ok' },
          ],
        },
      },
    ),
    undefined,
    undefined,
  ],
  [
    'it is being migrated',
    scene(
      {},
      {
        nodes: [{ name: 'pve1', own: 8 }, { name: 'pve2' }],
        over: { migrations: [{ vmid: 101, from: 'pve1', start: ago(3), status: 'running' }] },
      },
    ),
    undefined,
    'busy',
  ],
])('a guest: %s', (_, world, yaml, code) => {
  const decision = plan(world, yaml ?? ALL);
  expect(moves(decision)).toEqual(code === undefined ? ['101 pve1→pve2'] : []);
  const rejection = rejectionOf(decision, 101);
  expect(rejection?.code).toBe(code);
});

test('two moves that ended in the same second tell the same in whatever order they are read', () => {
  const record = { vmid: 101, from: 'pve1', to: 'pve2', start: ago(50), end: ago(45) };
  const migrations = [
    { ...record, status: 'timeout' as const },
    { ...record, status: 'failed' as const, error: 'migration aborted' },
  ];
  for (const list of [migrations, migrations.toReversed()]) {
    const decision = plan(scene({}, { over: { migrations: list } }), ALL);
    expect(rejectionOf(decision, 101)?.reason).toBe(
      'its last migration failed 45 min ago: migration aborted (blacklist)',
    );
  }
});

/** The same, and why pve2 does not take it; pve3 would if it can. */
const target = (more: Partial<Scene>, guest: Partial<GuestSpec> = {}): Scene =>
  scene(guest, { nodes: [{ name: 'pve1' }, { name: 'pve2' }], ...more });

const DATA = { values: { scsi1: 'data1:vm-101-disk-1,size=8G' } };

/** `data1` on pve1 alone; on pve2 others, with so many GiB free. */
function nodeLocal(there: Readonly<Record<string, number>>, type = 'lvmthin'): StorageInfo[] {
  const rows = Object.entries(there).map(([storage, free]) => localStorage('pve2', storage, type, free));
  return [localStorage('pve1', 'data1', 'lvmthin'), ...rows];
}

test.each<[string, Scene, string, string, string]>([
  [
    'offline',
    target({ nodes: [{ name: 'pve1' }, { name: 'pve2', online: false }] }),
    ALL,
    'offline',
    'is offline',
  ],
  [
    'maintenance',
    target({ nodes: [{ name: 'pve1' }, { name: 'pve2', maintenance: true }] }),
    ALL,
    'maintenance',
    'is in maintenance',
  ],
  ['excluded', target({}), `${ALL}\nexclude: { target: [pve2] }`, 'excluded', 'is excluded as a target'],
  [
    'above target',
    target({ nodes: [{ name: 'pve1' }, { name: 'pve2', own: 55 }] }),
    ALL,
    'no-target',
    'is no target: memory 86 % > 80 %',
  ],
  [
    'overloaded after',
    target({ nodes: [{ name: 'pve1' }, { name: 'pve2', own: 44 }] }),
    ALL,
    'overload',
    'would be overloaded: memory 81 % > 80 %',
  ],
  [
    'reserve',
    target({}),
    `${ALL}\nreserve: { memory: 60GiB }`,
    'reserve',
    'would have 55.0 GiB of memory free, less than the reserve of 60.0 GiB',
  ],
  [
    'CPUs',
    target({ nodes: [{ name: 'pve1' }, { name: 'pve2', cpus: 2 }] }),
    ALL,
    'cpus',
    'has 4 CPUs, the node 2',
  ],
  [
    'pin',
    target({}),
    `${ALL}\nrules: { pin: [{ vmids: [101], nodes: [pve1, pve3] }] }`,
    'pin',
    'rule pin[0] keeps it on pve1, pve3',
  ],
  [
    'anti-affinity',
    scene({}, { guests: [...scene({}).guests, { vmid: 102, node: 'pve2' }] }),
    `${ALL}\nrules: { anti_affinity: [{ name: dc, vmids: [101-102] }] }`,
    'anti-affinity',
    'rule dc keeps VM 101 apart from 102',
  ],
  [
    'HA node affinity',
    target(
      {
        over: {
          haRules: [{ name: 'g', kind: 'node-affinity', vmids: [101], nodes: ['pve1'], strict: false }],
        },
      },
      { ha: true },
    ),
    `${ALL}\nha: follow`,
    'ha-rule',
    'HA rule g wants it on pve1',
  ],
  [
    'QEMU',
    target({ nodes: [{ name: 'pve1' }, { name: 'pve2', qemuVersion: '9.0.2' }] }),
    ALL,
    'version',
    'QEMU 9.0 there is older than 9.2',
  ],
  [
    'pinned machine type',
    target(
      { nodes: [{ name: 'pve1' }, { name: 'pve2', qemuVersion: '9.2.0' }] },
      { values: { machine: 'pc-q35-10.0' } },
    ),
    ALL,
    'version',
    'QEMU there does not know machine type pc-q35-10.0 (newest: q35-9.2)',
  ],
  [
    'CPU group',
    target({}),
    `${ALL}\ncpu_groups: [[pve1], [pve2]]`,
    'cpu-model',
    'is in another group of cpu_groups',
  ],
  [
    'CPU vendor',
    target({ nodes: [{ name: 'pve1' }, { name: 'pve2', cpuModel: 'AMD EPYC 7302' }] }),
    ALL,
    'cpu-model',
    'has AMD EPYC 7302 instead of Intel(R) Xeon(R) Gold 6226R',
  ],
  [
    'CPU model with type host',
    target(
      { nodes: [{ name: 'pve1' }, { name: 'pve2', cpuModel: 'Intel(R) Xeon(R) E5' }] },
      { values: { cpu: 'host,flags=+aes' } },
    ),
    ALL,
    'cpu-model',
    'its CPU type is host, and the node has Intel(R) Xeon(R) E5 instead of Intel(R) Xeon(R) Gold 6226R',
  ],
  [
    'storage',
    target(
      { storages: [localStorage('pve1', 'data', 'lvmthin')] },
      { values: { scsi1: 'data:vm-101-disk-1,size=8G' } },
    ),
    ALL,
    'storage',
    'storage data is not available there',
  ],
  [
    'space',
    target(
      { storages: [localStorage('pve1', 'data', 'lvmthin'), localStorage('pve2', 'data', 'lvmthin', 5)] },
      { values: { scsi1: 'data:vm-101-disk-1,size=8G' } },
    ),
    ALL,
    'storage',
    'storage data there has 5.0 GiB free, 8.0 GiB are needed',
  ],
  [
    'two storages that could stand for its own',
    target({ storages: nodeLocal({ data2: 500, data3: 500 }) }, DATA),
    ALL,
    'storage',
    'storage data1 is not available there; data2 and data3 could take it: storage_map says which',
  ],
  [
    'no room on the storage that stands for its own',
    target({ storages: nodeLocal({ data2: 5 }) }, DATA),
    ALL,
    'storage',
    'storage data1 is not available there; data2 has 5.0 GiB free, 8.0 GiB are needed',
  ],
  [
    'a storage of another type',
    target({ storages: nodeLocal({ data2: 500 }, 'zfspool') }, DATA),
    ALL,
    'storage',
    'storage data1 is not available there',
  ],
  [
    'storages of the same name wanted',
    target({ storages: nodeLocal({ data2: 500 }) }, DATA),
    `${ALL}\nstorage_map: false`,
    'storage',
    'storage data1 is not available there',
  ],
  [
    'storage_map names others',
    target({ storages: nodeLocal({ data2: 500 }) }, DATA),
    `${ALL}\nstorage_map: { data1: data9 }`,
    'storage',
    'storage data1 is not available there; nor has the node any that storage_map names for it',
  ],
  [
    'storage_map names one of another type',
    target({ storages: nodeLocal({ data2: 500 }, 'zfspool') }, DATA),
    `${ALL}\nstorage_map: { data1: [data9, data2] }`,
    'storage',
    'storage data1 is not available there; data2, which storage_map names for it, is of type zfspool: no disk of lvmthin migrates onto it',
  ],
  [
    'storage_map names one that takes no disks',
    target(
      {
        storages: nodeLocal({ data2: 500 }).map((row) =>
          row.node === 'pve2' ? { ...row, content: ['iso'] } : row,
        ),
      },
      DATA,
    ),
    `${ALL}\nstorage_map: { data1: data2 }`,
    'storage',
    'storage data1 is not available there; data2, which storage_map names for it, does not take such disks (its content)',
  ],
  [
    'HA, which knows no map',
    target({ storages: nodeLocal({ data2: 500 }) }, { ...DATA, ha: true }),
    `${ALL}\nha: follow`,
    'storage',
    'storage data1 is not available there; HA moves disks to a storage of the same name only',
  ],
  [
    'the storage that stands for its own failed there',
    target(
      {
        storages: nodeLocal({ data2: 500 }),
        over: {
          migrations: [
            {
              ...{ vmid: 777, from: 'pve1', to: 'pve2', start: ago(50), end: ago(40) },
              ...{ status: 'failed', blames: 'storage', storage: 'data2', error: 'no space' },
            },
          ],
        },
      },
      DATA,
    ),
    ALL,
    'blamed',
    expect.stringContaining('storage data2 failed there') as string,
  ],
  [
    'bridge',
    target({}, { values: { net1: 'virtio=BC:24:11:00:00:09,bridge=vmbr9' } }),
    ALL,
    'bridge',
    'bridge vmbr9 does not exist there',
  ],
  ['veto', target({}), ALL, 'veto', 'PVE says no'],
])('a target: %s', (name, world, yaml, code, reason) => {
  const vetoes = name === 'veto' ? [{ vmid: 101, target: 'pve2', reason: 'PVE says no' }] : [];
  const decision = plan(world, yaml, { vetoes });
  expect(moves(decision)).toEqual([]);
  const rejection = rejectionOf(decision, 101);
  expect(rejection?.targets).toEqual([{ code, reason, nodes: ['pve2'] }]);
});

describe('rules', () => {
  test('guests of one CPU model stay among their like', () => {
    const nodes = [
      { name: 'amd1', cpuModel: 'AMD EPYC 7302' },
      { name: 'amd2', cpuModel: 'AMD EPYC 7302', own: 20 },
      { name: 'intel1' },
    ];
    expect(moves(plan({ nodes, guests: fill('amd1', 101, 13) }))).toEqual(['101 amd1→amd2']);
  });

  test('pins, anti-affinity and affinity are mended, and only by those who break them', () => {
    const decision = plan(
      {
        nodes: three,
        guests: [
          { vmid: 101, node: 'pve1', name: 'gpu-1' },
          { vmid: 111, node: 'pve1', name: 'dc-1', gib: 8 },
          { vmid: 112, node: 'pve1', name: 'dc-2', gib: 2 },
          { vmid: 121, node: 'pve1', name: 'web-1', gib: 2 },
          { vmid: 122, node: 'pve2', name: 'web-2', gib: 8 },
        ],
      },
      `${ALL}
rules:
  pin: [{ name: gpu, names: [gpu-*], nodes: [pve3] }]
  anti_affinity: [{ name: dc, names: [dc-*] }]
  affinity: [{ name: web, names: [web-*] }]`,
    );
    expect(moves(decision)).toEqual(['101 pve1→pve3', '112 pve1→pve3', '121 pve1→pve2']);
    expect(decision.plan.balance.moves.map(({ reason }) => reason)).toEqual([
      'rule gpu keeps VM 101 on pve3',
      'rule dc keeps VM 112 apart from 111',
      'rule web keeps it with the others on pve2',
    ]);
  });

  test.each([
    [
      'together and apart, by names and by VMIDs',
      'affinity: [{ name: web, names: [vm101, vm102, vm103] }]\n  anti_affinity: [{ vmids: [101-102] }]',
      'rule web keeps together what rule anti_affinity[0] keeps apart',
      [101, 102, 103],
    ],
    [
      'together by way of a third, and apart',
      'affinity: [{ vmids: [101, 103] }, { vmids: [103, 102] }]\n  anti_affinity: [{ vmids: [101, 102] }]',
      'rules affinity[0], affinity[1] keep together what rule anti_affinity[0] keeps apart',
      [101, 102, 103],
    ],
    [
      'pins without a node in common',
      'pin: [{ names: [vm101], nodes: [pve3] }, { vmids: [101], nodes: [pve2] }]',
      'rule pin[0] allows pve3, rule pin[1] allows pve2 only',
      [101],
    ],
    [
      'together, pinned to different nodes',
      'affinity: [{ vmids: [101-103] }]\n  pin: [{ vmids: [101], nodes: [pve2] }, { vmids: [102], nodes: [pve3] }]',
      'rule affinity[0] keeps together what rules pin[0], pin[1] keep on different nodes',
      [101, 102, 103],
    ],
    [
      'apart, pinned to fewer nodes',
      'anti_affinity: [{ vmids: [101-103] }]\n  pin: [{ vmids: [101-102], nodes: [pve2] }]',
      'rule anti_affinity[0] keeps 2 guests apart, pins allow them pve2 only',
      [101, 102],
    ],
    [
      'pinned to where nothing may go',
      'pin: [{ vmids: [101], nodes: [pve2] }]\nexclude: { target: [pve2] }',
      'rule pin[0] allows pve2 only, where exclude.target lets nothing in',
      [101],
    ],
    [
      'pinned elsewhere, on a node that nothing may leave',
      'pin: [{ vmids: [101], nodes: [pve2] }]\nexclude: { source: [pve1] }',
      'rule pin[0] allows pve2 only, exclude.source lets nothing leave pve1',
      [101],
    ],
  ])(
    'that contradict each other are told, and leave alone whom they are about: %s',
    (_, rules, text, vmids) => {
      const crowd = { nodes: three, guests: fill('pve1', 101, 13) };
      const names = vmids.map((vmid) => `VM ${vmid} (vm${vmid})`).join(', ');
      for (const evacuated of [[], ['pve1']]) {
        const made = plan(crowd, `${ALL}\nrules:\n  ${rules}`, { evacuate: evacuated });
        expect(made.plan.warnings).toEqual([
          `rules of the configuration contradict each other: ${text}; left alone: ${names}`,
        ]);
        const moved = moves(made).map((move) => Number(move.split(' ')[0]));
        expect(moved.filter((vmid) => vmids.includes(vmid))).toEqual([]);
        expect(rejectionOf(made, vmids[0]!)?.code).toBe('contradiction');
      }
    },
  );

  test('that can all hold are no contradiction', () => {
    const yaml = `${ALL}
exclude: { target: [pve1], source: [pve3] }
rules:
  affinity: [{ vmids: [101-102] }]
  anti_affinity: [{ vmids: [102-103] }]
  pin: [{ vmids: [101-103], nodes: [pve1, pve2] }, { vmids: [101], nodes: [pve1] }]`;
    expect(plan({ nodes: three, guests: fill('pve1', 101, 3) }, yaml).plan.warnings).toEqual([]);
  });

  test('an affinity group moves as one', () => {
    const decision = plan(
      {
        nodes: three,
        guests: [...fill('pve1', 101, 2, { gib: 3 }), ...fill('pve1', 900, 1, { gib: 47, ha: true })],
      },
      `${ALL}\nrules: { affinity: [{ vmids: [101-102] }] }`,
    );
    expect(moves(decision)).toEqual(['101 pve1→pve2', '102 pve1→pve2']);
    expect(decision.plan.balance.moves[0]).toMatchObject({ unit: 'group', name: 'guests 101, 102' });
  });

  test('windows, blackout and no_move', () => {
    const busy = scene({});
    // 2026-03-02 is a Monday; 12:00 UTC is 15:00 in Moscow.
    const decide = (yaml: string): string =>
      plan(busy, `${ALL}\ntime_zone: Europe/Moscow\n${yaml}`).plan.balance.reason;
    expect(decide('blackout: [{ days: [mon], from: "14:00", to: "16:00" }]')).toBe(
      'nothing moves now: blackout (mon 14:00–16:00, Europe/Moscow)',
    );
    expect(decide('blackout: [{ days: [mon], from: "12:00", to: "15:00" }]')).toBe('1 migration planned');
    expect(decide('windows: [{ from: "22:00", to: "06:00" }]')).toBe(
      'nothing moves now: outside the windows (daily 22:00–06:00, Europe/Moscow)',
    );
    expect(decide('windows: [{ days: [sun], from: "22:00", to: "15:30" }]')).toBe('1 migration planned');
    expect(decide('blackout: [{ from: 2026-03-02, to: 2026-03-03 }]')).toContain(
      'blackout (2026-03-02 00:00 to',
    );
    const closed = plan(busy, `${ALL}\nblackout: [{ from: "00:00", to: "24:00" }]`);
    expect(closed.plan.balance.rejected.map(({ code }) => code)).toContain('blackout');
    expect(closed.plan.balance.rejected.map(({ code }) => code)).not.toContain('no-gain');
    const exam = standScene(
      [{ user: 'anna', vmids: [101], node: 'pve1', bridge: 'vmbr1000', guest: { gib: 8 } }],
      {
        nodes: three,
        guests: [{ vmid: 900, node: 'pve1', gib: 46 }],
      },
    );
    expect(stays(plan(exam, 'labs: { net-lab: { no_move: true } }'))).toEqual([
      '101 no-move: VM 101 (pc1) lab net-lab: no_move',
      '900 foreign: is not ours (`guests: all` moves it too)',
    ]);
  });

  test('unknown nodes in the configuration and a short history are said', () => {
    const have = inventory({ nodes: three, guests: [] });
    const yaml = 'exclude: { target: [pve9] }\nzfs_arc: { pve1: 10%, pve8: 10% }';
    const { plan: made } = decide({ ...have, historyFrom: { pve1: ago(30) } }, yaml);
    expect(made.warnings).toEqual([
      'the configuration names nodes that the cluster does not have: pve8, pve9',
      `history before ${ago(30)} is gone: older moves and failures are not known`,
    ]);
    expect(made.balance.historyGoneBefore).toBe(ago(30));
  });
});

describe('limits', () => {
  const nodes = [...three, { name: 'pve4' }];
  const guests = fill('pve1', 101, 15, { gib: 4 });

  test.each([
    ['per node', 'max_migrations_per_node: 1', ['101 pve1→pve2']],
    ['inflow', 'max_inflow_per_node: 1', ['101 pve1→pve2', '102 pve1→pve3', '103 pve1→pve4']],
    ['none', '{}', ['101 pve1→pve2', '102 pve1→pve3', '103 pve1→pve4']],
  ])('%s', (_, yaml, expected) => {
    expect(moves(plan({ nodes, guests }, yaml === '{}' ? ALL : `${ALL}\n${yaml}`))).toEqual(expected);
  });

  test('migrations of others count, and are taken as done', () => {
    const over = {
      migrations: [{ vmid: 101, from: 'pve1', to: 'pve2', start: ago(1), status: 'running' as const }],
    };
    const decision = plan({ nodes, guests, over }, `${ALL}\nmax_migrations: 2`);
    expect(moves(decision)).toEqual(['102 pve1→pve3']);
    expect(decision.plan.balance.inFlight).toEqual(over.migrations);
    expect(decision.plan.balance.deferred).toBe(1);
  });

  test('one under way of which nobody tells where to: every node keeps room for it, and its own is relieved', () => {
    const world = (to?: string): Scene => ({
      nodes: [{ name: 'pve1' }, { name: 'pve2', gib: 10 }, { name: 'pve3', gib: 10 }],
      guests: guests.slice(0, 14),
      over: {
        migrations: [
          { vmid: 101, from: 'pve1', start: ago(1), status: 'running', ...(to === undefined ? {} : { to }) },
        ],
      },
    });
    const known = plan(world('pve3'), `${ALL}\nmax_inflow_per_node: 9`);
    expect(moves(known)).toEqual(['102 pve1→pve2']);
    const unknown = plan(world(), `${ALL}\nmax_inflow_per_node: 9`);
    expect(moves(unknown)).toEqual([]);
    expect(rejectionOf(unknown, 102)?.targets?.map(({ reason }) => reason)).toEqual([
      'would be overloaded: memory 90 % > 80 % (with 101, under way and perhaps to it)',
    ]);
    const load = unknown.plan.balance.nodes.map(({ before }) => Math.round(before.memory * 64));
    expect(load[0]).toBe(53);
    // Its part of the inflow is taken everywhere.
    const roomy = { ...world(), nodes: three, guests };
    expect(moves(plan(roomy, `${ALL}\nmax_inflow_per_node: 2`))).toEqual(['102 pve1→pve2', '103 pve1→pve3']);
    expect(moves(plan(roomy, `${ALL}\nmax_inflow_per_node: 1`))).toEqual([]);
  });

  test('a stand larger than the limits moves when it is the first', () => {
    const stand = {
      user: 'anna',
      vmids: [101, 102, 103],
      node: 'pve1',
      bridge: 'vmbr1000',
      guest: { gib: 4 },
    };
    const decision = plan(
      standScene([stand], { nodes, guests: [{ vmid: 900, node: 'pve1', gib: 44 }] }),
      'max_migrations: 1\nmax_migrations_per_node: 1\nmax_inflow_per_node: 1',
    );
    expect(moves(decision)).toHaveLength(3);
  });

  test('a stand larger than any node: it stays and is named, and another relieves the node', () => {
    const large = {
      ...{ user: 'anna', vmids: [101, 102, 103], node: 'pve1', bridge: 'vmbr1000' },
      guest: { gib: 24, memoryUsed: 14 * GIB },
    };
    const small = { user: 'boris', vmids: [111], node: 'pve1', bridge: 'vmbr1001', guest: { gib: 12 } };
    const scene = standScene([large, small], { nodes: three, guests: [] });
    const words = 'guests would be promised 113 % of its memory (overcommit 100 %)';
    const relieved = plan(scene, '{}');
    expect(moves(relieved)).toEqual(['111 pve1→pve2']);
    const alone = standScene([large], { nodes: [{ name: 'pve1', own: 10 }, ...three.slice(1)], guests: [] });
    for (const evacuate of [[], ['pve1']]) {
      const made = plan(alone, '{}', { evacuate });
      expect(moves(made)).toEqual([]);
      expect(rejectionOf(made, 101)).toMatchObject({
        name: 'stand net-lab of anna@pve',
        code: 'no-target',
        targets: [{ code: 'overcommit', reason: words, nodes: ['pve2', 'pve3'] }],
      });
    }
  });
});

describe('what is not known', () => {
  test('a node without a load is neither relieved nor a target; a guest without one stays', () => {
    const blind = { loadUnknown: true, memoryTotal: 0, memoryUsed: 0 } as const;
    const nodes = [{ name: 'pve1' }, { name: 'pve2', ...blind }, { name: 'pve3' }];
    const guests = [...fill('pve1', 101, 15), ...fill('pve2', 201, 15)];
    const silent = guests.map((one) => (one.vmid === 101 ? { ...one, loadUnknown: true as const } : one));
    const made = plan({ nodes, guests: silent }, ALL);
    expect(moves(made).length).toBeGreaterThan(0);
    expect(moves(made).filter((move) => !/ pve1→pve3$/.test(move) || move.startsWith('101 '))).toEqual([]);
    expect(rejectionOf(made, 101)?.code).toBe('load-unknown');
    expect(made.plan.balance.nodes.find(({ node }) => node === 'pve2')?.overloaded).toEqual([]);
  });

  test('of a node whose network is not known nothing goes, and nothing comes', () => {
    const unread = { node: 'pve2', readable: false, bridges: [], pending: [] };
    const have = { nodes: three, guests: [...fill('pve1', 101, 15), ...fill('pve2', 201, 15)] };
    const networks = inventory(have).networks.map((one) => (one.node === 'pve2' ? unread : one));
    const made = plan({ ...have, over: { networks } }, ALL);
    expect(moves(made).filter((move) => !/ pve1→pve3$/.test(move))).toEqual([]);
    expect(rejectionOf(made, 201)?.code).toBe('network');
  });
});

describe('evacuate', () => {
  test('empties the node, the largest first, without portions', () => {
    const decision = plan(
      {
        nodes: three,
        guests: [
          ...fill('pve1', 101, 8, { gib: 2 }),
          { vmid: 109, node: 'pve1', gib: 8 },
          { vmid: 110, node: 'pve1', status: 'stopped' },
        ],
      },
      ALL,
      { evacuate: ['pve1'] },
    );
    expect(moves(decision)[0]).toBe('109 pve1→pve2');
    expect(moves(decision)).toHaveLength(10);
    expect(decision.plan.balance).toMatchObject({
      evacuate: ['pve1'],
      remaining: [],
      rejected: [],
      verdict: 'moves',
    });
  });

  test('what cannot go is named; nothing comes to the node', () => {
    const decision = plan(
      { nodes: three, guests: [{ vmid: 101, node: 'pve1', ha: true }, ...fill('pve2', 201, 14)] },
      ALL,
      { evacuate: ['pve1'] },
    );
    expect(moves(decision)).toEqual([]);
    expect(decision.plan.balance).toMatchObject({ verdict: 'no-beneficial-move', remaining: [101] });
    expect(stays(decision)).toEqual(['101 ha: is managed by HA (`ha: follow` moves it through HA)']);
    expect(() => plan({ nodes: three, guests: [] }, ALL, { evacuate: ['pve9'] })).toThrow(
      'the cluster has no node pve9',
    );
  });

  describe('of a node in maintenance, whose guests HA takes in vain to where their bridge is missing', () => {
    const nodes: readonly NodeSpec[] = [
      { name: 'pve1', maintenance: true },
      { name: 'pve2' },
      { name: 'pve3' },
    ];
    const anna = { user: 'anna', vmids: [10001, 10002], node: 'pve1', bridge: 'vmbr1000' };
    const vain = (vmid: number, to: string, bridge = 'vmbr1000') => ({
      ...{ vmid, from: 'pve1', to, bridge, blames: 'node' as const, by: 'ha' as const },
      ...{
        start: ago(2),
        end: ago(1),
        status: 'failed' as const,
        error: `bridge '${bridge}' does not exist`,
      },
    });
    /** HA tries again all the time, and has the guest locked for it. */
    const again = (vmid: number, to: string) => ({
      ...{ vmid, from: 'pve1', to, by: 'ha' as const, start: ago(0), status: 'running' as const },
    });
    const managed = (vmids: readonly number[], guest: object = {}): Scene => {
      const scene = standScene([anna], { nodes, guests: [{ vmid: 900, node: 'pve1', gib: 2 }] });
      const guests = scene.guests.map((one) =>
        vmids.includes(one.vmid) ? { ...one, ha: true, lock: 'migrate', ...guest } : one,
      );
      return { ...scene, guests };
    };
    const onVmbr7 = (scene: Scene): Scene => ({
      ...scene,
      bridges: { pve1: [standBridge('vmbr1000', 'anna'), localBridge('vmbr7')] },
      guests: scene.guests.map((one) =>
        one.ha === true
          ? { ...one, values: { ...one.values, net2: 'virtio=BC:24:11:00:00:07,bridge=vmbr7' } }
          : one,
      ),
    });
    const order = (scene: Scene, over: Partial<BalanceInventory>): BalanceDecision =>
      plan({ ...scene, over: { ...scene.over, ...over } }, '{}', { evacuate: ['pve1'] });

    test('the bridge is made there, the reload awaited, nothing sent to HA, the bridge here removed', () => {
      const migrations = [vain(10001, 'pve3'), vain(10002, 'pve3'), again(10002, 'pve3')];
      const tasks = [{ node: 'pve1', type: 'qmigrate', id: '10002' }];
      const decision = order(managed([10001, 10002]), { migrations, tasks });
      expect(ids(decision)).toEqual([
        'bridge.create:pve3/vmbr1000',
        'network.reload:pve3 < ~bridge.create:pve3/vmbr1000',
        'vm.migrate:10001 < bridge.create:pve3/vmbr1000 network.reload:pve3',
        'vm.migrate:10002 < bridge.create:pve3/vmbr1000 network.reload:pve3 vm.migrate:10001',
        'bridge.delete:pve1/vmbr1000 < vm.migrate:10001 vm.migrate:10002',
        'network.reload:pve1 < bridge.delete:pve1/vmbr1000',
      ]);
      const awaited = decision.plan.steps.flatMap((step) =>
        step.kind === 'vm.migrate' ? [[step.ha, step.awaited]] : [],
      );
      expect(awaited).toEqual([
        [true, true],
        [true, true],
      ]);
      expect(decision.plan.balance.moves[0]?.reason).toBe('pve1 is being emptied');
      expect(decision.plan.warnings).toContain(
        'vmbr1000 is missing on pve3, so that HA tries in vain to take 10001, 10002 there',
      );
    });

    test('those that HA does not have go along, after it', () => {
      const decision = order(managed([10002], { gib: 1 }), { migrations: [vain(10002, 'pve3')] });
      const steps = decision.plan.steps.flatMap((step) =>
        step.kind === 'vm.migrate' ? [[step.vmid, step.target, step.awaited]] : [],
      );
      expect(steps).toEqual([
        [10002, 'pve3', true],
        [10001, 'pve3', undefined],
      ]);
    });

    test.each<[string, Scene, Partial<BalanceInventory>, string]>([
      [
        'it takes them to several nodes',
        managed([10001, 10002]),
        { migrations: [vain(10001, 'pve2'), vain(10002, 'pve3')] },
        'HA takes it to pve',
      ],
      [
        'the bridge is none of ours',
        onVmbr7(managed([10001, 10002])),
        { migrations: [vain(10001, 'pve2', 'vmbr7'), vain(10002, 'pve2', 'vmbr7')] },
        'vmbr7',
      ],
      [
        'what waits to be applied there is not ours',
        managed([10001, 10002]),
        {
          migrations: [vain(10001, 'pve2'), vain(10002, 'pve2')],
          networks: inventory(managed([])).networks.map((one) => ({
            ...one,
            pending: [{ iface: 'vmbr5', change: 'added', ours: false, text: '+x' }],
          })),
        },
        'network changes that are not ours are staged there',
      ],
      ['it has not tried', managed([10001, 10002], { lock: '' }), {}, 'which takes it off pve1'],
      [
        'that was long ago',
        managed([10001, 10002], { lock: '' }),
        {
          migrations: [10001, 10002].map((vmid) => ({ ...vain(vmid, 'pve2'), end: ago(15), start: ago(16) })),
        },
        'which takes it off pve1',
      ],
    ])('nothing is made when %s', (_, scene, over, why) => {
      const decision = order(scene, over);
      expect(decision.plan.steps.filter(({ kind }) => kind === 'bridge.create')).toEqual([]);
      expect(decision.plan.balance.remaining).toEqual(expect.arrayContaining([10001, 10002]));
      expect(JSON.stringify(decision.plan.balance.rejected)).toContain(why);
    });
  });

  test('it does not wait for the cooldown, and does not send back', () => {
    const over = {
      migrations: [
        { vmid: 101, from: 'pve2', to: 'pve1', start: ago(9), end: ago(8), status: 'ok' as const },
      ],
    };
    expect(
      moves(plan({ nodes: three, guests: fill('pve1', 101, 1), over }, ALL, { evacuate: ['pve1'] })),
    ).toEqual(['101 pve1→pve3']);
  });
});

describe('stands', () => {
  const anna = { user: 'anna', vmids: [10001, 10002], node: 'pve1', bridge: 'vmbr1000' };
  const heavy = [{ vmid: 900, node: 'pve1', gib: 46 }];

  test('a bridge that is there already is changed under the comment that it has, and applied where that never was', () => {
    const [here, there] = [
      standBridge('vmbr1000', 'anna'),
      standBridge('vmbr1000', 'anna', '2026-02-01T08:00:00Z'),
    ];
    const scene = (source: BridgeInfo, over: object = {}): Scene => {
      const made = standScene([{ ...anna, bridgesOn: [] }], { nodes: three, guests: heavy });
      return { ...made, bridges: { pve1: [source], pve2: [there] }, over: { ...made.over, ...over } };
    };
    const update = plan(scene({ ...here, vlanAware: true }), '{}').plan.steps[0];
    expect(update).toMatchObject({
      kind: 'bridge.update',
      node: 'pve2',
      vlanAware: true,
      comment: there.comments,
    });
    const { networks } = inventory(scene(here));
    const pending = [{ iface: 'vmbr1000', change: 'changed' as const, ours: true, text: '+x' }];
    const staged = networks.map((one) => (one.node === 'pve2' ? { ...one, pending } : one));
    expect(ids(plan(scene(here), '{}'))).not.toContain('network.reload:pve2');
    expect(ids(plan(scene(here, { networks: staged }), '{}'))).toContain('network.reload:pve2');
  });

  test('a stand moves with its bridges', () => {
    const decision = plan(standScene([anna], { nodes: three, guests: heavy }), '{}');
    expect(ids(decision)).toEqual([
      'bridge.create:pve2/vmbr1000',
      'network.reload:pve2 < ~bridge.create:pve2/vmbr1000',
      'vm.migrate:10001 < bridge.create:pve2/vmbr1000 network.reload:pve2',
      'vm.migrate:10002 < bridge.create:pve2/vmbr1000 network.reload:pve2 vm.migrate:10001',
      'bridge.delete:pve1/vmbr1000 < vm.migrate:10001 vm.migrate:10002',
      'network.reload:pve1 < bridge.delete:pve1/vmbr1000',
    ]);
    expect(decision.plan.steps[0]).toMatchObject({
      user: 'anna@pve',
      vlanAware: false,
      comment: 'deploy-stand bridge=vmbr1000 lab=net-lab user=anna@pve net=hq since=2026-03-02T12:00:00Z',
    });
    expect(decision.plan.balance.moves[0]).toMatchObject({
      unit: 'stand',
      name: 'stand net-lab of anna@pve',
    });
    expect(decision.plan.stands).toMatchObject([
      {
        user: 'anna@pve',
        pool: 'anna',
        node: 'pve2',
        vms: [
          { vmid: 10001, node: 'pve2' },
          { vmid: 10002, node: 'pve2' },
        ],
        bridges: [{ node: 'pve2', iface: 'vmbr1000', alias: 'hq' }],
      },
    ]);
  });

  test('two stands: one reload per node; a node that gives and takes has two', () => {
    const boris = { ...anna, user: 'boris', vmids: [10011, 10012], bridge: 'vmbr1001' };
    const decision = plan(
      standScene([anna, boris], {
        nodes: [{ name: 'pve1' }, { name: 'pve2' }],
        guests: [{ vmid: 900, node: 'pve1', gib: 46 }],
      }),
      '{}',
    );
    expect(ids(decision).filter((id) => id.startsWith('network.reload'))).toEqual([
      'network.reload:pve2 < ~bridge.create:pve2/vmbr1000 ~bridge.create:pve2/vmbr1001',
      'network.reload:pve1 < ~bridge.delete:pve1/vmbr1000 ~bridge.delete:pve1/vmbr1001',
    ]);
  });

  test('no configuration read yet: it asks for it, and for the guests beside the bridge', () => {
    const full = inventory(standScene([anna], { nodes: three, guests: heavy }));
    const blind = { ...full, configs: [], bridgeUse: [], bridgeUseNodes: [] };
    const { needs } = decide(blind, '{}');
    expect(needs).toEqual({ configs: [10001, 10002], bridgeUse: ['pve1'] });
  });

  test('stuck on local linked clones', () => {
    const guest = { values: { scsi0: 'data:base-100-disk-0/vm-1-disk-0,size=8G' } };
    const decision = plan(
      standScene([{ ...anna, guest }], {
        nodes: three,
        guests: heavy,
        storages: [localStorage('pve1', 'data', 'zfspool')],
      }),
      '{}',
    );
    expect(moves(decision)).toEqual([]);
    expect(decision.plan.balance.stuck).toEqual([
      {
        lab: 'net-lab',
        user: 'anna@pve',
        nodes: ['pve1'],
        vmids: [10001, 10002],
        reason: 'VM 10001 (pc1) is a linked clone on local storage data (zfspool), which PVE cannot move',
      },
    ]);
  });

  test.each<[string, Partial<Scene>, Partial<BalanceInventory>, string]>([
    [
      'the number is taken',
      { bridges: { pve2: [standBridge('vmbr1000', 'zoe')] } },
      {},
      'vmbr1000 there cannot be used: it belongs to the stand of zoe@pve in lab net-lab (hq)',
    ],
    [
      'somebody gave the bridge there a port',
      { bridges: { pve2: [{ ...standBridge('vmbr1000', 'anna'), ports: ['eno9'] }] } },
      {},
      'vmbr1000 there cannot be used: somebody gave it the port eno9',
    ],
    ['the name is a vnet', {}, { vnets: [{ vnet: 'vmbr1000' }] }, 'vmbr1000 is a vnet there'],
  ])('a target: %s', (_, more, over, reason) => {
    const base = standScene([anna], { nodes: [{ name: 'pve1' }, { name: 'pve2' }], guests: heavy, ...more });
    const decision = decide({ ...inventory(base), ...over }, '{}');
    expect(rejectionOf(decision, 10001)?.targets).toMatchObject([{ code: 'bridge-taken', reason }]);
    expect(decision.plan.balance.stuck).toHaveLength(1);
  });

  test.each([
    ['another stand’s', 'zoe', 'bridge'],
    ['the stand’s own', 'anna', undefined],
  ])('a target where a bridge that only a snapshot names is %s', (_, user, code) => {
    const guest = { snapshotBridges: ['vmbr1007'] };
    const base = standScene([{ ...anna, guest }], {
      nodes: [{ name: 'pve1' }, { name: 'pve2' }],
      guests: heavy,
      bridges: { pve2: [standBridge('vmbr1007', user)] },
    });
    const targets = rejectionOf(decide(inventory(base), '{}'), 10001)?.targets;
    expect(targets?.[0]?.code).toBe(code);
    if (code !== undefined)
      expect(targets?.[0]?.reason).toBe(
        'VM 10001 (pc1): a snapshot names vmbr1007, which there belongs to the stand of zoe@pve in lab net-lab',
      );
  });

  test.each<[string, Readonly<Record<string, string>>, string, string]>([
    [
      'the MTU of a card',
      { net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0,mtu=9000' },
      'bridge',
      'bridge vmbr0 there has MTU 1500, the NIC 9000',
    ],
    ['the CPU type', { cpu: 'x86-64-v2-AES' }, 'tied', 'x86-64-v2-AES'],
  ])('a target that lacks %s; one that has it is taken', (_, values, code, reason) => {
    const cpus = (has: boolean) => ({
      cpuFlags: has ? ['aes', 'cx16', 'lahf_lm', 'popcnt', 'pni', 'ssse3', 'sse4_1', 'sse4_2'] : ['pni'],
    });
    const have = inventory({
      nodes: [
        { name: 'pve1', ...cpus(true) },
        { name: 'pve2', ...cpus(false) },
        { name: 'pve3', gib: 32, ...cpus(true) },
      ],
      guests: fill('pve1', 101, 4, { gib: 14, values }),
    });
    const networks = have.networks.map((network) => ({
      ...network,
      bridges: network.bridges.map((info) => ({ ...info, mtu: network.node === 'pve2' ? 1500 : 9000 })),
    }));
    expect(moves(decide({ ...have, networks }))).toEqual(['101 pve1→pve3']);
    const two = have.nodes.filter(({ name }) => name !== 'pve3');
    const targets = rejectionOf(decide({ ...have, networks, nodes: two }), 101)?.targets;
    expect(targets).toMatchObject([{ code, reason: expect.stringContaining(reason) as string }]);
  });

  test('foreign edits staged on the target', () => {
    const have = inventory(
      standScene([anna], { nodes: [{ name: 'pve1' }, { name: 'pve2' }], guests: heavy }),
    );
    const networks = have.networks.map((network) =>
      network.node === 'pve2'
        ? { ...network, pending: [{ iface: 'vmbr7', change: 'added' as const, ours: false, text: '' }] }
        : network,
    );
    const decision = decide({ ...have, networks }, '{}');
    expect(rejectionOf(decision, 10001)?.targets?.[0]!.reason).toBe(
      'network changes that are not ours are staged there (vmbr7)',
    );
  });

  test('a foreign guest on the bridge of a stand holds it', () => {
    const decision = plan(
      standScene([anna], {
        nodes: three,
        guests: [
          ...heavy,
          { vmid: 800, node: 'pve1', values: { net1: 'virtio=BC:24:11:00:00:05,bridge=vmbr1000' } },
        ],
      }),
      '{}',
    );
    expect(stays(decision)[0]).toBe(
      '800+10001+10002 foreign: VM 800 (vm800) is not ours (`guests: all` moves it too)',
    );
  });

  test('half-moved: the one whose last move failed stays, the others come back', () => {
    const torn = {
      ...anna,
      vmids: [10001, 10002, 10003],
      node: ['pve2', 'pve2', 'pve1'],
      bridgesOn: ['pve1', 'pve2'],
    };
    const over = {
      migrations: [
        { vmid: 10001, from: 'pve1', to: 'pve2', start: ago(9), end: ago(8), status: 'ok' as const },
        { vmid: 10002, from: 'pve1', to: 'pve2', start: ago(8), end: ago(7), status: 'ok' as const },
        { vmid: 10003, from: 'pve1', to: 'pve2', start: ago(7), end: ago(6), status: 'failed' as const },
      ],
    };
    const base = standScene([torn], { nodes: three, guests: [] });
    const decision = decide({ ...inventory(base), ...over }, '{}');
    expect(ids(decision)).toEqual([
      'vm.migrate:10001',
      'vm.migrate:10002 < vm.migrate:10001',
      'bridge.delete:pve2/vmbr1000 < vm.migrate:10001 vm.migrate:10002',
      'network.reload:pve2 < bridge.delete:pve2/vmbr1000',
    ]);
    expect(moves(decision)).toEqual(['10001 pve2→pve1', '10002 pve2→pve1']);
    expect(decision.plan.balance.moves[0]).toMatchObject({
      why: 'half-moved',
      reason: 'its machines are on pve1 and pve2, which cuts its networks',
    });
  });

  test.each<[string, Partial<BridgeInfo>, Partial<BalanceInventory>, string]>([
    ['somebody gave it an address', { addresses: ['10.1.0.1/24'] }, {}, 'the address 10.1.0.1/24 on it'],
    ['a VLAN is built on it', { above: ['vmbr1000.5'] }, {}, 'vmbr1000.5 is built on it'],
    ['guests may be hidden', {}, { hidden: { guests: true } }, 'who lacks VM.Audit on /vms'],
  ])('the bridge on the source stays: %s', (_, more, over, says) => {
    const moved = { ...anna, bridgesOn: ['pve1', 'pve2'] };
    const have = inventory(standScene([moved], { nodes: three, guests: [] }));
    const networks = have.networks.map((network) => ({
      ...network,
      bridges: network.bridges.map((info) =>
        network.node === 'pve2' && info.iface === 'vmbr1000' ? { ...info, ...more } : info,
      ),
    }));
    const { plan: made } = decide({ ...have, networks, ...over }, '{}');
    expect(made.steps).toEqual([]);
    expect(made.warnings).toEqual([expect.stringMatching(/^bridge vmbr1000 on pve2 stays: .*/)]);
    expect(made.warnings[0]).toContain(says);
  });

  test('half-moved with no way back: the failed one is tried again', () => {
    const torn = { ...anna, node: ['pve2', 'pve1'], bridgesOn: ['pve1', 'pve2'] };
    const base = standScene([torn], { nodes: [{ name: 'pve1', own: 60 }, { name: 'pve2' }], guests: [] });
    const migrations = [
      { vmid: 10002, from: 'pve1', to: 'pve2', start: ago(7), end: ago(6), status: 'failed' as const },
    ];
    expect(moves(decide({ ...inventory(base), migrations }, '{}'))).toEqual(['10002 pve1→pve2']);
  });

  test.each([
    ['back to it, above the limits as before', 60, [8, 6], '10001 pve2→pve1'],
    ['not where the memory is used up', 64, [8, 6], '10002 pve1→pve2'],
    ['the first failure is long ago', 60, [60 * 30, 6], '10002 pve1→pve2'],
  ])('half-moved, and the failed one failed again: %s', (_, own, ends, move) => {
    const torn = { ...anna, node: ['pve2', 'pve1'], bridgesOn: ['pve1', 'pve2'] };
    const base = standScene([torn], {
      nodes: [{ name: 'pve1', own, gib: 70 }, { name: 'pve2' }],
      guests: [],
    });
    const migrations = ends.map((end) => ({
      ...{ vmid: 10002, from: 'pve1', to: 'pve2', start: ago(end + 1), end: ago(end) },
      status: 'failed' as const,
    }));
    const decision = decide({ ...inventory(base), migrations }, '{}');
    expect(moves(decision)).toEqual([move]);
    expect(decision.plan.balance.rejected).toEqual([]);
  });

  test('half-moved and stuck: the report says what is where', () => {
    const torn = { ...anna, node: ['pve2', 'pve1'], bridgesOn: ['pve1', 'pve2'], guest: { lock: 'backup' } };
    const { plan: made } = plan(standScene([torn], { nodes: three, guests: [] }), '{}');
    expect(made.steps).toEqual([]);
    expect(made.balance.verdict).toBe('no-beneficial-move');
    expect(made.balance.stuck).toMatchObject([
      {
        user: 'anna@pve',
        nodes: ['pve1', 'pve2'],
        reason:
          "its machines are on pve1 and pve2, and cannot be put together: to pve1: VM 10001 (pc1) is locked (backup): no task of it is to be seen on pve2; unless somebody else's holds it, as root on pve2: `qm unlock 10001`",
      },
    ]);
  });

  test('bridges that a killed run left are removed, young ones are not', () => {
    const settled = { ...anna, bridgesOn: ['pve1', 'pve2', 'pve3'] };
    const have = inventory(standScene([settled], { nodes: three, guests: [] }));
    const networks = have.networks.map((network) =>
      network.node === 'pve3'
        ? { ...network, bridges: [...network.bridges.slice(0, 1), standBridge('vmbr1000', 'anna', ago(10))] }
        : network,
    );
    expect(ids(decide({ ...have, networks }, '{}'))).toEqual([
      'bridge.delete:pve2/vmbr1000',
      'network.reload:pve2 < bridge.delete:pve2/vmbr1000',
    ]);
  });

  test('guests on a simple vnet, or on a bridge without port, go together', () => {
    const nic = (bridge: string): Partial<GuestSpec> => ({
      gib: 4,
      values: { net0: `virtio=BC:24:11:00:00:05,bridge=${bridge}` },
    });
    const on = (bridge: string): Scene => ({
      nodes: three,
      guests: [...fill('pve1', 101, 2, nic(bridge)), ...fill('pve1', 900, 1, { gib: 46, ha: true })],
    });
    const decide2 = (bridge: string, over: Partial<BalanceInventory>): string[] =>
      moves(decide({ ...inventory(on(bridge)), ...over }));
    expect(decide2('simple1', { vnets: [{ vnet: 'simple1', zoneType: 'simple' }] })).toEqual([
      '101 pve1→pve2',
      '102 pve1→pve2',
    ]);
    const bridged = (address?: string): string[] => {
      const bridge = { ...localBridge('vmbr7'), addresses: address === undefined ? [] : [address] };
      return moves(plan({ ...on('vmbr7'), bridges: { pve1: [bridge], pve2: [bridge], pve3: [bridge] } }));
    };
    expect(bridged()).toEqual(['101 pve1→pve2', '102 pve1→pve2']);
    // Behind an address of the host the host routes: every node has such a bridge.
    expect(bridged('10.0.0.1/24')).toEqual(['101 pve1→pve2']);
    expect(decide2('vx1', { vnets: [{ vnet: 'vx1', zoneType: 'vxlan' }] })).toEqual(['101 pve1→pve2']);
    expect(decide2('vx1', { vnets: [{ vnet: 'vx1', zoneType: 'vxlan', nodes: ['pve1', 'pve3'] }] })).toEqual([
      '101 pve1→pve3',
    ]);
    expect(decide2('vx1', { vnets: [{ vnet: 'vx1', zoneType: 'vxlan', down: { pve2: 'error' } }] })).toEqual([
      '101 pve1→pve3',
    ]);
  });
});

test('what goes onto a node waits for what leaves it', () => {
  // pve2 is only a target once its large guest is gone.
  const decision = plan({
    nodes: [{ name: 'pve1' }, { name: 'pve2', own: 3 }, { name: 'pve3', gib: 96 }],
    guests: [
      ...fill('pve1', 101, 2, { gib: 26 }),
      { vmid: 201, node: 'pve2', gib: 50, threads: 2 },
      { vmid: 202, node: 'pve2', gib: 2, ha: true },
    ],
  });
  expect(moves(decision)).toEqual(['201 pve2→pve3', '101 pve1→pve2']);
  expect(ids(decision)[1]).toBe('vm.migrate:101 < vm.migrate:201');
});

describe('node-local storages of different names', () => {
  const disks = (vmid: number): Partial<GuestSpec> => ({
    values: { scsi0: `data1:vm-${vmid}-disk-0,size=8G`, scsi1: 'ceph:vm-1-disk-0,size=4G' },
  });

  test.each<[string, Record<string, number>, string, string]>([
    ['the only one of its type', { data2: 500 }, ALL, 'data2'],
    ['the only one with room', { data2: 5, data3: 8 }, ALL, 'data3'],
    ['what storage_map names', { data2: 500, data3: 500 }, `${ALL}\nstorage_map: { data1: data3 }`, 'data3'],
    [
      'the first of those that has room',
      { data2: 5, data3: 500, data4: 500 },
      `${ALL}\nstorage_map: { data1: [data9, data2, data4, data3] }`,
      'data4',
    ],
  ])('%s is taken, and shared disks stay', (_, there, yaml, to) => {
    const decision = plan(target({ storages: nodeLocal(there) }, disks(101)), yaml);
    const storageMap = { data1: to };
    expect(decision.plan.steps).toMatchObject([{ kind: 'vm.migrate', withLocalDisks: true, storageMap }]);
    expect(decision.plan.balance.moves[0]?.guests).toMatchObject([{ vmid: 101, storageMap }]);
  });

  test('thick and thin LVM write the same stream, but only storage_map takes one for the other', () => {
    const world = target({ storages: nodeLocal({ data2: 500 }, 'lvm') }, disks(101));
    expect(moves(plan(world, ALL))).toEqual([]);
    expect(moves(plan(world, `${ALL}\nstorage_map: { data1: data2 }`))).toEqual(['101 pve1→pve2']);
  });

  test('a caller who may not leaves it where nobody wrote it, and is told', () => {
    const world = target({ storages: nodeLocal({ data2: 500 }) }, disks(101));
    const rights = { '/': { 'VM.Migrate': true, 'VM.Config.Disk': true } };
    const caller = { ...world, over: { ...world.over, rights } };
    expect(rejectionOf(plan(caller, ALL), 101)?.targets).toMatchObject([
      {
        code: 'storage',
        reason:
          'storage data1 is not available there; data2 could take it, for which the caller lacks Datastore.AllocateSpace on /storage/data2',
      },
    ]);
    // What is written is wanted: preflight names the rights.
    expect(moves(plan(caller, `${ALL}\nstorage_map: { data1: data2 }`))).toEqual(['101 pve1→pve2']);
  });

  test('where the storage of the same name is there, nothing else is asked for', () => {
    const storages = [...nodeLocal({ data2: 500 }), localStorage('pve2', 'data1', 'lvmthin')];
    const { plan: made } = plan(target({ storages }, disks(101)), `${ALL}\nstorage_map: { data1: data2 }`);
    expect(made.steps).toHaveLength(1);
    expect(made.steps[0]).not.toHaveProperty('storageMap');
    expect(made.balance.moves[0]?.guests[0]).not.toHaveProperty('storageMap');
  });

  test('what moves before takes its room there, under the name that it has there', () => {
    const evacuated = (free: number): BalanceDecision => {
      const guests = [101, 102].map((vmid) => ({ vmid, node: 'pve1', gib: 4, ...disks(vmid) }));
      const nodes = [{ name: 'pve1' }, { name: 'pve2' }];
      return plan({ nodes, guests, storages: nodeLocal({ data2: free }) }, ALL, { evacuate: ['pve1'] });
    };
    expect(moves(evacuated(16))).toHaveLength(2);
    const decision = evacuated(15);
    expect(moves(decision)).toEqual(['101 pve1→pve2']);
    expect(rejectionOf(decision, 102)?.targets).toEqual([
      {
        code: 'storage',
        reason: 'storage data2 there has 7.0 GiB free, 8.0 GiB are needed',
        nodes: ['pve2'],
      },
    ]);
  });
});

describe('containers', () => {
  const windows = `windows: [{ from: '00:00', to: '24:00' }]`;
  const fleet = (spec: Partial<GuestSpec>): Scene => ({
    nodes: [{ name: 'pve1' }, { name: 'pve2' }],
    guests: [
      { vmid: 101, node: 'pve1', gib: 12, type: 'lxc', values: { rootfs: 'ceph:vm-101-disk-0,size=8G' } },
      ...fill('pve1', 201, 2, { gib: 22, ...spec }),
    ],
  });

  test('a VM moves live where that does, however large; else the container is restarted', () => {
    expect(moves(plan(fleet({}), `${ALL}\ncontainers: restart\n${windows}`))).toEqual(['201 pve1→pve2']);
    const decision = plan(fleet({ lock: 'backup' }), `${ALL}\ncontainers: restart\n${windows}`);
    expect(moves(decision)).toEqual(['101 pve1→pve2']);
    const [step] = decision.plan.steps;
    expect(step).toMatchObject({ online: false, withLocalDisks: false, container: { restart: true } });
    const [move] = decision.plan.balance.moves;
    // Its memory stays behind, and its disk is on both nodes.
    expect(move).toMatchObject({ bytes: 0, guests: [{ vmid: 101, restarts: true }] });
  });

  test('outside the windows nobody is restarted', () => {
    const closed = `windows: [{ from: '02:00', to: '03:00' }]`;
    expect(moves(plan(fleet({ lock: 'backup' }), `${ALL}\ncontainers: restart\n${closed}`))).toEqual([]);
  });
});
