/** Plans of `power`: which steps, in which order, and who is left out and why. Single machines: power-deeds.test.ts. */
import { describe, expect, test } from 'vitest';
import { PlanRefusedError } from '../../../src/lib/errors.ts';
import type { PowerPlan } from '../../../src/lib/plan/document/plan.ts';
import { askedAbout, planPower } from '../../../src/lib/plan/day-two/power.ts';
import type { PowerOptions, PowerRequest } from '../../../src/lib/plan/day-two/power-types.ts';
import { ids, lab, machine } from '../builders.ts';
import { ANNA_PC, ANNA_SRV, BORIS_PC, BORIS_SRV, world, type Change } from './world.ts';

const OPTIONS: PowerOptions = {
  action: 'start',
  ...{ timeoutSeconds: 60, lockWaitSeconds: 60 },
  ...{ force: false, pause: false, fit: false },
};

const ON = { status: 'running' } as const;
const all = <T>(value: T) => ({
  [ANNA_SRV]: value,
  [ANNA_PC]: value,
  [BORIS_SRV]: value,
  [BORIS_PC]: value,
});
const ORDERED = lab([machine('srv', [], { startOrder: 1 }), machine('pc', [])]);

function plan(
  change: Change,
  options: Partial<PowerOptions> = {},
  more: Partial<PowerRequest> = {},
): PowerPlan {
  return planPower({ ...world(change), options: { ...OPTIONS, ...options }, labName: 'net', ...more });
}

