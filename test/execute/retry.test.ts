import { describe, expect, test } from 'vitest';
import { attempt, awaitTask } from '../../src/lib/execute/retry.ts';
import type { StepOutcome } from '../../src/lib/execute/types.ts';
import {
  AnswerLostError,
  NodeUnreachableError,
  PveError,
  UnreachableError,
} from '../../src/lib/proxmox/errors.ts';
import { StepError } from '../../src/lib/execute/step-error.ts';
import { isLockTimeout } from '../../src/lib/proxmox/words.ts';
import type { RequestFault } from '../../src/lib/simulator/faults.ts';
import { busy, lost, onPve1, PveWorld, refused, taskEnds, vm } from './world.ts';

const POOLS = ['POST', '/pools'] as const;
const RELOAD = ['PUT', '/nodes/pve1/network'] as const;
const BUSY_RELOAD = "command 'ifreload -a' failed: exit code 89";

/** What meets a request: `away`: nothing gets through to PVE. */
type Trouble = 'away' | RequestFault;

const lockTimeout = busy(POOLS);
const lostBefore = lost(POOLS, 'before');
const lostAfter = lost(POOLS, 'after');
const noQuorum = refused(POOLS, "cfs-lock 'x' error: no quorum!");
const readOnly = refused(
  POOLS,
  "unable to open file '/etc/pve/nodes/pve1/qemu-server/100.conf.tmp.4711' - Permission denied",
);
const noWorker = refused(POOLS, 'got no worker upid - start worker failed');
const hungUp = { ...refused(POOLS, 'Unexpected end-of-file', 596) };
const reloadBusy = taskEnds(RELOAD, BUSY_RELOAD);

async function meeting<T>(world: PveWorld, trouble: Trouble | undefined, ask: () => Promise<T>): Promise<T> {
  if (trouble !== undefined && trouble !== 'away') world.fault(trouble);
  world.cut(trouble === 'away');
  try {
    return await ask();
  } finally {
    world.cut(false);
  }
}

interface Given {
  /** Of the writes, one after the other; `forever`: the last one of all that follow. */
  readonly writes: readonly Trouble[];
  readonly forever?: boolean;
  /** Of the looks, likewise. */
  readonly looks?: readonly (Trouble | undefined)[];
  readonly write?: (world: PveWorld) => Promise<unknown>;
}

/** Runs an attempt to create a pool (or another write) that meets trouble, then succeeds. */
async function meet({ writes, forever = false, looks = [], write }: Given) {
  const world = new PveWorld(onPve1({ staged: [{ name: 'vmbr1000' }] }));
  await world.drive(world.pve.version()); // which is asked for once
  const io = world.io();
  const log: string[] = [];
  const [writesLeft, looksLeft] = [[...writes], [...looks]];
  const next = () => (forever ? writesLeft[0] : writesLeft.shift());
  const started = world.clock.now();
  const create = () => world.pve.createPool('anna', '');
  const work = attempt(io, {
    id: 'step',
    act: async (): Promise<StepOutcome> => {
      log.push('act');
      await meeting(world, next(), () => (write ? write(world) : create()));
      return 'done';
    },
    look: async () => {
      log.push('look');
      const pools = await meeting(world, looksLeft.shift(), () => world.pve.pools());
      return pools.length > 0 ? 'done' : 'absent';
    },
  });
  const end = await world.drive(work).then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({ error }),
  );
  return { ...end, log, retries: io.retries, seconds: world.since(started), world };
}

/** The task's own errors need its task. */
const reload = async (world: PveWorld) =>
  awaitTask(world.io(), await world.pve.reloadNetwork('pve1')).then(() => undefined);

