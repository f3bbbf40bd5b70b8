import { describe, expect, test } from 'vitest';
import { PlanRefusedError } from '../../../src/lib/errors.ts';
import type { Lab, User } from '../../../src/lib/config/types.ts';
import type { Inventory } from '../../../src/lib/inventory/types.ts';
import { formatReplicaMark, formatReplicaPool, REPLICA_POOL } from '../../../src/lib/marks/replica.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import {
  alias,
  applied,
  bridge,
  claimOf,
  guest,
  have,
  lab,
  machine,
  plan,
  real,
  template,
  user,
} from '../builders.ts';

const GIB = 2 ** 30;

const students = (count: number): User[] => Array.from({ length: count }, (_, i) => user(`s${i + 1}`));
/** 8 GiB per stand; two nodes of 128 GiB with 16 GiB in use: 115.2 GiB may be promised, room for 12 on each. */
const big = lab([machine('pc', [real('vmbr0')], { memory: 8192 })]);

function placed(want: Lab, placement: Partial<Lab['placement']>): Lab {
  return { ...want, placement: { ...want.placement, ...placement } };
}

function refusal(want: Lab, users: readonly User[], snapshot: Inventory = have()): PlanRefusedError {
  try {
    plan(want, users, snapshot);
  } catch (error) {
    if (error instanceof PlanRefusedError) return error;
    throw error;
  }
  throw new Error('the plan was not refused');
}

function leftOut(result: Plan): string[] {
  return result.stands.filter((stand) => stand.refused?.code === 'NO_CAPACITY').map((stand) => stand.user);
}

function perNode(result: Plan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { node } of result.stands) if (node !== undefined) counts[node] = (counts[node] ?? 0) + 1;
  return counts;
}

interface Case {
  readonly name: string;
  readonly want: Lab;
  readonly users: number;
  readonly snapshot?: Inventory;
  readonly message: string[];
  /** Numbers of the students who get no stand with --fit. */
  readonly out: number[];
}

const fullClone = { fullClone: true, memory: 512 };
const storage = (node: string, name: string, total: number, used: number, shared: boolean) => ({
  node,
  storage: name,
  type: shared ? 'rbd' : 'lvm',
  shared,
  active: true,
  content: ['images'],
  total: total * GIB,
  used: used * GIB,
});
const bridges = (count: number) => Array.from({ length: count }, (_, i) => bridge(`vmbr${1000 + i}`));
const onBridges = (own: number) =>
  have({
    networks: have().networks.map((network) => ({
      ...network,
      bridges: [...network.bridges, ...bridges(own)],
    })),
  });

/** Template 101 is on thick LVM of pve1; pve2 has this much left. */
const replicated = (left: number, more: Partial<Inventory> = {}) =>
  have({
    storages: [storage('pve1', 'thick', 100, 0, false), storage('pve2', 'thick', 100, 100 - left, false)],
    templates: [template(101, 'thick')],
    ...more,
  });

