import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acquirePlanningLock, type PlanningLockOptions } from '../../src/lib/execute/cluster-lock.ts';
import { LOCK_POOL } from '../../src/lib/marks/lock.ts';
import type { PveClient } from '../../src/lib/proxmox/client.ts';
import type { RequestFault } from '../../src/lib/simulator/faults.ts';
import type { Scenario } from '../../src/lib/simulator/scenario.ts';
import { busy, lost, PveWorld, refused, START, VERSIONS } from './world.ts';
import { runs } from '../runs.ts';

type Options = Partial<PlanningLockOptions> & { readonly pve?: PveClient };

/** Each run has a client of its own. */
const acquire = (world: PveWorld, owner: string, { pve = world.client(), ...more }: Options = {}) =>
  acquirePlanningLock(pve, world.clock, { owner, nonce: owner, ...more });

const comment = (world: PveWorld) => world.pool(LOCK_POOL)?.comment;
const isFree = (world: PveWorld) => world.pool(LOCK_POOL) === undefined;

const until = (moment: number) => new Date(moment).toISOString();
const lockOf = (owner: string, moment: number) =>
  `deploy-stand-lock owner=${owner} run=x until=${until(moment)}`;

/** A cluster on which a run has left its lock. */
function withLock(owner: string, secondsLeft: number, more: Partial<Scenario> = {}): PveWorld {
  const text = lockOf(owner, Date.parse(START) + secondsLeft * 1000);
  return new PveWorld({ pools: [{ pool: LOCK_POOL, comment: text }], ...more });
}

const CREATE = ['POST', '/pools'] as const;
const UPDATE = ['PUT', '/pools'] as const;
const DELETE = ['DELETE', '/pools'] as const;

test.each(VERSIONS)(
  '%s: a free lock is taken at once, names its owner and deadline, and is gone after release',
  async (version) => {
    const world = new PveWorld({ version });
    const started = world.clock.now();
    const lock = await world.drive(acquire(world, 'anna  host-1', { nonce: 'ab12' }));
    expect(comment(world)).toMatch(
      /^deploy-stand-lock owner=anna host-1 run=ab12 until=2026-01-15T09:02:00\.\d{3}Z$/,
    );
    // No more than its requests take.
    expect(world.since(started)).toBeLessThan(0.5);
    expect(await lock.isHeld()).toBe(true);
    await world.drive(lock.release());
    expect(isFree(world)).toBe(true);
    expect(await lock.isHeld()).toBe(false);
  },
);

test('of two at once one waits for the other, and says for whom', async () => {
  const world = new PveWorld();
  const started = world.clock.now();
  const waits: string[] = [];
  const order: string[] = [];
  const work = async (owner: string) => {
    const lock = await acquire(world, owner, { onWait: (text) => waits.push(text) });
    order.push(`${owner} in`);
    await world.clock.sleep(30_000);
    expect(await lock.isHeld()).toBe(true);
    order.push(`${owner} out`);
    await lock.release();
  };
  await world.drive(Promise.all([work('anna'), work('boris')]));
  expect(order).toEqual(['anna in', 'anna out', 'boris in', 'boris out']);
  expect(new Set(waits)).toEqual(new Set(['waiting for anna, which is planning on this cluster']));
  expect(world.since(started)).toBeLessThan(30 + 5 + 2 + 30 + 2);
  expect(isFree(world)).toBe(true);
});

test('many runs come in one after the other', async () => {
  const world = new PveWorld();
  let inside = 0;
  const owners = Array.from({ length: 8 }, (_, index) => `run-${index}`);
  const work = async (owner: string) => {
    const lock = await acquire(world, owner, { patience: 3600_000 });
    expect((inside += 1)).toBe(1);
    await world.clock.sleep(7000);
    inside -= 1;
    await lock.release();
  };
  await world.drive(Promise.all(owners.map(work)));
  expect(isFree(world)).toBe(true);
});

test('a waiter reads; it does not write while it waits', async () => {
  const world = withLock('boris', 60);
  const lock = await world.drive(acquire(world, 'anna'));
  expect(world.writes).toEqual(['PUT /pools']);
  expect(world.sent.map(({ params }) => params['poolid'])).toEqual([LOCK_POOL]);
  await world.drive(lock.release());
});

