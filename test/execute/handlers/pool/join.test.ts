/** The one write that makes finished machines part of their stand. */
import { describe, expect, test } from 'vitest';
import { handlers } from '../../../../src/lib/execute/handlers/index.ts';
import { Ownership } from '../../../../src/lib/execute/ask-ownership.ts';
import { ownershipReads } from '../../../../src/lib/workflow/run.ts';
import type { StepPayloads } from '../../../../src/lib/plan/document/step.ts';
import type { RequestFault } from '../../../../src/lib/simulator/faults.ts';
import type { ScenarioGuest } from '../../../../src/lib/simulator/scenario-types.ts';
import { sealHash } from '../../../../src/lib/marks/seal.ts';
import { apply, step } from '../../apply-step.ts';
import { busy, lost, PveWorld, refused, sealOf, VERSIONS, vm } from '../../world.ts';

const HEADER = 'deploy-stand user=anna@pve';
const SINCE = 'node=pve1 since=2026-01-15T09:00:00Z';
const OTHER_LAB = 'lab=other vms=web:10020,db:10021?0123456789abcdef01234567 since=2026-01-15T08:00:00Z';
const MACHINES = { pc: 10001, router: 10002, switch: 10003 } as const;
type Machine = keyof typeof MACHINES;

const notesOf = (machine: Machine) =>
  `deploy-stand lab=net user=anna@pve machine=${machine} vmid=${MACHINES[machine]} seal=${sealOf(MACHINES[machine])} spec=abc`;

/** The lab's line; these are still reserved, with the hash that their clone fits. */
function line(...open: readonly Machine[]): string {
  const words = (Object.keys(MACHINES) as Machine[]).map((machine) => {
    const vmid = MACHINES[machine];
    return `${machine}:${vmid}${open.includes(machine) ? `?${sealHash(sealOf(vmid), vmid)}` : ''}`;
  });
  return `lab=net vms=${words.join(',')} ${SINCE}`;
}

const OPEN = line('pc', 'router', 'switch');
const ALL = Object.values(MACHINES);

const payload: StepPayloads['pool.join'] = {
  pool: 'anna',
  lab: 'net',
  machines: (Object.keys(MACHINES) as Machine[]).map((machine) => ({
    machine,
    vmid: MACHINES[machine],
    madeBy: `vm.configure:anna/${machine}`,
  })),
};

interface Found {
  readonly version?: (typeof VERSIONS)[number];
  readonly lines?: readonly string[];
  readonly members?: readonly number[];
  readonly guests?: Partial<Record<Machine, Partial<ScenarioGuest>>>;
}

function stand({ version = '8.4', lines = [OPEN], members = [], guests = {} }: Found = {}): PveWorld {
  return new PveWorld({
    version,
    pools: [{ pool: 'anna', comment: [HEADER, ...lines].join('\n'), vms: members }, { pool: 'boris' }],
    guests: (Object.keys(MACHINES) as Machine[]).map((machine) =>
      vm(MACHINES[machine], 'pve1', { name: machine, description: notesOf(machine), ...guests[machine] }),
    ),
  });
}

const lines = (world: PveWorld) => world.pool('anna')?.comment.split('\n');

describe.each(VERSIONS)('on %s', (version) => {
  const UPDATE = ['PUT', version === '7.4' ? '/pools/anna' : '/pools'] as const;

  test.each<{ name: string; found?: Found; faults?: RequestFault[]; outcome: string; added?: string }>([
    { name: 'happy path', outcome: 'done' },
    { name: 'lost before', faults: [lost(UPDATE, 'before')], outcome: 'done' },
    { name: 'lost after', faults: [lost(UPDATE, 'after')], outcome: 'already-done' },
    { name: 'lock timeout', faults: [busy(UPDATE)], outcome: 'done' },
    {
      name: 'they joined with their clones (a confined caller): the comment alone is written',
      found: { members: ALL, lines: [`${OPEN} clones=pool`] },
      outcome: 'done',
      added: '',
    },
    {
      name: 'some are members already',
      found: { members: [10002, 10003], lines: [line('pc')] },
      outcome: 'done',
      added: '10001',
    },
  ])('$name: one write', async ({ found = {}, faults = [], outcome, added = '10001,10002,10003' }) => {
    const world = stand({ ...found, version }).fault(...faults);
    expect((await apply(world, 'pool.join', payload)).outcome).toBe(outcome);
    expect(world.pool('anna')).toEqual({ comment: `${HEADER}\n${line()}`, vmids: ALL });
    expect(world.sent.map(({ params }) => params['vms'] ?? '')).toEqual([added]);
    expect((await apply(world, 'pool.join', payload)).outcome).toBe('already-done');
    expect(world.sent).toHaveLength(1);
  });
});