const cases: Case[] = [
  {
    name: 'memory',
    want: big,
    users: 26,
    message: [
      'fits 24 of 26 stands: memory on pve1, pve2 is full; s25@pve, s26@pve would not fit',
      '  memory on pve1: 115.2 of 128.0 GiB are for guests, 16.0 taken before, 96.0 by what fits; the next needs 8.0',
      '  memory on pve2: 115.2 of 128.0 GiB are for guests, 16.0 taken before, 96.0 by what fits; the next needs 8.0',
    ],
    out: [25, 26],
  },
  {
    name: 'memory, with a reserve of the lab: 128 − 56 − 16 GiB are room for 7',
    want: placed(big, { nodes: ['pve2'], reserve: { memory: { kind: 'absolute', value: 56 * 1024 } } }),
    users: 10,
    message: [
      'fits 7 of 10 stands: memory on pve2 is full; s8@pve–s10@pve would not fit',
      '  memory on pve2: 72.0 of 128.0 GiB are for guests, 16.0 taken before, 56.0 by what fits; the next needs 8.0',
    ],
    out: [8, 9, 10],
  },
  {
    name: 'shared storage, full clones: 8 GiB each, 20 GiB left',
    want: lab([machine('pc', [real('vmbr0')], fullClone)]),
    users: 3,
    snapshot: have({ storages: ['pve1', 'pve2'].map((node) => storage(node, 'ceph', 100, 80, true)) }),
    message: [
      'fits 2 of 3 stands: storage ceph is full; s3@pve would not fit',
      '  storage ceph: 100.0 GiB, 80.0 used before, 16.0 by what fits; the next needs 8.0 (its disks are thin: how much the present ones may still grow is not known to the API)',
    ],
    out: [3],
  },
  {
    name: 'shared storage, linked clones: 25 % of 8 GiB each, 5 GiB left',
    want: placed(lab([machine('pc', [real('vmbr0')], { memory: 512 })]), { linkedGrowth: 25 }),
    users: 3,
    snapshot: have({ storages: ['pve1', 'pve2'].map((node) => storage(node, 'ceph', 100, 95, true)) }),
    message: [
      'fits 2 of 3 stands: storage ceph is full; s3@pve would not fit',
      '  storage ceph: 100.0 GiB, 95.0 used before, 4.0 by what fits; the next needs 2.0 (its disks are thin: how much the present ones may still grow is not known to the API)',
    ],
    out: [3],
  },
  {
    name: "a node's own storage",
    want: lab([machine('pc', [real('vmbr0')], fullClone)]),
    users: 2,
    snapshot: have({
      storages: ['pve1', 'pve2'].map((node) => storage(node, 'thick', 100, 91, false)),
      templates: [template(101, 'thick')],
    }),
    message: [
      'fits 1 of 2 stands: storage thick on pve1, pve2 is full; s2@pve would not fit',
      '  storage thick on pve1: 100.0 GiB, 91.0 used before, 8.0 by what fits; the next needs 8.0',
      '  storage thick on pve2: 100.0 GiB, 91.0 used before, 0.0 by what fits; the next needs 16.0, 8.0 of it for a replica',
    ],
    out: [2],
  },
  {
    name: 'a replica and full clones of it: 32 GiB left, 8 for the one, 8 for each of the others',
    want: placed(lab([machine('pc', [real('vmbr0')], fullClone)]), { nodes: ['pve2'] }),
    users: 4,
    snapshot: replicated(32),
    message: [
      'fits 3 of 4 stands: storage thick on pve2 is full; s4@pve would not fit',
      '  storage thick on pve2: 100.0 GiB, 68.0 used before, 32.0 by what fits; the next needs 8.0',
    ],
    out: [4],
  },
  {
    name: 'two machines of one template wait for one replica',
    want: placed(lab(['a', 'b'].map((name) => machine(name, [real('vmbr0')], fullClone))), {
      nodes: ['pve2'],
    }),
    users: 2,
    snapshot: replicated(24),
    message: [
      'fits 1 of 2 stands: storage thick on pve2 is full; s2@pve would not fit',
      '  storage thick on pve2: 100.0 GiB, 76.0 used before, 24.0 by what fits; the next needs 16.0',
    ],
    out: [2],
  },
  {
    name: 'a replica on a storage of another name, where the full clones go, too',
    want: placed(lab([machine('pc', [real('vmbr0')], fullClone)]), { nodes: ['pve2'] }),
    users: 2,
    snapshot: have({
      storages: [storage('pve1', 'thick', 100, 0, false), storage('pve2', 'other', 100, 80, false)],
      templates: [template(101, 'thick')],
    }),
    message: [
      'fits 1 of 2 stands: storage other on pve2 is full; s2@pve would not fit',
      '  storage other on pve2: 100.0 GiB, 80.0 used before, 16.0 by what fits; the next needs 8.0',
    ],
    out: [2],
  },
  {
    name: "full clones on the lab's storage, their replica where the template is",
    want: placed(lab([machine('pc', [real('vmbr0')], { ...fullClone, storage: 'thick' })]), {
      nodes: ['pve2'],
    }),
    users: 3,
    snapshot: have({
      storages: ['pve1', 'pve2'].flatMap((node) => [
        storage(node, 'thick', 100, 80, false),
        storage(node, 'ceph', 100, 92, true),
      ]),
    }),
    message: [
      'fits 2 of 3 stands: storage thick on pve2 is full; s3@pve would not fit',
      '  storage thick on pve2: 100.0 GiB, 80.0 used before, 16.0 by what fits; the next needs 8.0',
    ],
    out: [3],
  },
  {
    name: 'VMIDs: one of three is for the replica',
    want: placed(
      lab([machine('pc', [real('vmbr0')], fullClone)], { vmidRange: { first: 10000, last: 10002 } }),
      {
        nodes: ['pve2'],
      },
    ),
    users: 3,
    snapshot: replicated(90),
    message: [
      'fits 2 of 3 stands: VMIDs 10000–10002 are used up; s3@pve would not fit',
      '  3 VMIDs were free, what fits takes 3; the next needs 1',
    ],
    out: [3],
  },
  {
    name: 'VMIDs: two machines each, five ids',
    want: lab([machine('a', [real('vmbr0')]), machine('b', [real('vmbr0')])], {
      vmidRange: { first: 10000, last: 10004 },
    }),
    users: 4,
    message: [
      'fits 2 of 4 stands: VMIDs 10000–10004 are used up; s3@pve, s4@pve would not fit',
      '  5 VMIDs were free, what fits takes 4; the next needs 2',
    ],
    out: [3, 4],
  },
  {
    name: 'bridge numbers: two each, three left on each node',
    want: lab([machine('pc', [alias('a'), alias('b')])]),
    users: 3,
    snapshot: onBridges(3095 - 3),
    message: [
      'fits 2 of 3 stands: bridge numbers on pve1, pve2 are used up; s3@pve would not fit',
      '  bridge numbers on pve1: 3 were free, what fits takes 2; the next needs 2',
      '  bridge numbers on pve2: 3 were free, what fits takes 2; the next needs 2',
    ],
    out: [3],
  },
  {
    name: 'ports of a shared bridge: 32 NICs each, one port is the uplink',
    want: placed(
      lab(
        [
          machine(
            'pc',
            Array.from({ length: 32 }, () => real('vmbr0')),
            { memory: 16 },
          ),
        ],
        {},
      ),
      { nodes: ['pve2'] },
    ),
    users: 32,
    message: [
      'fits 31 of 32 stands: vmbr0 on pve2 has no port left; s32@pve would not fit',
      '  ports of vmbr0 on pve2: 1023, 1 are known to be taken, what fits takes 992; the next needs 32',
    ],
    out: [32],
  },
  {
    name: 'stands per node, one of another lab among them',
    want: placed(lab([machine('pc', [real('vmbr0')])]), { maxStandsPerNode: 2 }),
    users: 4,
    snapshot: have({ pools: [{ pool: 'x', comment: claimOf('x@pve', [900], 'other', 'pve1') }] }),
    message: [
      'fits 3 of 4 stands: max_stands_per_node (2) on pve1, pve2 is reached; s4@pve would not fit',
      '  stands on pve1: 2 may be there, 1 are, what fits adds 1',
      '  stands on pve2: 2 may be there, 0 are, what fits adds 2',
    ],
    out: [4],
  },
];