describe('attempt', () => {
  test.each<{ name: string; given: Given; log: string[] }>([
    { name: 'a lock timeout is waited out', given: { writes: [lockTimeout] }, log: ['act', 'act'] },
    {
      name: 'a busy reload is waited out',
      given: { writes: [reloadBusy], write: reload },
      log: ['act', 'act'],
    },
    { name: 'no quorum is waited out', given: { writes: [noQuorum] }, log: ['act', 'act'] },
    { name: 'so is a file system that takes no write', given: { writes: [readOnly] }, log: ['act', 'act'] },
    { name: 'a task without a process is started again', given: { writes: [noWorker] }, log: ['act', 'act'] },
    {
      name: 'an answer that ended at once is looked up, too',
      given: { writes: [hungUp, hungUp] },
      log: ['act', 'look', 'act', 'look', 'act'],
    },
    { name: 'an unreachable host is tried again', given: { writes: ['away'] }, log: ['act', 'act'] },
    {
      name: 'a lost answer is looked up before the write is repeated',
      given: { writes: [lostBefore, lostBefore] },
      log: ['act', 'look', 'act', 'look', 'act'],
    },
  ])('$name', async ({ given, log }) => {
    const ran = await meet(given);
    expect(ran).toMatchObject({ outcome: 'done', log });
    expect(ran.retries).toHaveLength(given.writes.length);
  });

  test('a lost answer of a write that was carried out is the end', async () => {
    const ran = await meet({ writes: [lostAfter] });
    expect(ran).toMatchObject({ outcome: 'already-done', log: ['act', 'look'], retries: [] });
    // Two requests, no wait.
    expect(ran.seconds).toBeLessThan(0.5);
    expect(ran.world.writes).toEqual(['POST /pools']);
  });

  test('the look itself is repeated while PVE is away, and the write only after it', async () => {
    const ran = await meet({ writes: [lostBefore], looks: ['away', 'away'] });
    expect(ran.log).toEqual(['act', 'look', 'look', 'look', 'act']);
    expect(ran.world.writes).toEqual(['POST /pools']);
  });

  test('only lock timeouts are reported as such', async () => {
    const ran = await meet({ writes: [lockTimeout, 'away', noQuorum] });
    expect(ran.retries.map(({ busy }) => busy?.of)).toEqual(['user.cfg', undefined, undefined]);
    expect(ran.retries[0]?.because).toMatch(/got lock request timeout/);
    expect(ran.retries[2]?.because).toMatch(/^the cluster has no quorum: /);
    const reloaded = await meet({ writes: [reloadBusy], write: reload });
    expect(reloaded.retries).toMatchObject([{ busy: undefined }]);
  });

  test('waits grow, up to half a minute, and are the same in every run', async () => {
    const writes = Array.from({ length: 9 }, () => lockTimeout);
    const waits = (await meet({ writes })).retries.map(({ waitMs }) => waitMs / 1000);
    expect(waits).toHaveLength(9);
    waits.forEach((wait, index) => {
      expect(wait).toBeGreaterThanOrEqual(0.75 * Math.min(2 ** index, 30));
      expect(wait).toBeLessThanOrEqual(1.25 * Math.min(2 ** index, 30));
    });
    expect((await meet({ writes })).retries.map(({ waitMs }) => waitMs / 1000)).toEqual(waits);
  });

  test.each<{
    name: string;
    trouble: Trouble;
    kind: (error: unknown) => boolean;
    atLeast: number;
    atMost: number;
  }>([
    { name: 'lock timeouts', trouble: lockTimeout, kind: isLockTimeout, atLeast: 540, atMost: 600 },
    {
      name: 'lost answers',
      trouble: lostBefore,
      kind: (error) => error instanceof AnswerLostError,
      atLeast: 540,
      atMost: 601,
    },
    {
      name: 'answers that end at once',
      trouble: hungUp,
      kind: (error) => error instanceof AnswerLostError && /pveum user list/.test(error.hint ?? ''),
      atLeast: 10,
      atMost: 31,
    },
    {
      name: 'a lost quorum',
      trouble: readOnly,
      kind: (error) => error instanceof StepError && error.code === 'NO_QUORUM',
      atLeast: 80,
      atMost: 121,
    },
    {
      name: 'an unreachable host',
      trouble: 'away',
      kind: (error) => error instanceof UnreachableError,
      atLeast: 80,
      // The client's own tries take two seconds each time.
      atMost: 124,
    },
  ])('$name are put up with for a bounded time', async ({ trouble, kind, atLeast, atMost }) => {
    const ran = await meet({ writes: [trouble], forever: true });
    expect(ran).toHaveProperty('error');
    expect(kind('error' in ran ? ran.error : undefined)).toBe(true);
    expect(ran.seconds).toBeGreaterThan(atLeast);
    expect(ran.seconds).toBeLessThanOrEqual(atMost);
    expect(ran.world.writes).toEqual([]);
  });

  test('other errors are not repeated', async () => {
    const ran = await meet({ writes: [refused(POOLS, "pool 'x' does not exist")] });
    expect(ran).toMatchObject({ error: { text: "pool 'x' does not exist" }, log: ['act'], retries: [] });
    expect('error' in ran && ran.error).toBeInstanceOf(PveError);
  });

  test('a hard stop ends the waiting', async () => {
    const world = new PveWorld().fault(lockTimeout);
    const hard = new AbortController();
    const io = { ...world.io(), signal: hard.signal };
    const work = attempt(io, {
      id: 'step',
      act: async () => {
        queueMicrotask(() => hard.abort(new Error('leave')));
        await world.pve.createPool('anna', '');
        return 'done';
      },
      look: () => Promise.resolve('absent'),
    });
    await expect(world.drive(work)).rejects.toThrow(/leave|lock request timeout/);
    expect(io.retries.length).toBeLessThanOrEqual(1);
  });
});

