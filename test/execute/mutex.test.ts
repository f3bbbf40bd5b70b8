import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acquirePlanningLock, type PlanningLockOptions } from '../../src/lib/execute/mutex.ts';
import { LOCK_POOL } from '../../src/lib/marks/lock.ts';
import { UnreachableError } from '../../src/lib/proxmox/errors.ts';
import { FakePve, lockTimeout, lost, refuse } from './fake-pve.ts';

const acquire = (pve: FakePve, owner: string, more: Partial<PlanningLockOptions> = {}) =>
  acquirePlanningLock(pve.api, pve.clock, { owner, nonce: owner, ...more });

const comment = (pve: FakePve) => pve.pools.get(LOCK_POOL)?.comment;

function leaveLock(pve: FakePve, owner: string, secondsLeft: number): void {
  const until = new Date(pve.clock.now() + secondsLeft * 1000).toISOString();
  pve.pools.set(LOCK_POOL, {
    comment: `deploy-stand-lock owner=${owner} run=x until=${until}`,
    vmids: new Set(),
  });
}

const pass = (pve: FakePve, seconds: number) => pve.clock.drive(pve.clock.sleep(seconds * 1000));
const elapsed = (pve: FakePve, since: number) => (pve.clock.now() - since) / 1000;

test('a free lock is taken at once, names its owner and deadline, and is gone after release', async () => {
  const pve = new FakePve();
  const started = pve.clock.now();
  const lock = await pve.clock.drive(acquire(pve, 'anna  host-1', { nonce: 'ab12' }));
  expect(comment(pve)).toBe('deploy-stand-lock owner=anna host-1 run=ab12 until=2026-01-15T09:02:00.000Z');
  expect(elapsed(pve, started)).toBe(0);
  expect(() => lock.assertHeld()).not.toThrow();
  await pve.clock.drive(lock.release());
  expect(pve.pools.size).toBe(0);
  expect(() => lock.assertHeld()).toThrow(/took over/);
});

test('of two at once one waits for the other, and says for whom', async () => {
  const pve = new FakePve();
  const started = pve.clock.now();
  const waits: string[] = [];
  const order: string[] = [];
  const work = async (owner: string) => {
    const lock = await acquire(pve, owner, { onWait: (text) => waits.push(text) });
    order.push(`${owner} in`);
    await pve.clock.sleep(30_000);
    lock.assertHeld();
    order.push(`${owner} out`);
    await lock.release();
  };
  await pve.clock.drive(Promise.all([work('anna'), work('boris')]));
  expect(order).toEqual(['anna in', 'anna out', 'boris in', 'boris out']);
  expect(new Set(waits)).toEqual(new Set(['waiting for anna, which is planning on this cluster']));
  expect(elapsed(pve, started)).toBeLessThan(30 + 5 + 2 + 30 + 1);
  expect(pve.pools.size).toBe(0);
});

test('many runs come in one after the other', async () => {
  const pve = new FakePve();
  let inside = 0;
  const owners = Array.from({ length: 8 }, (_, index) => `run-${index}`);
  const work = async (owner: string) => {
    const lock = await acquire(pve, owner, { patience: 3600_000 });
    expect((inside += 1)).toBe(1);
    await pve.clock.sleep(7000);
    inside -= 1;
    await lock.release();
  };
  await pve.clock.drive(Promise.all(owners.map(work)));
  expect(pve.pools.size).toBe(0);
});

test('a waiter reads; it does not write while it waits', async () => {
  const pve = new FakePve();
  leaveLock(pve, 'boris', 60);
  const lock = await pve.clock.drive(acquire(pve, 'anna'));
  expect(pve.writes).toEqual([`deletePool ${LOCK_POOL}`, `createPool ${LOCK_POOL}`]);
  await pve.clock.drive(lock.release());
});