describe('what does not fit', () => {
  test.each(cases)('$name', ({ want, users, snapshot = have(), message, out }) => {
    const error = refusal(want, students(users), snapshot);
    expect([error.code, error.exitCode]).toEqual(['NO_CAPACITY', 3]);
    expect(error.message.split('\n')).toEqual(message);
    expect(error.hint).toMatch(/^--fit deploys what fits; to have room for all: /);
    const fitting = plan(want, students(users), snapshot, { fit: true });
    expect(leftOut(fitting)).toEqual(out.map((number) => `s${number}@pve`));
    expect(fitting.warnings.join('\n')).toContain(message[0]);
    for (const step of fitting.steps) expect(leftOut(fitting)).not.toContain(step.user);
    expect(leftOut(plan(want, students(users - out.length), snapshot))).toEqual([]);
  });

  test('smart leaves out the same', () => {
    for (const { want, users, snapshot = have(), out } of cases) {
      const smart = placed(want, { strategy: 'smart' });
      const result = plan(smart, students(users), snapshot, { fit: true });
      expect(leftOut(result)).toHaveLength(out.length);
    }
  });

  test('nothing at all: refused, also with --fit', () => {
    const huge = lab([machine('pc', [real('vmbr0')], { memory: 200 * 1024 })]);
    expect(() => plan(huge, students(2), have(), { fit: true })).toThrow('no room for the stand of s1@pve');
  });
});