test('losing sight of a task is a lost answer: nothing may start it again unseen', async () => {
  const world = new PveWorld({ guests: [vm(101, 'pve1')] });
  const upid = await world.drive(world.pve.startVm({ node: 'pve1', vmid: 101 }));
  world.cut(true);
  await expect(world.drive(awaitTask(world.io(), upid))).rejects.toBeInstanceOf(AnswerLostError);
});

/** A write of this world, tried as a step. */
const tryPool = (
  world: PveWorld,
  io: ReturnType<PveWorld['io']>,
  id: string,
  onAct: () => unknown = () => undefined,
) =>
  attempt(io, {
    id,
    act: async () => {
      onAct();
      await world.pve.createPool(id, '');
      return 'done';
    },
    look: () => Promise.resolve('absent'),
  }).catch((error: unknown) => error);

test('a run that has lost PVE for two minutes asks no more: the other steps fail at once', async () => {
  const world = new PveWorld();
  const io = world.io();
  world.cut(true);
  let asked = 0;
  const step = (id: string) => world.drive(tryPool(world, io, id, () => (asked += 1)));
  expect(await step('first')).toBeInstanceOf(UnreachableError);
  const before = { asked, at: world.clock.now() };
  for (const id of ['second', 'third']) {
    expect(await step(id)).toBeInstanceOf(UnreachableError);
  }
  expect(world.since(before.at)).toBeLessThan(40);
  expect(asked - before.asked).toBeLessThanOrEqual(1);
});

test('an answer in between, even a refusal, starts the patience anew', async () => {
  const world = new PveWorld({ pools: [{ pool: 'taken' }] });
  const io = world.io();
  world.cut(true);
  world.later(60, () => {
    world.cut(false);
  });
  expect(await world.drive(tryPool(world, io, 'taken'))).toBeInstanceOf(PveError);
  world.cut(true);
  const started = world.clock.now();
  expect(await world.drive(tryPool(world, io, 'last'))).toBeInstanceOf(UnreachableError);
  // Of a silence that began with the first step less than that would be left.
  expect(world.since(started)).toBeGreaterThan(60);
});

test('of a node that stays away each step tells its own request, not the one of another step', async () => {
  const world = new PveWorld();
  world.powerOff('pve3');
  const io = world.io();
  const fail = (id: string, vmid: number) =>
    attempt(io, {
      id,
      act: async () => {
        await world.pve.guestConfig({ node: 'pve3', vmid });
        return 'done';
      },
      look: () => Promise.resolve('absent'),
    }).catch((error: unknown) => error);
  const errors = await world.drive(Promise.all([fail('a', 101), fail('b', 102), fail('c', 103)]));
  for (const error of errors) expect(error).toBeInstanceOf(NodeUnreachableError);
  expect(errors.map((error) => (error instanceof Error ? error.message : ''))).toEqual(
    [101, 102, 103].map((vmid) => `GET /nodes/pve3/qemu/${vmid}/config: status 595 No route to host`),
  );
});
