/** The clock and the locks by themselves, and the texts that contention produces. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Locks } from '../../src/lib/simulator/tasks/locks.ts';
import { createSimClock, type SimClock } from '../../src/lib/simulator/time/sim-clock.ts';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';
import { start } from './harness.ts';

const clocks: SimClock[] = [];
function kept<T extends SimClock>(clock: T): T {
  clocks.push(clock);
  return clock;
}
afterEach(() => clocks.splice(0).forEach((clock) => clock.stop()));

const newClock = () => kept(new VirtualTime(0));

describe.each([
  { name: 'virtual time', newClock },
  { name: 'time of the wall, work done fast', newClock: () => kept(createSimClock(0, 1e9)) },
])('$name', ({ newClock }) => {
  test('events come in the order of their time, and see that time', async () => {
    const clock = newClock();
    const begin = clock.now();
    const seen: [number, number][] = [];
    const wait = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        const due = begin + clock.lasts(ms);
        clock.at(due, () => {
          seen.push([ms, clock.now() - due]);
          resolve();
        });
      });
    await Promise.all([wait(5000), wait(100), wait(3000), wait(100)]);
    expect(seen.map(([ms]) => ms)).toEqual([100, 100, 3000, 5000]);
    expect(seen.every(([, late]) => late === 0)).toBe(true);
  });

  test('time never passes an event that has not been handled, however slow the machine', async () => {
    let wall = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => wall);
    const clock = newClock();
    const order: string[] = [];
    const holder = clock.sleep(5).then(async () => {
      await clock.sleep(5);
      order.push('released at 10');
    });
    clock.at(clock.after(11), () => order.push('timeout at 11'));
    wall = 20;
    await holder;
    await clock.sleep(5);
    expect(order).toEqual(['released at 10', 'timeout at 11']);
  });

  test('a cancelled event does not happen', async () => {
    const clock = newClock();
    let fired = false;
    clock.at(clock.after(100), () => (fired = true))();
    await clock.sleep(500);
    expect(fired).toBe(false);
  });
});

test('for clients of other processes a day of work is over at once, and their locks are as old as they think', async () => {
  const clock = kept(createSimClock(0, 1e9));
  await clock.sleep(86_400_000);
  expect(clock.now()).toBeLessThan(120_000);
});

describe('locks', () => {
  test('flock: shared holders let shared ones in and keep an exclusive one out', async () => {
    const clock = newClock();
    const locks = new Locks(clock, false);
    const a = await locks.flock('n', '/f', 'shared', 1000);
    const b = await locks.flock('n', '/f', 'shared', 1000);
    await expect(locks.flock('n', '/f', 'exclusive', 1000)).rejects.toThrow(
      "can't lock file '/f' - got timeout",
    );
    const waiting = locks.flock('n', '/f', 'exclusive', 10_000);
    a();
    b();
    (await waiting)();
    // Another node has a file of its own.
    const c = await locks.flock('n', '/f', 'exclusive', 1000);
    (await locks.flock('m', '/f', 'exclusive', 0))();
    c();
  });

  test('a cfs lock is polled every second for ten, and waiters do not queue', async () => {
    const clock = newClock();
    const locks = new Locks(clock, false);
    const release = await locks.cfs('storage-x');
    const begin = clock.now();
    await expect(locks.cfs('storage-x')).rejects.toThrow(
      "cfs-lock 'storage-x' error: got lock request timeout",
    );
    expect(clock.now() - begin).toBeGreaterThanOrEqual(9_000);
    expect(clock.now() - begin).toBeLessThanOrEqual(10_000);
    const waiter = locks.cfs('storage-x').then((mine) => ({ at: clock.now(), mine }));
    await clock.sleep(100);
    const freed = clock.now();
    release();
    const { at, mine } = await waiter;
    expect(at - freed).toBeGreaterThan(500);
    mine();
  });

  test('since 9.1 one looks the more often the less time is left', async () => {
    const clock = newClock();
    const locks = new Locks(clock, true);
    const held = await locks.cfs('x');
    const begin = clock.now();
    const waiter = locks.cfs('x').then((mine) => ({ at: clock.now() - begin, mine }));
    // Looks after 0, 1, 1.9, 2.8 s and so on, and every tenth of the last second.
    await clock.sleep(9_150);
    held();
    const { at, mine } = await waiter;
    expect([at > 9_150, at - 9_150 <= 100]).toEqual([true, true]);
    const late = clock.now();
    await expect(locks.cfs('x')).rejects.toThrow('got lock request timeout');
    expect(clock.now() - late).toBeGreaterThan(9_800);
    mine();
  });

  test('a newcomer overtakes those who sleep', async () => {
    const clock = newClock();
    const locks = new Locks(clock, false);
    const release = await locks.cfs('x');
    const waiter = locks.cfs('x');
    await clock.sleep(100);
    release();
    const newcomer = await locks.cfs('x');
    newcomer();
    (await waiter)();
    expect(locks.isCfsHeld('x')).toBe(false);
  });
});

// Three workers take three writes at once: the first two fill the ten seconds of the third.
test('user.cfg is one lane: slow writers make the others time out with a 500', async () => {
  const { root } = await start({ latency: { user_cfg_write_ms: 6_000 } });
  const replies = await Promise.all(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((poolid) => root.post('/pools', { poolid })),
  );
  const reasons = replies.map((reply) => reply.reason);
  expect(reasons.filter((reason) => reason === 'OK').length).toBeGreaterThanOrEqual(2);
  expect(reasons).toContain("create pool failed: cfs-lock 'file-user_cfg' error: got lock request timeout");
});

test('clones on shared storage wait for the cluster-wide lock, on local storage for that of the node', async () => {
  const slow = { storage_lock_s: 6, linked_clone_s: 7 };
  const { root } = await start({ latency: slow });
  const clone = (newid: number): Promise<string> =>
    root.task('POST', '/nodes/pve1/qemu/100/clone', { newid });
  const ends = await Promise.all([clone(10001), clone(10002), clone(10003), clone(10004)]);
  expect(ends.filter((end) => end === 'OK').length).toBeGreaterThanOrEqual(1);
  expect(ends).toContain("clone failed: cfs-lock 'storage-ceph' error: got lock request timeout");
});

test('a rolled back clone leaves nothing', async () => {
  const slow = { storage_lock_s: 6, linked_clone_s: 7 };
  const { root, sim } = await start({ latency: slow });
  const ids = [10001, 10002, 10003, 10004];
  const ends = await Promise.all(
    ids.map((newid) => root.task('POST', '/nodes/pve1/qemu/100/clone', { newid })),
  );
  const { guests, volumes } = sim.snapshot();
  const failed = ids.filter((_, i) => ends[i] !== 'OK');
  expect(failed.length).toBeGreaterThan(0);
  expect(guests.filter((guest) => failed.includes(guest.vmid))).toEqual([]);
  expect(volumes.filter((volume) => failed.includes(volume.vmid ?? 0))).toEqual([]);
});

test('local storage: the text names the lock file', async () => {
  const { root } = await start({
    templates: [{ vmid: 100, name: 'tpl', node: 'pve1', storage: 'local-lvm' }],
    latency: { storage_lock_s: 6, linked_clone_s: 7 },
  });
  const ids = [10001, 10002, 10003, 10004];
  const ends = await Promise.all(
    ids.map((newid) => root.task('POST', '/nodes/pve1/qemu/100/clone', { newid })),
  );
  expect(ends.filter((end) => end === 'OK')).toHaveLength(2);
  expect(ends).toContain(
    "clone failed: can't lock file '/var/lock/pve-manager/pve-storage-local-lvm' - got timeout",
  );
});