describe('taking over', () => {
  test('an expired lock is taken over, not before its deadline', async () => {
    const pve = new FakePve();
    leaveLock(pve, 'boris', 50);
    const started = pve.clock.now();
    const lock = await pve.clock.drive(acquire(pve, 'anna'));
    expect(elapsed(pve, started)).toBeGreaterThan(50);
    expect(elapsed(pve, started)).toBeLessThan(60);
    expect(comment(pve)).toContain('owner=anna');
    await pve.clock.drive(lock.release());
  });

  test('several waiters at an expired lock: one gets it', async () => {
    const pve = new FakePve();
    leaveLock(pve, 'boris', -1);
    let inside = 0;
    const work = async (owner: string) => {
      const lock = await acquire(pve, owner);
      expect((inside += 1)).toBe(1);
      await pve.clock.sleep(5000);
      expect(() => lock.assertHeld()).not.toThrow();
      inside -= 1;
      await lock.release();
    };
    await pve.clock.drive(Promise.all(['anna', 'clara', 'dora'].map(work)));
    expect(pve.pools.size).toBe(0);
  });

  test('a lock renewed between two looks is left alone', async () => {
    const pve = new FakePve();
    leaveLock(pve, 'boris', -1);
    const api = pve.api;
    let looks = 0;
    const pools = async () => {
      // Boris wakes up right before the look that precedes the deletion.
      if ((looks += 1) === 3) leaveLock(pve, 'boris', 30);
      return api.pools();
    };
    const watched = new Proxy(api, {
      get: (target, name, receiver: unknown) =>
        name === 'pools' ? pools : (Reflect.get(target, name, receiver) as unknown),
    });
    const started = pve.clock.now();
    const options = { owner: 'anna', nonce: 'anna' };
    const lock = await pve.clock.drive(acquirePlanningLock(watched, pve.clock, options));
    expect(elapsed(pve, started)).toBeGreaterThan(30);
    await pve.clock.drive(lock.release());
  });
});

/** The same PVE at the end of a slow line: requests and answers take their time. */
function slowly(pve: FakePve, millis: () => number): FakePve['api'] {
  return new Proxy(pve.api, {
    get: (target, name, receiver: unknown) => {
      const method = Reflect.get(target, name, receiver) as (...given: unknown[]) => unknown;
      if (name === 'serverTime') return method;
      return async (...given: unknown[]) => {
        await pve.clock.sleep(millis());
        try {
          return await method(...given);
        } finally {
          await pve.clock.sleep(millis());
        }
      };
    },
  });
}