/** What is done to whom, without the pools. */
const steps = (made: PowerPlan): string[] =>
  ids(made)
    .map((id) => id.replace(/^vm\.(\w+):\w+\//, '$1 '))
    .sort();
const left = (made: PowerPlan): (string | undefined)[] =>
  made.stands.map(({ left: some, refused }) => (refused ?? some)?.code);

describe('who is switched', () => {
  test.each<[string, Change, Partial<PowerOptions>, string[], (string | undefined)[]]>([
    [
      'all that are off',
      { guests: { [ANNA_PC]: ON } },
      {},
      [`start ${ANNA_SRV}`, `start ${BORIS_SRV}`, `start ${BORIS_PC}`],
      [undefined, undefined],
    ],
    ['all are up: nothing', { guests: all(ON) }, {}, [], [undefined, undefined]],
    [
      'only what is suspended',
      { guests: { [ANNA_PC]: { lock: 'suspended' } } },
      { action: 'resume' },
      [`resume ${ANNA_PC}`],
      [undefined, undefined],
    ],
    [
      '--if-state stopped leaves what is suspended',
      { guests: { ...all(ON), [ANNA_PC]: { lock: 'suspended' }, [BORIS_PC]: {} } },
      { ifState: 'stopped' },
      [`start ${BORIS_PC}`],
      [undefined, undefined],
    ],
    [
      'one machine of one student',
      { selection: { users: [{ userid: 'boris@pve' }], machines: ['pc'] } },
      {},
      [`start ${BORIS_PC}`],
      [undefined],
    ],
    [
      'somebody else’s at a number of ours is not minded, a template is told',
      {
        guests: { [ANNA_PC]: { pool: 'staff' }, [BORIS_PC]: { template: true } },
        selection: { machines: ['pc'] },
      },
      {},
      [],
      [undefined, 'VM_IS_TEMPLATE'],
    ],
    [
      'one that is out of its pool, and one that is gone',
      { guests: { [ANNA_PC]: ON }, outside: [ANNA_SRV], gone: [BORIS_PC] },
      {},
      [`start ${BORIS_SRV}`],
      ['LEFT_POOL', 'VM_MISSING'],
    ],
    [
      'off before its memory was on disk: root’s `qm unlock` is the way out, also of resume',
      {
        guests: { [ANNA_PC]: { lock: 'suspending' }, [BORIS_PC]: { lock: 'backup' } },
        inventory: { tasksKnown: true },
      },
      { action: 'resume' },
      [],
      ['VM_LOCKED', undefined],
    ],
    [
      'under HA nothing is suspended to disk',
      { guests: { ...all(ON), [ANNA_PC]: { ...ON, ha: true } }, selection: { machines: ['pc'] } },
      { action: 'suspend' },
      [`suspend ${BORIS_PC}`],
      ['HA_MANAGED', undefined],
    ],
    [
      'memory that its host cannot read',
      { guests: all(ON), selection: { machines: ['pc'] }, values: { [ANNA_PC]: { 'amd-sev': 'std' } } },
      { action: 'suspend', storage: 'ceph' },
      [`suspend ${BORIS_PC}`],
      ['MEMORY_TIED', undefined],
    ],
    [
      'a storage that this node does not have',
      { guests: all(ON), selection: { machines: ['pc'] } },
      { action: 'suspend', storage: 'elsewhere' },
      [],
      ['STATE_STORAGE', 'STATE_STORAGE'],
    ],
  ])('%s', (_, change, options, expected, why) => {
    const made = plan(change, options);
    expect([steps(made), left(made)]).toEqual([expected.sort(), why]);
  });
});

test('what keeps several machines of a stand from it is said once', () => {
  const made = plan({ guests: all(ON) }, { action: 'suspend', storage: 'elsewhere' });
  const said = JSON.stringify(made.stands[0]).match(/storage elsewhere, for its memory/g);
  expect(said).toHaveLength(1);
});

test.each(['start', 'shutdown'] as const)('%s by start_order, each stand on its own', (action) => {
  const made = plan(action === 'start' ? {} : { guests: all(ON) }, { action }, { lab: ORDERED });
  const [first, last] = action === 'start' ? [ANNA_SRV, ANNA_PC] : [ANNA_PC, ANNA_SRV];
  const of = (vmid: number) => made.steps.find(({ id }) => id.endsWith(`/${vmid}`))!;
  expect([of(first).after, of(last).after, of(last).dependsOn]).toEqual([[], [of(first).id], []]);
  expect(of(last).after.some((id) => id.includes('boris'))).toBe(false);
});

describe('room', () => {
  const GIB = 2 ** 30;
  /** Each machine takes 2 GiB. */
  const small = (gib: number): Change => {
    const { have } = world();
    return {
      inventory: { nodes: have.nodes.map((node) => ({ ...node, memoryTotal: gib * GIB, memoryUsed: 0 })) },
    };
  };

  test('more than memory holds is refused with the number that fits, or left out as whole stands', () => {
    expect(() => plan(small(6))).toThrow(PlanRefusedError);
    expect(() => plan(small(6))).toThrow(/fits 1 of 2 stands: memory on pve1 is full/);
    const made = plan(small(6), { fit: true });
    expect([steps(made), left(made)]).toEqual([
      [`start ${ANNA_SRV}`, `start ${ANNA_PC}`],
      [undefined, 'NO_CAPACITY'],
    ]);
    expect(made.warnings[0]).toMatch(/^fits 1 of 2 stands/);
    expect(left(plan(small(12)))).toEqual([undefined, undefined]);
  });

  test.each([
    ['takes more than there is', 6, 100],
    ['would take what is the others’', 12, 7],
  ])('a machine that its student made larger keeps nobody else out: it %s', (_, node, larger) => {
    const change = { ...small(node), guests: { [ANNA_PC]: { memory: larger * GIB } } };
    const asLab = lab([machine('srv', [], { memory: 2048 }), machine('pc', [], { memory: 2048 })]);
    const made = plan(change, {}, { lab: asLab });
    expect([steps(made), left(made)]).toEqual([
      [`start ${BORIS_SRV}`, `start ${BORIS_PC}`],
      ['NO_CAPACITY', undefined],
    ]);
    expect(made.stands[0]?.refused?.message).toContain(
      `VM 10001 (pc) was given ${larger}.0 GiB of memory, its kind has 2.0 GiB`,
    );
    // Alone it is refused as any other; and of two stands nobody knows which is the one that was changed.
    const { stands } = world({ ...change, selection: { users: [{ userid: 'anna@pve' }] } });
    if (larger > node) expect(() => plan(change, {}, { lab: asLab, stands })).toThrow(/fits 0 of 1 stand:/);
    expect(() => plan(change)).toThrow(/fits 1 of 2 stands/);
  });

  test('what is asked to go off needs none; nodes that are not to be seen are told', () => {
    expect(steps(plan({ ...small(1), guests: all(ON) }, { action: 'shutdown' }))).toHaveLength(4);
    expect(plan(small(0)).warnings).toEqual([
      expect.stringMatching(/^the memory of nodes is not to be seen/),
    ]);
  });
});

test('--idle: what has been up that long and used little; the others are named', () => {
  const up = { ...ON, use: { uptime: 7200, cpu: 0, memory: 0 } } as Change['guests'] extends infer T
    ? T
    : never;
  const young = { ...ON, use: { uptime: 60, cpu: 0, memory: 0 } };
  const change = { guests: { ...all(up), [BORIS_PC]: young } } as Change;
  const options = { action: 'suspend', idle: { seconds: 3600, cpu: 0.05, network: 5120 } } as const;
  const request = { ...world(change), options: { ...OPTIONS, ...options }, labName: 'net' };
  expect(askedAbout(request.stands, request).map(({ vmid }) => vmid)).toEqual([ANNA_SRV, ANNA_PC, BORIS_SRV]);
  const averages = new Map([
    [ANNA_SRV, { cpu: 0.5, network: 0 }],
    [ANNA_PC, { cpu: 0.01, network: 100 }],
  ]);
  const made = plan(change, options, { averages });
  expect(steps(made)).toEqual([`suspend ${ANNA_PC}`]);
  expect(made.stands.map(({ notes }) => notes)).toEqual([
    ['in use: srv (CPU 50.0 %, 0.0 KiB/s)'],
    ['in use: srv (no statistics), pc (up for a shorter time)'],
  ]);
});
