/** Plans of `snapshot` and `reset`, by what machines have: kept, deleted, gone back to, cloned anew, refused. */
import { describe, expect, test } from 'vitest';
import { PlanRefusedError } from '../../../src/lib/errors.ts';
import type { Plan } from '../../../src/lib/plan/document/plan.ts';
import { sealHash } from '../../../src/lib/marks/seal.ts';
import { formatVmMark } from '../../../src/lib/marks/vm.ts';
import { recloneTargets } from '../../../src/lib/plan/day-two/reclone.ts';
import { planRollback, type RollbackOptions } from '../../../src/lib/plan/day-two/rollback.ts';
import {
  planSnapshotCreate,
  planSnapshotDelete,
  type CreateOptions,
} from '../../../src/lib/plan/day-two/snapshots.ts';
import { specOf } from '../../../src/lib/plan/stands/spec.ts';
import { bridge, ids, lab, machine, plan, real, sealOf, standOf, user } from '../builders.ts';
import { ANNA_PC, ANNA_SRV, BORIS_PC, BORIS_SRV, snapshots, world, type Change } from './world.ts';

type Lists = Readonly<Record<number, readonly string[]>>;

/** Everybody has the baseline. */
const BASE: Lists = {
  [ANNA_SRV]: ['baseline'],
  [ANNA_PC]: ['baseline'],
  [BORIS_SRV]: ['baseline'],
  [BORIS_PC]: ['baseline'],
};

const inputOf = (lists: Lists, change: Change = {}) => ({
  ...world(change),
  ...{ snapshots: snapshots(lists), baselines: new Map(), gaps: [], lockWaitSeconds: 60 },
});

/** Steps, and per stand the code of what is left or refused. */
function told(plan: () => Plan): {
  readonly steps: string[];
  readonly left: Record<string, string>;
  readonly plan?: Plan;
} {
  try {
    const made = plan();
    const left = made.stands.flatMap(({ user, left, refused }) => {
      const why = refused ?? left;
      return why ? [[user, why.code] as const] : [];
    });
    return { steps: ids(made), left: Object.fromEntries(left), plan: made };
  } catch (error) {
    if (!(error instanceof PlanRefusedError)) throw error;
    return { steps: [], left: { all: error.code } };
  }
}