test('on any slow line, with or without an expired lock, never two are inside', async () => {
  const delays = fc.infiniteStream(fc.integer({ min: 0, max: 400 }));
  await fc.assert(
    fc.asyncProperty(
      delays,
      fc.boolean(),
      fc.integer({ min: 2, max: 4 }),
      async (stream, isExpired, runs) => {
        const pve = new FakePve();
        if (isExpired) leaveLock(pve, 'boris', -1);
        const api = slowly(pve, () => stream.next().value);
        let inside = 0;
        const work = async (owner: string) => {
          const lock = await acquirePlanningLock(api, pve.clock, { owner, nonce: owner });
          expect((inside += 1)).toBe(1);
          await pve.clock.sleep(20_000);
          inside -= 1;
          await lock.release();
        };
        const owners = Array.from({ length: runs }, (_, index) => `run-${index}`);
        await pve.clock.drive(Promise.all(owners.map(work)));
        expect(pve.pools.size).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});

describe('while it is held', () => {
  test('the deadline moves on, so that a long plan keeps the lock', async () => {
    const pve = new FakePve();
    const lock = await pve.clock.drive(acquire(pve, 'anna'));
    await pass(pve, 1000);
    expect(() => lock.assertHeld()).not.toThrow();
    expect(comment(pve)).toMatch(/until=2026-01-15T09:1[78]/);
    await pve.clock.drive(lock.release());
    const writes = pve.writes.length;
    await pass(pve, 200);
    expect(pve.writes).toHaveLength(writes);
  });

  test('a lock that somebody took over is noticed, never overwritten and never removed', async () => {
    const pve = new FakePve();
    const lock = await pve.clock.drive(acquire(pve, 'anna'));
    leaveLock(pve, 'boris', 500);
    const his = comment(pve);
    await pass(pve, 60);
    expect(() => lock.assertHeld()).toThrow(/took over/);
    await pve.clock.drive(lock.release());
    expect(comment(pve)).toBe(his);
  });

  test('trouble with one renewal is mended by the next', async () => {
    const pve = new FakePve();
    const lock = await pve.clock.drive(acquire(pve, 'anna'));
    pve.fault('pools', new UnreachableError('GET', '/pools', 'ECONNREFUSED'));
    await pass(pve, 300);
    expect(() => lock.assertHeld()).not.toThrow();
    await pve.clock.drive(lock.release());
    expect(pve.pools.size).toBe(0);
  });

  test('without any renewal the lock counts as lost at its deadline', async () => {
    const pve = new FakePve();
    const lock = await pve.clock.drive(acquire(pve, 'anna'));
    for (let i = 0; i < 50; i += 1) pve.fault('pools', new UnreachableError('GET', '/pools', 'ECONNREFUSED'));
    await pass(pve, 119);
    expect(() => lock.assertHeld()).not.toThrow();
    await pass(pve, 2);
    expect(() => lock.assertHeld()).toThrow(/took over/);
  });
});

describe('lost answers and locks', () => {
  test.each([
    { name: 'create, before', method: 'createPool', when: 'before', error: lost() },
    { name: 'create, after', method: 'createPool', when: 'after', error: lost() },
    { name: 'create, lock timeout', method: 'createPool', when: 'before', error: lockTimeout() },
    { name: 'renew, before', method: 'updatePool', when: 'before', error: lost() },
    { name: 'renew, after', method: 'updatePool', when: 'after', error: lost() },
    { name: 'delete, before', method: 'deletePool', when: 'before', error: lost() },
    { name: 'delete, after', method: 'deletePool', when: 'after', error: lost() },
  ] as const)('$name', async ({ method, when, error }) => {
    const pve = new FakePve().fault(method, error, when);
    const lock = await pve.clock.drive(acquire(pve, 'anna'));
    await pass(pve, 60); // one renewal
    expect(() => lock.assertHeld()).not.toThrow();
    await pve.clock.drive(lock.release());
    expect(pve.pools.size).toBe(0);
    expect(pve.writes).toHaveLength(3);
  });
});

describe('giving up', () => {
  test('after the patience is used up, naming the holder', async () => {
    const pve = new FakePve();
    const holder = await pve.clock.drive(acquire(pve, 'boris'));
    const started = pve.clock.now();
    await expect(pve.clock.drive(acquire(pve, 'anna'))).rejects.toMatchObject({
      exitCode: 3,
      code: 'PLANNING_LOCKED',
      message: 'boris has been planning on this cluster all the while (waited 600 s)',
    });
    expect(elapsed(pve, started)).toBeGreaterThan(590);
    expect(elapsed(pve, started)).toBeLessThanOrEqual(600);
    expect(comment(pve)).toContain('owner=boris');
    await pve.clock.drive(holder.release());
  });

  test('a pool of that name that is not a lock never expires', async () => {
    const pve = new FakePve();
    pve.pools.set(LOCK_POOL, { comment: 'mine', vmids: new Set() });
    await expect(pve.clock.drive(acquire(pve, 'anna'))).rejects.toThrow(/its comment is not a lock of ours/);
    expect(comment(pve)).toBe('mine');
  });

  test('an interrupt ends the waiting and leaves nothing behind', async () => {
    const pve = new FakePve();
    leaveLock(pve, 'boris', 100);
    const stop = new AbortController();
    const waiting = acquire(pve, 'anna', {
      signal: stop.signal,
      onWait: () => stop.abort(new Error('SIGINT')),
    });
    await expect(pve.clock.drive(waiting)).rejects.toThrow('SIGINT');
    expect(comment(pve)).toContain('owner=boris');
  });

  test('a refusal by PVE is passed on', async () => {
    const denied = refuse('Permission check failed (/pool/deploy-stand-lock, Pool.Allocate)', {}, 403);
    const pve = new FakePve().fault('createPool', denied);
    await expect(pve.clock.drive(acquire(pve, 'anna'))).rejects.toBe(denied);
  });
});

test('release is harmless twice, and never fails for trouble with PVE', async () => {
  const pve = new FakePve();
  const lock = await pve.clock.drive(acquire(pve, 'anna'));
  pve.fault('deletePool', refuse('cluster not ready'));
  await pve.clock.drive(lock.release());
  await pve.clock.drive(lock.release());
  expect(() => lock.assertHeld()).toThrow(/took over/);
});