describe('what counts as taken', () => {
  const room = (snapshot: Inventory, want = big) =>
    24 - leftOut(plan(want, students(26), snapshot, { fit: true })).length + 2;

  test('a finished class asks for nothing, however full its nodes are', () => {
    const done = applied(big, plan(big, students(24)));
    const guests = done.guests.map((one) => ({ ...one, memory: 8 * GIB }));
    expect(plan(big, students(24), { ...done, guests }).steps).toEqual([]);
  });

  test('stopped VMs of the lab count, as their students will start them; the 25th does not fit beside them', () => {
    const done = applied(big, plan(big, students(24)));
    const guests = done.guests.map((one) => (one.template ? one : { ...one, memory: 8 * GIB }));
    const error = refusal(big, students(25), { ...done, guests });
    expect(error.message).toContain('fits 24 of 25 stands: memory on pve1, pve2 is full; s25@pve would');
    expect(error.message).toContain('112.0 taken before, 0.0 by what fits; the next needs 8.0');
  });

  test.each([
    ['running guests by what they may use', [guest(500, { memory: 40 * GIB })], 24 - 3],
    ['paused ones too', [guest(500, { memory: 40 * GIB, status: 'paused' })], 24 - 3],
    ['stopped ones of others do not', [guest(500, { memory: 40 * GIB, status: 'stopped' })], 24],
    ['less than the node uses already changes nothing', [guest(500, { memory: 10 * GIB })], 24],
  ])('%s', (_, guests, expected) => {
    expect(room(have({ guests: [...have().guests, ...guests] }))).toBe(expected);
  });

  test.each([
    ['claims of a run under way', '2026-11-21T07:30:00Z', 22],
    ['an old claim without its VMs does not', '2026-11-20T07:30:00Z', 24],
  ])('%s', (_, since, expected) => {
    const comment = claimOf('x@pve', [900, 901], 'other').replace(/since=\S+/, `since=${since}`);
    expect(room(have({ pools: [{ pool: 'x', comment }] }))).toBe(expected);
  });

  test('overcommit of memory makes room: 1.5 × 128 − 12.8 − 16 GiB are 20 on each node', () => {
    const want = placed(big, { overcommit: { memory: 1.5 } });
    expect(leftOut(plan(want, students(41), have(), { fit: true }))).toEqual(['s41@pve']);
  });

  test('a node whose size is hidden is not limited', () => {
    const nodes = have().nodes.map((node) => ({ ...node, memoryTotal: 0 }));
    expect(perNode(plan(big, students(60), have({ nodes })))).toEqual({ pve1: 30, pve2: 30 });
  });
});

describe('replicas', () => {
  const want = placed(lab([machine('pc', [real('vmbr0')], fullClone)]), { nodes: ['pve2'] });
  const fitting = (snapshot: Inventory) =>
    9 - leftOut(plan(want, students(9), snapshot, { fit: true })).length;
  const replica = (node: string, values: Readonly<Record<string, string>>): Partial<Inventory> => ({
    guests: [...have().guests, guest(10999, { node, status: 'stopped', pool: REPLICA_POOL })],
    pools: [
      {
        pool: REPLICA_POOL,
        comment: formatReplicaPool({
          claims: [
            {
              ...{ source: 101, node: 'pve2', vmid: 10999, since: '2026-11-21T07:00:00Z' },
              ...{ state: 'made', seals: [] },
            },
          ],
          others: [],
        }),
      },
    ],
    vms: [
      {
        vmid: 10999,
        node,
        digest: 'd',
        values: {
          description: formatReplicaMark({ source: 101, digest: 'digest-101', vmid: 10999 }),
          scsi0: 'thick:base-10999-disk-0,size=8G',
          ...values,
        },
      },
    ],
  });

  test.each([
    ['to be made', replicated(32), 3],
    ['ready', replicated(32, replica('pve2', { template: '1' })), 4],
    ['not converted yet', replicated(32, replica('pve2', {})), 4],
    ['not moved yet', replicated(32, replica('pve1', {})), 3],
    [
      'of the template as it was',
      replicated(32, {
        ...replica('pve2', { template: '1' }),
        templates: [{ ...template(101, 'thick'), digest: 'new' }],
      }),
      3,
    ],
  ])('%s', (_, snapshot, fits) => {
    expect(fitting(snapshot)).toBe(fits);
  });

  test('the copy passes through the storage of its template', () => {
    const storages = replicated(90).storages.map((row) =>
      row.node === 'pve1' ? { ...row, used: 95 * GIB } : row,
    );
    expect(refusal(want, students(1), replicated(90, { storages })).message.split('\n')).toEqual([
      'fits 0 of 1 stand: storage thick on pve1 is full; s1@pve would not fit',
      '  storage thick on pve1: 100.0 GiB, 95.0 used before, 0.0 by what fits; the next needs 8.0, 8.0 of it for a replica',
    ]);
  });

  test('smart moves no stand to a node for which a replica would be one too many', () => {
    const smart = placed(lab([machine('pc', [real('vmbr0')], fullClone)]), { strategy: 'smart' });
    expect(perNode(plan(smart, students(3), replicated(15)))).toEqual({ pve1: 3 });
    // 24 GiB and one copy on its way; one replica, one stand and 10 GiB of others.
    expect(perNode(plan(smart, students(4), replicated(90)))).toEqual({ pve1: 3, pve2: 1 });
  });
});