describe('snapshot create', () => {
  const create = (lists: Lists, options: Partial<CreateOptions> = {}, change: Change = {}) =>
    told(() => planSnapshotCreate(inputOf(lists, change), { name: 'our3', withMemory: false, ...options }));
  const ANNA: Change = { selection: { users: [{ userid: 'anna@pve' }] } };

  test.each<[string, Lists, Partial<CreateOptions>, string[], Record<string, string>]>([
    ['taken of each', BASE, {}, ['vm.snapshot:anna/pc', 'vm.snapshot:anna/srv'], {}],
    ['taken where it is missing', { ...BASE, [ANNA_PC]: ['our3'] }, {}, ['vm.snapshot:anna/srv'], {}],
    [
      'the name is the student’s',
      { ...BASE, [ANNA_PC]: ['our3x', 'exam'] },
      { name: 'exam' },
      ['vm.snapshot:anna/srv'],
      { 'anna@pve': 'SNAPSHOT_NAME_USED' },
    ],
    [
      '--keep 2 takes away the oldest of ours, never the baseline or a student’s',
      { ...BASE, [ANNA_PC]: ['baseline', 'mine', 'our0', 'our1', 'our2'] },
      { keep: 2 },
      [
        'vm.snapshot:anna/pc',
        'vm.snapshot.delete:anna/pc/our0',
        'vm.snapshot.delete:anna/pc/our1',
        'vm.snapshot:anna/srv',
      ],
      {},
    ],
    [
      '--keep 1 of what is there already still takes the others away',
      { [ANNA_SRV]: ['our2', 'our3'], [ANNA_PC]: ['our3'] },
      { keep: 1 },
      ['vm.snapshot.delete:anna/srv/our2'],
      {},
    ],
    ['lists that cannot be read', {}, {}, [], { all: 'SNAPSHOTS_UNREADABLE' }],
  ])('%s', (_, lists, options, steps, left) => {
    const result = create(lists, options, ANNA);
    expect([[...result.steps].sort(), result.left]).toEqual([[...steps].sort(), left]);
  });

  test('one of that name with our mark may be a student’s all the same: told with its time, and refused where it is older than the freeze', () => {
    const taken = '2026-03-01T10:00:00Z';
    const made = (frozen?: string) => {
      const { have } = world();
      const pools = have.pools.map((pool) => ({
        ...pool,
        comment: frozen ? pool.comment.replace(' since=', ` frozen=${frozen} since=`) : pool.comment,
      }));
      const input = inputOf({ ...BASE, [ANNA_PC]: ['our3'] }, { ...ANNA, inventory: { ...have, pools } });
      const [one] = input.snapshots.get(ANNA_PC) ?? [];
      Object.assign(one!, { time: Date.parse(taken) / 1000 });
      const result = told(() => planSnapshotCreate(input, { name: 'our3', withMemory: false }));
      return [result.steps, result.left, result.plan?.stands[0]?.notes];
    };
    const step = ['vm.snapshot:anna/srv'];
    const notes = [`VM ${ANNA_PC} (pc) has a snapshot our3 already, of ${taken}: it stays`];
    expect(made()).toEqual([step, {}, notes]);
    expect(made('2026-03-01T09:59:59Z')).toEqual([step, {}, notes]);
    expect(made('2026-03-01T10:00:01Z')).toEqual([step, { 'anna@pve': 'SNAPSHOT_NAME_TAKEN' }, []]);
  });

  test('a deletion comes after what replaces it', () => {
    const { plan } = create({ ...BASE, [ANNA_PC]: ['our1'] }, { keep: 1 }, ANNA);
    const gone = plan?.steps.find(({ kind }) => kind === 'vm.snapshot.delete');
    expect(gone?.dependsOn).toEqual(['vm.snapshot:anna/pc']);
  });

  test('disks that can have none, with memory, and machines that are off', () => {
    const thick = create(BASE, {}, { ...ANNA, storage: 'thick' });
    expect([thick.steps, thick.left]).toEqual([[], { all: 'NO_SNAPSHOTS' }]);
    const { plan } = create(
      BASE,
      { withMemory: true },
      { ...ANNA, guests: { [ANNA_PC]: { status: 'running' } } },
    );
    const memory = plan?.steps.map((step) => ['withMemory' in step, step.id]).sort();
    expect(memory).toEqual([
      [false, 'vm.snapshot:anna/srv'],
      [true, 'vm.snapshot:anna/pc'],
    ]);
    expect(plan?.stands[0]?.notes).toEqual([`VM ${ANNA_SRV} (srv) is off: there is no memory to keep`]);
    const sealed = {
      guests: { [ANNA_PC]: { status: 'running' } },
      values: { [ANNA_PC]: { 'amd-sev': 'std' } },
    } as const;
    expect(create(BASE, { withMemory: true }, { ...ANNA, ...sealed }).left).toEqual({
      'anna@pve': 'MEMORY_TIED',
    });
    // What is true of several is said once.
    const off = create(BASE, { withMemory: true }, ANNA).plan?.stands[0]?.notes;
    expect(off).toEqual([
      `each of VM ${ANNA_SRV} (srv), VM ${ANNA_PC} (pc) is off: there is no memory to keep`,
    ]);
  });
});

test.each<[string, string, Lists, string[], Record<string, string>]>([
  ['ours', 'our1', { ...BASE, [ANNA_PC]: ['our1'] }, ['vm.snapshot.delete:anna/pc/our1'], {}],
  ['of a student', 'mine', { ...BASE, [ANNA_PC]: ['mine'] }, [], { 'anna@pve': 'SNAPSHOT_NOT_OURS' }],
  ['there is none', 'our9', BASE, [], {}],
])('snapshot delete: %s', (_, name, lists, steps, left) => {
  const result = told(() => planSnapshotDelete(inputOf(lists), name));
  expect([result.steps, result.left]).toEqual([steps, left]);
});