describe('taking over', () => {
  test('an expired lock is taken over, not before its deadline', async () => {
    const world = withLock('boris', 50);
    const started = world.clock.now();
    const lock = await world.drive(acquire(world, 'anna'));
    expect(world.since(started)).toBeGreaterThan(50);
    // The deadline, a look at the most 5 s later, and the time in which others' late writes show.
    expect(world.since(started)).toBeLessThan(50 + 5 + 15 + 1);
    expect(comment(world)).toContain('owner=anna');
    await world.drive(lock.release());
  });

  test('several waiters at an expired lock: one gets it', async () => {
    const world = withLock('boris', -1);
    let inside = 0;
    const work = async (owner: string) => {
      const lock = await acquire(world, owner);
      expect((inside += 1)).toBe(1);
      await world.clock.sleep(5000);
      expect(await lock.isHeld()).toBe(true);
      inside -= 1;
      await lock.release();
    };
    await world.drive(Promise.all(['anna', 'clara', 'dora'].map(work)));
    expect(isFree(world)).toBe(true);
  });

  test('a lock renewed between two looks is left alone', async () => {
    const world = withLock('boris', -1);
    // Boris wakes up right before the look that precedes the deletion.
    const renew = () =>
      world.admin.updatePool(LOCK_POOL, { comment: lockOf('boris', world.clock.now() + 30_000) });
    world.before(['GET', '/pools'], renew, 3);
    const started = world.clock.now();
    const lock = await world.drive(acquire(world, 'anna'));
    expect(world.since(started)).toBeGreaterThan(30);
    await world.drive(lock.release());
  });
});

test('on any slow line and server, with or without an expired lock, never two are inside', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(fc.integer({ min: 0, max: 400 })),
      fc.boolean(),
      fc.constantFrom(150, 1500, 4000),
      fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 2, maxLength: 4 }),
      async (delays, isExpired, user_cfg_write_ms, starts) => {
        const latency = { user_cfg_write_ms };
        const world = isExpired ? withLock('boris', -1, { latency }) : new PveWorld({ latency });
        let inside = 0;
        const work = async (start: number, index: number) => {
          await world.clock.sleep(start);
          const pve = world.client({ delay: () => delays.next().value });
          const lock = await acquire(world, `run-${index}`, { pve });
          expect((inside += 1)).toBe(1);
          await world.clock.sleep(20_000);
          inside -= 1;
          await lock.release();
        };
        await world.drive(Promise.all(starts.map(work)));
        expect(isFree(world)).toBe(true);
      },
    ),
    runs(30, 2000),
  );
});

describe('while it is held', () => {
  test('the deadline moves on, so that a long plan keeps the lock', async () => {
    const world = new PveWorld();
    const lock = await world.drive(acquire(world, 'anna'));
    await world.pass(1000);
    expect(await lock.isHeld()).toBe(true);
    expect(comment(world)).toMatch(/until=2026-01-15T09:1[78]/);
    await world.drive(lock.release());
    const writes = world.writes.length;
    await world.pass(200);
    expect(world.writes).toHaveLength(writes);
  });

  test('a lock that somebody took over is noticed, never overwritten and never removed', async () => {
    const world = new PveWorld();
    const lock = await world.drive(acquire(world, 'anna'));
    const his = lockOf('boris', world.clock.now() + 500_000);
    await world.drive(world.admin.updatePool(LOCK_POOL, { comment: his }));
    await world.pass(60);
    expect(await lock.isHeld()).toBe(false);
    await world.drive(lock.release());
    expect(comment(world)).toBe(his);
  });

  test('it is renewed by the clock of PVE, which a simulation lets run faster than ours', async () => {
    const world = new PveWorld();
    const pve = world.client();
    const fast = Object.create(pve, {
      serverTime: {
        value: () => new Date(Date.parse(START) + (pve.serverTime().getTime() - Date.parse(START)) * 20),
      },
    }) as PveClient;
    const lock = await world.drive(acquire(world, 'anna', { pve: fast }));
    const first = comment(world);
    // Six seconds of ours are the two minutes that it lasts.
    await world.pass(4);
    expect(comment(world)).not.toBe(first);
    await world.pass(20);
    const started = world.clock.now();
    expect(await world.drive(lock.isHeld())).toBe(true);
    expect(world.since(started)).toBeLessThan(1); // not taken anew, which takes a quarter of a minute
    await world.drive(lock.release());
  });

  test('trouble with one renewal is mended by the next', async () => {
    const world = new PveWorld();
    const lock = await world.drive(acquire(world, 'anna'));
    await world.pass(35);
    world.cut(true);
    await world.pass(10);
    world.cut(false);
    await world.pass(255);
    expect(await lock.isHeld()).toBe(true);
    await world.drive(lock.release());
    expect(isFree(world)).toBe(true);
  });

  describe('its deadline passes while nothing can be renewed', () => {
    /** Cut off from the cluster for so long that others may take the lock. */
    const late = async () => {
      const world = new PveWorld();
      const lock = await world.drive(acquire(world, 'anna'));
      world.cut(true);
      await world.pass(130);
      return { world, lock };
    };

    test('nobody took it: it is moved on, with the time that shows others, and what was planned holds', async () => {
      const { world, lock } = await late();
      world.cut(false);
      const before = world.clock.now();
      expect(await world.drive(lock.isHeld())).toBe(true);
      expect(world.since(before)).toBeGreaterThan(14);
      expect(comment(world)).toContain('owner=anna');
      await world.pass(300);
      expect(await lock.isHeld()).toBe(true);
      await world.drive(lock.release());
      expect(isFree(world)).toBe(true);
    });

    test('it renews itself once the cluster is there again', async () => {
      const { world, lock } = await late();
      world.cut(false);
      await world.pass(30);
      const before = world.clock.now();
      expect(await world.drive(lock.isHeld())).toBe(true);
      expect(world.since(before)).toBe(0);
      await world.drive(lock.release());
    });

    test.each([
      ['another run has it', (world: PveWorld) => lockOf('boris', world.clock.now() + 60_000)],
      ['another run had it and gave it back', () => undefined],
    ])('%s: that is said, and its lock is left alone', async (_, his) => {
      const { world, lock } = await late();
      const text = his(world);
      await world.drive(
        text === undefined
          ? world.admin.deletePool(LOCK_POOL)
          : world.admin.updatePool(LOCK_POOL, { comment: text }),
      );
      world.cut(false);
      expect(await world.drive(lock.isHeld())).toBe(false);
      await world.drive(lock.release());
      expect(comment(world)).toBe(text);
    });

    test('another run writes over it at the same time: one of the two has it', async () => {
      const { world, lock } = await late();
      const other = acquire(world, 'boris', { pve: world.client() });
      world.cut(false);
      const [mine, his] = await world.drive(
        Promise.all([lock.isHeld(), Promise.race([other, world.clock.sleep(20_000)])]),
      );
      expect([mine, his !== undefined].filter(Boolean)).toHaveLength(1);
      await world.drive(lock.release());
      await world.drive((await world.drive(other)).release());
      expect(isFree(world)).toBe(true);
    });

    test('PVE cannot be asked: that is said, not that somebody took it over', async () => {
      const { world, lock } = await late();
      await expect(world.drive(lock.isHeld())).rejects.toMatchObject({ code: 'PVE_UNREACHABLE' });
    });
  });
});