test('balanced passes over a node without room, and each stand has its reason', () => {
  const guests = [...have().guests, guest(500, { memory: 110 * GIB })];
  const result = plan(big, students(4), have({ guests }));
  expect(perNode(result)).toEqual({ pve2: 4 });
  expect(result.stands[3]?.placement).toBe('fewest stands (3), 38 % memory after, was 13 %');
});

test('more virtual CPUs than the soft limit are a warning', () => {
  const wide = ['pc', 'server'].map((name) => machine(name, [real('vmbr0')], { cores: 32 }));
  const want = placed(lab(wide), { nodes: ['pve1'] });
  expect(plan(want, students(1)).warnings).toEqual([]);
  // Two times 64, and 10 % of 32 threads that were busy, four machines to a thread.
  expect(plan(want, students(2)).warnings).toEqual([
    '4.4 virtual CPUs per thread on pve1 when all machines run: expect them to be slow',
  ]);
  // Of alike nodes it is said once.
  const both = plan(placed(lab(wide), { nodes: ['pve1', 'pve2'] }), students(4));
  expect(both.warnings).toEqual([
    '4.4 virtual CPUs per thread on pve1, pve2 when all machines run: expect them to be slow',
  ]);
});

test('a thin storage that the plan may fill is a warning', () => {
  const storages = ['pve1', 'pve2'].map((node) => storage(node, 'ceph', 100, 80, true));
  const result = plan(lab([machine('pc', [real('vmbr0')], fullClone)]), students(1), have({ storages }));
  expect(result.warnings[0]).toMatch(/^storage ceph may be filled to 88 % by this plan; it is thin/);
});

test('a reserve larger than the node leaves nothing, not less', () => {
  const all = placed(big, { nodes: ['pve2'], reserve: { memory: { kind: 'absolute', value: 200 * 1024 } } });
  expect(refusal(all, students(1)).message).toContain(
    'memory on pve2: 0.0 of 128.0 GiB are for guests, 16.0 taken before, 0.0 by what fits; the next needs 8.0',
  );
});