describe('going back', () => {
  const VMIDS = [ANNA_SRV, ANNA_PC, BORIS_SRV, BORIS_PC];
  const back = (lists: Lists, change: Change = {}, options: Partial<RollbackOptions> = {}) =>
    told(() =>
      planRollback(
        'reset',
        {
          ...inputOf(lists, change),
          saved: new Map(VMIDS.map((vmid) => [vmid, {}])),
          vnets: [],
          hidden: undefined,
        },
        { start: false, ...options },
      ),
    );
  const ALL = ['anna/pc', 'anna/srv', 'boris/pc', 'boris/srv'].map((key) => `vm.rollback:${key}`);

  test.each<[string, Lists, Change, Partial<RollbackOptions>, string[], Record<string, string>]>([
    ['to the baseline', BASE, {}, {}, ALL, {}],
    ['past what a student took, on ceph', { ...BASE, [ANNA_PC]: ['baseline', 'mine'] }, {}, {}, ALL, {}],
    [
      'to another one',
      { ...BASE, [ANNA_PC]: ['baseline', 'our1'] },
      {},
      { to: 'our1' },
      [ALL[0]!],
      {
        'anna@pve': 'SNAPSHOT_MISSING',
        'boris@pve': 'SNAPSHOT_MISSING',
      },
    ],
    ['one has none', { ...BASE, [ANNA_PC]: [] }, {}, {}, ALL.slice(1), { 'anna@pve': 'SNAPSHOT_MISSING' }],
    ['on ZFS to the newest', BASE, { storage: 'tank' }, {}, ALL, {}],
    [
      'on ZFS, and something came later',
      { ...BASE, [ANNA_PC]: ['baseline', 'mine'] },
      { storage: 'tank' },
      {},
      ALL.slice(1),
      { 'anna@pve': 'SNAPSHOT_NOT_NEWEST' },
    ],
    [
      'on ZFS --to the newest',
      { ...BASE, [ANNA_PC]: ['baseline', 'our1'] },
      { storage: 'tank', selection: { users: [{ userid: 'anna@pve' }], machines: ['pc'] } },
      { to: 'our1' },
      [ALL[0]!],
      {},
    ],
    ['only the selected machine', BASE, { selection: { machines: ['srv'] } }, {}, [ALL[1]!, ALL[3]!], {}],
  ])('%s', (_, lists, change, options, steps, left) => {
    const result = back(lists, change, options);
    expect([[...result.steps].sort(), result.left]).toEqual([steps, left]);
  });

  test('a snapshot that took the place of the baseline is told, once for all, and not where it was named', () => {
    const swapped = (options: Partial<RollbackOptions> = {}, change: Change = {}) => {
      const input = inputOf(BASE, change);
      for (const vmid of [ANNA_PC, BORIS_PC])
        Object.assign(input.snapshots.get(vmid)![0]!, { description: '' });
      const saved = new Map(VMIDS.map((vmid) => [vmid, {}]));
      const all = { ...input, saved, vnets: [], hidden: undefined };
      return planRollback('reset', all, { start: false, ...options }).warnings;
    };
    expect(back(BASE).plan?.warnings).toEqual([]);
    expect(swapped()).toEqual([
      `snapshot "baseline" of anna@pve VM ${ANNA_PC} (pc), boris@pve VM ${BORIS_PC} (pc) has no mark of deploy-stand: unless version 0.1.0 took it, its student did, and what it shows need not be the beginning; \`deploy-stand reset --reclone -c lab.yml --user anna@pve --user boris@pve --machine pc\` makes them anew as they were handed out`,
    ]);
    expect(swapped({ to: 'baseline' })).toEqual([]);
    expect(swapped({}, { selection: { machines: ['srv'] } })).toEqual([]);
  });

  test.each<[string, string, string, RegExp]>([
    // A student with VM.Migrate can take a machine away from its networks, where no deploy makes them.
    [
      'moved away',
      'pve2',
      'vmbr1000',
      /^the networks of the stand are on pve2: move it back \(as root on pve1: `qm migrate 10001 pve2`\), then run again; or clone it anew: `[^`]*`$/,
    ],
    ['nowhere', 'pve2', 'vmbr1001', /^deploy again, which makes bridges .*; or clone it anew: `[^`]*`$/],
    // One of the two is enough to need a clone, and that is said once.
    ['missing, and another’s', 'pve1', 'vmbr1000 vmbr1001', /^clone it anew: `[^`]*`$/],
  ])('bridges of a snapshot that are not there: %s', (_, node, bridges, hint) => {
    const mark = (iface: string, user: string) =>
      bridge(iface, {
        comments: `deploy-stand bridge=${iface} lab=net user=${user} net=lan since=2026-09-01T08:00:00Z`,
      });
    const networks = ['pve1', 'pve2'].map((name) => ({
      ...{ node: name, readable: true, pending: [] },
      bridges: name === node ? [mark('vmbr1000', name === 'pve1' ? 'boris@pve' : 'anna@pve')] : [],
    }));
    const cards = bridges
      .split(' ')
      .map((iface, i) => [`net${i}`, `virtio=BC:24:11:00:00:0${i},bridge=${iface}`]);
    const input = {
      ...inputOf(BASE, { inventory: { networks } }),
      saved: new Map(VMIDS.map((vmid) => [vmid, vmid === ANNA_PC ? Object.fromEntries(cards) : {}])),
      ...{ vnets: [], hidden: undefined },
    };
    const { stands } = planRollback('reset', input, { start: false });
    const anna = stands.find(({ user }) => user === 'anna@pve');
    expect(anna?.left ?? anna?.refused).toMatchObject({
      code: 'SNAPSHOT_BRIDGE',
      hint: expect.stringMatching(hint) as string,
    });
  });

  test('what nobody has is told once, and the way out names the files, not everybody', () => {
    const words = { lab: ['-c', 'a.yml'], everyone: ['-c', 'a.yml', '-u', 'u.yml'] };
    const anna = { selection: { users: [{ userid: 'anna@pve' }] } };
    const refused = (lists: Lists, change: Change = {}) => {
      const input = { ...inputOf(lists, change), saved: new Map(), vnets: [], hidden: undefined, words };
      try {
        return planRollback('reset', input, { start: false });
      } catch (error) {
        return error;
      }
    };
    const none: Lists = { [ANNA_SRV]: [], [ANNA_PC]: [], [BORIS_SRV]: [], [BORIS_PC]: [] };
    expect(refused(none)).toMatchObject({
      hint: 'name one with --to, or clone anew what has none: `deploy-stand reset --reclone -c a.yml -u u.yml`',
    });
    // One is sooner read by name.
    expect(refused(none, anna)).toMatchObject({
      hint: expect.stringMatching(/-c a.yml --user anna@pve`$/) as string,
    });
    const partly = refused(none, { selection: { machines: ['pc'] } });
    expect(partly).toMatchObject({ hint: expect.stringMatching(/-u u.yml --machine pc`$/) as string });
  });

  test('what takes snapshots of ours out of the way is one command for all', () => {
    const later = { [ANNA_SRV]: ['baseline', 'our1'], [BORIS_SRV]: ['baseline', 'our1'] };
    const hints = (lists: Lists, change: Change = {}) =>
      back(lists, { storage: 'tank', ...change }).plan?.stands.flatMap(
        ({ left, refused }) => (refused ?? left)?.hint ?? [],
      );
    expect(hints({ ...BASE, ...later })).toEqual(
      Array<string>(2).fill('delete ours with `deploy-stand snapshot delete our1 --lab net`'),
    );
    expect(hints({ ...BASE, [ANNA_SRV]: ['baseline', 'mine', 'our1'] })).toEqual([
      'let the student delete the own ones, or clone it anew without them: ' +
        '`deploy-stand reset --reclone --discard-snapshots -c lab.yml --user anna@pve --machine srv`; ' +
        'delete ours with `deploy-stand snapshot delete our1 --lab net --user anna@pve`',
    ]);
  });
});

describe('cloning anew', () => {
  const ANNA = 'anna@pve';
  const labOf = (machines: readonly string[]) => lab(machines.map((name) => machine(name, [real('vmbr0')])));
  /** Their notes, as of machines that were made of this template. */
  const madeOf = (template: number, but: readonly number[] = []) =>
    Object.fromEntries(
      [ANNA_SRV, ANNA_PC, BORIS_SRV, BORIS_PC].map((vmid) => {
        const want = labOf(['srv', 'pc']);
        const [name, user] = [vmid % 2 === 0 ? 'srv' : 'pc', vmid < BORIS_SRV ? ANNA : 'boris@pve'];
        const of = want.machines.find((one) => one.name === name)!;
        const spec = but.includes(vmid) ? {} : { spec: specOf(want, of, template) };
        const seal = sealOf(vmid);
        const description = formatVmMark({ lab: 'net', user, machine: name, vmid, seal, ...spec });
        return [vmid, { description }];
      }),
    );
  const targets = (
    lists: Lists,
    change: Change = {},
    more: { discardSnapshots?: boolean; machines?: string[] } = {},
  ) => {
    const { discardSnapshots = false, machines = ['srv', 'pc'] } = more;
    const found = recloneTargets({
      ...inputOf(lists, { selection: { users: [{ userid: ANNA }] }, ...change }),
      ...{ discardSnapshots, lab: labOf(machines) },
    }).get(ANNA)!;
    const why = found.refused ?? found.left;
    return [[...found.machines].sort().join(' '), why?.code, found.refused !== undefined];
  };
  const task = { type: 'qmdestroy', id: String(ANNA_PC) } as never;

  test.each<[string, Lists, Change, Parameters<typeof targets>[2], ReturnType<typeof targets>]>([
    ['all of it', BASE, {}, {}, ['pc srv', undefined, false]],
    ['ours are no loss', { ...BASE, [ANNA_PC]: ['baseline', 'our1'] }, {}, {}, ['pc srv', undefined, false]],
    ['a student’s snapshot', { ...BASE, [ANNA_PC]: ['mine'] }, {}, {}, ['srv', 'SNAPSHOTS_LOST', false]],
    [
      'given up',
      { ...BASE, [ANNA_PC]: ['mine'] },
      {},
      { discardSnapshots: true },
      ['pc srv', undefined, false],
    ],
    ['not to be seen', { [ANNA_SRV]: [] }, {}, {}, ['srv', 'SNAPSHOTS_UNREADABLE', false]],
    ['protected', BASE, { values: { [ANNA_PC]: { protection: '1' } } }, {}, ['srv', 'PROTECTED', false]],
    ['under HA', BASE, { guests: { [ANNA_PC]: { ha: true } } }, {}, ['srv', 'HA_MANAGED', false]],
    ['not in the lab', BASE, {}, { machines: ['srv'] }, ['srv', 'UNKNOWN_MACHINE', false]],
    // The deploy takes another number for it.
    [
      'somebody else’s at its number',
      BASE,
      { guests: { [ANNA_PC]: { pool: 'staff' } } },
      {},
      ['pc srv', undefined, false],
    ],
    [
      'being removed',
      BASE,
      { inventory: { tasks: [task], tasksKnown: true } },
      {},
      ['', 'REMOVAL_RUNNING', true],
    ],
  ])('%s', (_, lists, change, more, expected) => {
    expect(targets(lists, change, more)).toEqual(expected);
  });

  test('what gives up snapshots is one command for the class, and takes nothing that loses none', () => {
    const lists = { ...BASE, [ANNA_PC]: ['mine'], [BORIS_SRV]: ['mine'] };
    const found = recloneTargets({
      // Of another template than they were made from.
      ...inputOf(lists, { values: madeOf(100) }),
      ...{ discardSnapshots: false, outdated: true, lab: labOf(['srv', 'pc']) },
    });
    const hints = [...found.values()].flatMap(({ left, refused }) => (refused ?? left)?.hint ?? []);
    const command = 'deploy-stand reset --reclone --outdated --discard-snapshots -c lab.yml';
    expect(hints).toEqual(
      Array<string>(2).fill(
        `give them up with \`${command} --user anna@pve --machine pc\` and \`${command} --user boris@pve --machine srv\`, ` +
          'or go back to a snapshot with --to in place of --reclone',
      ),
    );
  });

  test('--outdated: what is as it would be made now loses nothing, and what was only begun is finished', () => {
    const want = labOf(['srv', 'pc']);
    const begun = standOf(ANNA, { srv: ANNA_SRV, pc: [ANNA_PC, sealHash(sealOf(ANNA_PC), ANNA_PC)] });
    const targetsOf = (values: NonNullable<Change['values']>) => {
      const input = inputOf(
        { ...BASE, [ANNA_PC]: ['mine'] },
        {
          selection: { users: [{ userid: ANNA }] },
          ...{ values, outside: [ANNA_PC], inventory: { pools: [{ pool: 'anna', comment: begun }] } },
        },
      );
      const stands = recloneTargets({ ...input, discardSnapshots: false, outdated: true, lab: want });
      const { machines, anew } = stands.get(ANNA)!;
      const reclone = { stands, start: false, lockWaitSeconds: 60 };
      return [
        [...machines].sort().join(' '),
        [...anew].sort().join(' '),
        ids(plan(want, [user('anna')], input.have, { reclone })).filter((id) => !id.startsWith('pool.')),
      ];
    };
    const finishes = ['vm.configure:anna/pc'];
    expect(targetsOf(madeOf(101, [ANNA_PC]))).toEqual(['pc srv', '', finishes]);
    expect(targetsOf(madeOf(100, [ANNA_PC]))).toEqual([
      'pc srv',
      'srv',
      ['vm.seal:anna/srv', 'vm.delete:anna/srv', 'vm.clone:anna/srv', 'vm.configure:anna/srv', ...finishes],
    ]);
  });
});