test('a machine whose making has failed stays reserved, and holds back no other', async () => {
  const world = stand();
  world.undone.add('vm.configure:anna/router');
  expect((await apply(world, 'pool.join', payload)).outcome).toBe('done');
  expect(world.pool('anna')).toEqual({ comment: `${HEADER}\n${line('router')}`, vmids: [10001, 10003] });
  world.undone.clear();
  expect((await apply(world, 'pool.join', payload)).outcome).toBe('done');
  expect(world.pool('anna')).toEqual({ comment: `${HEADER}\n${line()}`, vmids: ALL });
});

test('where all have failed nothing is written', async () => {
  const world = stand();
  for (const { madeBy = '' } of payload.machines) world.undone.add(madeBy);
  expect((await apply(world, 'pool.join', payload)).outcome).toBe('already-done');
  expect(world.writes).toEqual([]);
});

test("another lab's run has changed the comment since it was planned: its lines stay as they are", async () => {
  const world = stand({ lines: ['by hand', OTHER_LAB, OPEN] });
  await apply(world, 'pool.join', payload);
  expect(lines(world)).toEqual(['by hand', HEADER, OTHER_LAB, line()]);
  expect(world.pool('anna')?.vmids).toEqual(ALL);
});

test("another lab's run has to wait: comment and members are read and written in one turn", async () => {
  const world = stand({ lines: [OTHER_LAB, OPEN] });
  const io = world.io();
  const log: string[] = [];
  const turn = {
    ...io,
    exclusively: async <T>(work: (since: number) => Promise<T>): Promise<T> => {
      // What this run has read up to here is of no use in its turn.
      await io.ownership.pool('anna');
      await world.pass(0.5);
      await world.admin.updatePool('anna', { comment: [HEADER, OPEN].join('\n') });
      log.push(`begins after ${world.writes.length}`);
      const result = await work(world.clock.now());
      log.push(`ends after ${world.writes.length}`);
      return result;
    },
  };
  await world.drive(handlers['pool.join'](step('pool.join', payload), turn));
  expect(log).toEqual(['begins after 0', 'ends after 1']);
  // The other lab's line went before the turn began: it is not brought back.
  expect(lines(world)).toEqual([HEADER, line()]);
});

test('each try is a turn of its own', async () => {
  const world = stand().fault(busy(['PUT', '/pools']), busy(['PUT', '/pools'], undefined, 2));
  let turns = 0;
  const io = {
    ...world.io(),
    exclusively: <T>(work: (since: number) => Promise<T>): Promise<T> => {
      turns += 1;
      return work(world.clock.now());
    },
  };
  expect(await world.drive(handlers['pool.join'](step('pool.join', payload), io))).toBe('done');
  expect(turns).toBe(3);
});

test('a lab of the same pool that 0.1.0 made keeps its ids; so does what the lab itself had then', async () => {
  const old = 'lab=old vmids=10030-10032 since=2025-11-01T00:00:00Z';
  const world = stand({ lines: [old, OPEN.replace(' node=', ' vmids=10010-10012 node=')] });
  await apply(world, 'pool.join', payload);
  expect(lines(world)).toEqual([HEADER, old, line().replace(' node=', ' vmids=10010-10012 node=')]);
});