describe("one student's settings keep nobody out", () => {
  const one = placed(big, { strategy: 'specific', node: 'pve1' });

  /** A class of 12 fills pve1; these are its VMs, switched off, and the first of them was changed. */
  function full(change: Partial<Inventory['guests'][number]>, memory: string): Inventory {
    const done = applied(one, plan(one, students(12)));
    const [first] = done.vms;
    if (!first) throw new Error('no VM was made');
    return {
      ...done,
      guests: done.guests.map((present) => {
        if (present.template) return present;
        return { ...present, memory: 8 * GIB, ...(present.vmid === first.vmid ? change : {}) };
      }),
      vms: done.vms.map((config) =>
        config === first ? { ...config, values: { ...config.values, memory } } : config,
      ),
    };
  }
  const withMore = (snapshot: Inventory, total: number, used = 0): Inventory => ({
    ...snapshot,
    nodes: snapshot.nodes.map((node) => ({
      ...node,
      memoryTotal: node.memoryTotal + total * GIB,
      memoryUsed: node.memoryUsed + used * GIB,
    })),
  });
  const notesOf = (result: Plan) => result.stands.flatMap(({ notes }) => notes);

  test.each([
    ['a stopped VM of 1 TiB', { memory: 2 ** 40 }, '1048576', 14],
    // What runs is part of what the node uses already.
    ['a running VM of 100 GiB', { memory: 100 * GIB, status: 'running' }, '102400', 15],
    ['a stopped VM of 1 TiB under another name', { memory: 2 ** 40, name: 'mine' }, '1048576', 14],
  ])('%s counts as the lab has it, and is told', (_, change, memory, count) => {
    const snapshot = withMore(full(change, memory), 20);
    const made = plan(one, students(count), snapshot);
    expect(leftOut(made)).toEqual([]);
    expect(notesOf(made).join()).toContain(`memory is ${memory}, not 8192`);
    // So it does while others are deployed for.
    expect(leftOut(plan(one, students(count).slice(1), snapshot))).toEqual([]);
    expect(refusal(one, students(count + 1), snapshot).message).toContain(
      `fits ${count} of ${count + 1} stands`,
    );
  });

  test('a VM with less is no stand that does not fit, however full the node is by now', () => {
    const made = plan(one, students(12), withMore(full({ memory: GIB }, '1024'), 0, 4));
    expect([made.steps, leftOut(made)]).toEqual([[], []]);
    expect(notesOf(made).join()).toContain('memory is 1024, not 8192');
  });

  test('and the room that it took from the class is not given to others', () => {
    expect(refusal(one, students(13), full({ memory: GIB }, '1024')).message).toContain(
      'fits 12 of 13 stands',
    );
  });

  test('a lab that gives more than there is is refused, as before', () => {
    const more = lab([machine('pc', [real('vmbr0')], { memory: 16384 })]);
    const want = { ...one, machines: more.machines };
    expect(refusal(want, students(12), full({}, '8192')).message).toContain('memory on pve1 is full');
  });

  test('where the lab leaves it to the template, more than that is told', () => {
    const plain = lab([machine('pc', [real('vmbr0')])]);
    const done = applied(plain, plan(plain, students(2)));
    const vms = done.vms.map((config, at) =>
      at === 0 ? { ...config, values: { ...config.values, memory: 'current=4096' } } : config,
    );
    const made = plan(plain, students(2), { ...done, vms });
    expect(notesOf(made)).toEqual([expect.stringContaining('memory is 4096, the template has 512')]);
  });

  /** Three stands of another lab, of a small and a large machine each; the memory of the first large one is `memory`. */
  function others(memory: number, count = 3): Inventory {
    const names = ['x', 'y', 'z'].slice(0, count);
    const pools = names.map((pool, at) => ({
      pool,
      comment: claimOf(`${pool}@pve`, [800 + 2 * at, 801 + 2 * at], 'other'),
    }));
    const guests = names.flatMap((pool, at) => [
      guest(800 + 2 * at, { pool, memory: GIB }),
      guest(801 + 2 * at, { pool, memory: at === 0 ? memory : 8 * GIB }),
    ]);
    return have({ pools, guests: [...have().guests, ...guests] });
  }
  const room = (snapshot: Inventory) => 26 - leftOut(plan(big, students(26), snapshot, { fit: true })).length;

  test('of another lab, a running VM counts as most of its kind do', () => {
    expect(room(others(100 * GIB))).toBe(room(others(8 * GIB)));
    // Of two, nobody can tell which is the one that was changed.
    expect(room(others(100 * GIB, 2))).toBeLessThan(room(others(8 * GIB, 2)));
  });

  test('machines that a student made beside the stand count with what the node says that it uses', () => {
    const snapshot = others(8 * GIB);
    const own = ['x', 'x'].map((pool, at) => guest(950 + at, { pool, memory: 100 * GIB, status: 'running' }));
    const more = { ...snapshot, guests: [...snapshot.guests, ...own] };
    expect(room(more)).toBe(room(snapshot));
    // Anybody else's count in full.
    const foreign = own.map((one) => ({ ...one, pool: 'infra' }));
    expect(room({ ...snapshot, guests: [...snapshot.guests, ...foreign] })).toBeLessThan(room(snapshot));
    const used = more.nodes.map((node) => ({ ...node, memoryUsed: node.memoryUsed + 90 * GIB }));
    expect(room({ ...more, nodes: used })).toBeLessThan(room(snapshot));
  });

  test('nor does it change what a run under way is going to take', () => {
    const under = (memory: number): Inventory => {
      const snapshot = others(memory);
      const comment = claimOf('w@pve', [900, 901], 'other').replace(
        /since=\S+/,
        'since=2026-11-21T07:30:00Z',
      );
      return { ...snapshot, pools: [...snapshot.pools, { pool: 'w', comment }] };
    };
    expect(room(under(2 ** 40))).toBe(room(under(8 * GIB)));
    expect(room(under(8 * GIB))).toBeLessThan(room(others(8 * GIB)));
  });
});