describe('lost answers and locks', () => {
  test.each<{ name: string; fault: RequestFault }>([
    { name: 'create, before', fault: lost(CREATE, 'before') },
    { name: 'create, after', fault: lost(CREATE, 'after') },
    { name: 'create, lock timeout', fault: busy(CREATE) },
    { name: 'renew, before', fault: lost(UPDATE, 'before') },
    { name: 'renew, after', fault: lost(UPDATE, 'after') },
    { name: 'delete, before', fault: lost(DELETE, 'before') },
    { name: 'delete, after', fault: lost(DELETE, 'after') },
  ])('$name', async ({ fault }) => {
    const world = new PveWorld().fault(fault);
    const lock = await world.drive(acquire(world, 'anna'));
    await world.pass(60); // one renewal
    expect(await lock.isHeld()).toBe(true);
    await world.drive(lock.release());
    expect(isFree(world)).toBe(true);
    expect(world.writes).toEqual(['POST /pools', 'PUT /pools', 'DELETE /pools']);
  });
});

describe('giving up', () => {
  test('after the patience is used up, naming the holder', async () => {
    const world = new PveWorld();
    const holder = await world.drive(acquire(world, 'boris'));
    const started = world.clock.now();
    await expect(world.drive(acquire(world, 'anna'))).rejects.toMatchObject({
      exitCode: 3,
      code: 'PLANNING_LOCKED',
      message: 'boris has been planning on this cluster all the while (waited 600 s)',
    });
    expect(world.since(started)).toBeGreaterThan(590);
    expect(world.since(started)).toBeLessThanOrEqual(601);
    expect(comment(world)).toContain('owner=boris');
    await world.drive(holder.release());
  });

  test('a pool of that name that is not a lock never expires', async () => {
    const world = new PveWorld({ pools: [{ pool: LOCK_POOL, comment: 'mine' }] });
    await expect(world.drive(acquire(world, 'anna'))).rejects.toThrow(/its comment is not a lock of ours/);
    expect(comment(world)).toBe('mine');
  });

  test('an interrupt ends the waiting and leaves nothing behind', async () => {
    const world = withLock('boris', 100);
    const stop = new AbortController();
    const waiting = acquire(world, 'anna', {
      signal: stop.signal,
      onWait: () => stop.abort(new Error('SIGINT')),
    });
    await expect(world.drive(waiting)).rejects.toThrow('SIGINT');
    expect(comment(world)).toContain('owner=boris');
  });

  test('a refusal by PVE is passed on', async () => {
    const denied = 'Permission check failed (/pool/deploy-stand-lock, Pool.Allocate)';
    const world = new PveWorld().fault(refused(CREATE, denied, 403));
    await expect(world.drive(acquire(world, 'anna'))).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      text: denied,
      privilege: 'Pool.Allocate',
    });
  });
});

test('release is harmless twice, and never fails for trouble with PVE', async () => {
  const world = new PveWorld();
  const lock = await world.drive(acquire(world, 'anna'));
  world.fault(refused(DELETE, 'cluster not ready'));
  await world.drive(lock.release());
  await world.drive(lock.release());
  expect(await lock.isHeld()).toBe(false);
});