describe('nothing is written, not even for the others', () => {
  test.each<{ name: string; found: Found; says: RegExp }>([
    {
      name: 'one was put into another pool',
      found: { guests: { router: { pool: 'boris' } } },
      says: /^VM 10002 of pool anna is not the one/,
    },
    {
      name: 'the seal of one is missing',
      found: { guests: { router: { description: notesOf('router').replace(/ seal=\S+/, '') } } },
      says: /^VM 10002 of pool anna is not the one/,
    },
    {
      name: "one carries another machine's seal",
      found: { guests: { router: { description: notesOf('pc') } } },
      says: /^VM 10002 of pool anna is not the one/,
    },
    {
      name: 'one is still being cloned',
      found: { guests: { router: { config: { lock: 'clone' } } } },
      says: /^VM 10002 of pool anna is still being cloned/,
    },
    {
      name: 'one was made, and somebody took it out of the pool',
      found: { lines: [line('pc', 'switch')] },
      says: /^VM 10002 of pool anna is in no pool any more/,
    },
    {
      name: 'the claim is gone, and the seals are not of this run',
      found: {
        lines: [],
        guests: Object.fromEntries(
          (Object.keys(MACHINES) as Machine[]).map((machine) => [
            machine,
            { description: notesOf(machine).replace(/seal=\S+/, `seal=${'0'.repeat(32)}`) },
          ]),
        ),
      },
      says: /^VM \d+ of pool anna is not the one/,
    },
    {
      name: 'the claim is gone, and somebody took a clone into a pool',
      found: {
        lines: [],
        guests: { pc: { pool: 'boris' }, router: { pool: 'boris' }, switch: { pool: 'anna' } },
      },
      says: /^VM \d+ of pool anna is not the one/,
    },
  ])('$name', async ({ found, says }) => {
    const world = stand(found);
    const before = world.pool('anna');
    await expect(apply(world, 'pool.join', payload)).rejects.toMatchObject({
      code: 'NOT_OURS',
      message: expect.stringMatching(says) as string,
    });
    expect(world.writes).toEqual([]);
    expect(world.pool('anna')).toEqual(before);
  });

  test.each<{ name: string; found: Found; given: readonly number[] }>([
    {
      name: 'one is not in the claim any more',
      found: { lines: [OPEN.replace(/router:10002\?\w+,/, '')] },
      given: [10002],
    },
    { name: 'the claim is gone', found: { lines: [] }, given: ALL },
    {
      name: 'another run has claimed the number of one',
      found: {
        lines: [OPEN.replace(/router:10002\?\w+/, `router:10002?${sealHash('f'.repeat(32), 10002)}`)],
      },
      given: [10002],
    },
  ])('$name: this run gives back what it cloned, and tells whose claim went', async ({ found, given }) => {
    const world = stand(found);
    const before = world.pool('anna');
    await expect(apply(world, 'pool.join', payload)).rejects.toMatchObject({
      code: 'CLAIM_GONE',
      message: expect.stringContaining(`the claim of VM ${given.join(', ')} went from pool anna`) as string,
    });
    expect(world.writes).toEqual(given.map((vmid) => `DELETE /nodes/pve1/qemu/${vmid}`));
    expect(world.pool('anna')).toEqual(before);
  });

  test("one whose number became somebody else's while it waited for its turn to go is left alone", async () => {
    const world = stand({ lines: [] });
    const io = world.io();
    const heldUp = io.removals.remove(() => world.clock.sleep(9000));
    await world.pass(6);
    const change = { set: { description: 'of somebody else' }, remove: [] };
    world.later(1, () => world.admin.updateVmConfig({ node: 'pve1', vmid: 10001 }, change));
    const joined = handlers['pool.join'](step('pool.join', payload), io);
    await expect(world.drive(joined)).rejects.toMatchObject({ code: 'CLAIM_GONE' });
    expect(ALL.filter((vmid) => world.guest(vmid))).toEqual([10001]);
    await heldUp;
  });

  test('one is put into another pool between look and write: PVE refuses, and moves nothing', async () => {
    const world = stand();
    world.before(['PUT', '/pools'], () => world.admin.updatePool('boris', { addVmids: [10003] }));
    await expect(apply(world, 'pool.join', payload)).rejects.toMatchObject({
      code: 'NOT_OURS',
      message: 'pool anna was changed meanwhile: VM 10003 was put into pool boris',
    });
    expect(world.pool('anna')).toEqual({ comment: `${HEADER}\n${OPEN}`, vmids: [] });
    expect(world.pool('boris')?.vmids).toEqual([10003]);
  });

  test('one is put into the pool by hand between look and write: until it is taken out, it may be anybody’s', async () => {
    const world = stand();
    world.before(['PUT', '/pools'], () => world.admin.updatePool('anna', { addVmids: [10003] }));
    const joined = apply(world, 'pool.join', payload);
    await expect(joined).rejects.toThrow('already a pool member');
    expect(world.writes).toEqual([]);
    await expect(apply(world, 'pool.join', payload)).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.writes).toEqual([]);
    await world.drive(world.admin.updatePool('anna', { removeVmids: [10003] }));
    expect((await apply(world, 'pool.join', payload)).outcome).toBe('done');
    expect(world.pool('anna')).toEqual({ comment: `${HEADER}\n${line()}`, vmids: ALL });
  });

  test("somebody's VM has taken the place of one since it was configured", async () => {
    const world = stand();
    const io = world.io();
    const ownership = new Ownership(
      ownershipReads({ pve: world.pve, hard: io.signal }),
      world.clock,
      io.signal,
    );
    const given = { ...io, ownership };
    // What the configuring of a moment ago has seen.
    await world.drive(ownership.assertOurs({ vmid: 10002, pool: 'anna' }));
    await world.drive(world.admin.deleteVm({ node: 'pve1', vmid: 10002 }, { purge: true }));
    await world.pass(60);
    await world.drive(world.byHand.post('/nodes/pve1/qemu', { vmid: 10002, name: 'theirs' }));
    await world.pass(10);
    const joined = world.drive(handlers['pool.join'](step('pool.join', payload), given));
    await expect(joined).rejects.toMatchObject({ code: 'NOT_OURS' });
    expect(world.writes).toEqual([]);
    expect(world.pool('anna')?.vmids).toEqual([]);
  });

  test('any other refusal fails the step', async () => {
    const denied = 'update pools failed: 403 Permission check failed (/vms/10001, Permissions.Modify)';
    const world = stand().fault(refused(['PUT', '/pools'], denied));
    await expect(apply(world, 'pool.join', payload)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      text: denied,
    });
    expect(world.writes).toEqual([]);
  });
});
