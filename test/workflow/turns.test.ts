import { describe, expect, test } from 'vitest';
import { acquirePlanningLock, type PlanningLock } from '../../src/lib/execute/cluster-lock.ts';
import { LOCK_POOL } from '../../src/lib/marks/lock.ts';
import { Turns } from '../../src/lib/workflow/turns.ts';
import { PveWorld, virtualTime } from '../execute/world.ts';

const SECOND = 1000;

/** Whoever is called so waits for the lock of this cluster, and is told when it has it. */
const acquire = (world: PveWorld, owner: string) =>
  acquirePlanningLock(world.client(), world.clock, { owner, nonce: owner });

const holder = (world: PveWorld) => /owner=(\S+)/.exec(world.pool(LOCK_POOL)?.comment ?? '')?.[1];

describe('on a cluster', () => {
  interface Run {
    readonly world: PveWorld;
    readonly turns: Turns;
    /** How often the lock was taken. */
    readonly taken: () => number;
    /** A turn that takes so many seconds; says who had the lock. */
    readonly turn: (seconds?: number) => Promise<string | undefined>;
  }

  function run(world = new PveWorld(), held?: PlanningLock): Run {
    let taken = 0;
    const take = () => {
      taken += 1;
      return acquirePlanningLock(world.pve, world.clock, { owner: 'anna', nonce: `anna${taken}` });
    };
    const turns = new Turns(take, world.clock, held);
    const turn = (seconds = 0.1) =>
      turns.exclusively(async () => {
        await world.clock.sleep(seconds * SECOND);
        return holder(world);
      });
    return { world, turns, turn, taken: () => taken };
  }

  test('the lock is taken for the first turn, kept for the next ones, and given back soon after the last', async () => {
    const { world, turn, taken } = run();
    expect(holder(world)).toBeUndefined();
    expect(await world.drive(turn())).toBe('anna');
    await world.pass(1);
    expect(holder(world)).toBe('anna');
    expect(await world.drive(turn())).toBe('anna');
    expect(taken()).toBe(1);
    await world.pass(15);
    expect(holder(world)).toBeUndefined();
    expect(await world.drive(turn())).toBe('anna');
    expect(taken()).toBe(2);
  });

  test('turns that overlap share the lock, and it is not given back under one of them', async () => {
    const { world, turn, taken } = run();
    expect(await world.drive(Promise.all([turn(0.1), turn(15), turn(1)]))).toEqual(['anna', 'anna', 'anna']);
    expect(taken()).toBe(1);
  });

  test('a work that fails says so, and keeps the lock', async () => {
    const { world, turns, turn, taken } = run();
    const failing = turns.exclusively(() => Promise.reject(new Error('it failed')));
    await expect(world.drive(failing)).rejects.toThrow('it failed');
    expect(holder(world)).toBe('anna');
    expect(await world.drive(turn())).toBe('anna');
    expect(taken()).toBe(1);
    await world.pass(15);
    expect(holder(world)).toBeUndefined();
  });

  test('however often it is needed, others have it in between: the class next door does not wait for the end', async () => {
    const { world, turn, taken } = run();
    await world.drive(turn());
    let hadAfter = Infinity;
    let isOurs = true;
    const started = world.clock.now();
    const other = acquire(world, 'boris').then(async (lock) => {
      hadAfter = world.since(started);
      isOurs = false;
      await world.clock.sleep(3 * SECOND);
      isOurs = true;
      await lock.release();
    });
    const owners = new Set<string | undefined>();
    // A stand is finished each second, for two minutes.
    for (let times = 0; times < 120; times += 1) {
      owners.add(await world.drive(turn(0.2)));
      expect(isOurs).toBe(true);
      await world.pass(0.8);
    }
    await world.drive(other);
    expect([...owners]).toEqual(['anna']);
    // No later than the longest that it is kept, and the look that the other is due for.
    expect(hadAfter).toBeGreaterThan(1);
    expect(hadAfter).toBeLessThan(45);
    expect(taken()).toBeGreaterThan(1);
    // Every one costs requests: not for each turn.
    expect(taken()).toBeLessThan(10);
  });

  test('who waits for another run has its turn when that one gives the lock back', async () => {
    const { world, turn } = run();
    const lock = await world.drive(acquire(world, 'boris'));
    world.later(20, () => lock.release());
    const started = world.clock.now();
    expect(await world.drive(turn())).toBe('anna');
    expect(world.since(started)).toBeGreaterThan(19);
  });

  test('a lock that another run took over while this one did not get through is waited for, and taken anew', async () => {
    const { world, turns, turn, taken } = run();
    const log: string[] = [];
    const long = turns.exclusively(() => world.clock.sleep(400 * SECOND));
    await world.pass(1);
    world.cut(true);
    // The deadline passes; the other one has it for a while.
    const other = acquirePlanningLock(world.admin, world.clock, { owner: 'boris', nonce: 'b' }).then(
      async (lock) => {
        log.push('boris');
        await world.clock.sleep(200 * SECOND);
        log.push('boris gives it back');
        await lock.release();
      },
    );
    await world.pass(200);
    expect(holder(world)).toBe('boris');
    world.cut(false);
    const both = [turn(), turn()].map((one) => one.then((owner) => log.push(owner ?? 'nobody')));
    await world.drive(Promise.all([...both, other, long]));
    expect(log).toEqual(['boris', 'boris gives it back', 'anna', 'anna']);
    // One for both.
    expect(taken()).toBe(2);
    await world.drive(turns.end());
    expect(holder(world)).toBeUndefined();
  });

  test('the lock of the planning is kept until all is reserved, however long that takes', async () => {
    const world = new PveWorld();
    const { turns, turn, taken } = run(world, await world.drive(acquire(world, 'planner')));
    expect(await world.drive(turn())).toBe('planner');
    await world.pass(60);
    expect(await world.drive(turn())).toBe('planner');
    await world.drive(turns.leave());
    expect(holder(world)).toBeUndefined();
    expect(await world.drive(turn())).toBe('anna');
    expect(taken()).toBe(1);
  });

  test('all is reserved in the middle of a turn: the lock stays for its end', async () => {
    const world = new PveWorld();
    const { turns, turn } = run(world, await world.drive(acquire(world, 'planner')));
    const long = turn(5);
    await world.pass(1);
    await world.drive(turns.leave());
    expect(await world.drive(long)).toBe('planner');
    await world.pass(15);
    expect(holder(world)).toBeUndefined();
  });

  test('the end gives the lock back at once; without one it has nothing to do', async () => {
    const { world, turns, turn } = run();
    await world.drive(turns.end());
    expect(world.writes).toEqual([]);
    await world.drive(turn());
    const started = world.clock.now();
    await world.drive(turns.end());
    expect(holder(world)).toBeUndefined();
    expect(world.since(started)).toBeLessThan(0.5);
    await world.drive(turns.end());
    await world.pass(30);
    expect(holder(world)).toBeUndefined();
  });

  test('the end of a run that never left its planning gives that lock back', async () => {
    const world = new PveWorld();
    const { turns } = run(world, await world.drive(acquire(world, 'planner')));
    await world.drive(turns.end());
    expect(holder(world)).toBeUndefined();
  });
});

describe('trouble with the lock', () => {
  type Fake = PlanningLock & { isLost?: boolean };

  function fakes(...troubles: readonly Partial<PlanningLock>[]) {
    const { clock } = virtualTime();
    const log: string[] = [];
    let taken = 0;
    const take = async (): Promise<Fake> => {
      const number = (taken += 1);
      await clock.sleep(100);
      log.push(`take ${number}`);
      const release = (): Promise<void> => {
        log.push(`release ${number}`);
        return Promise.resolve();
      };
      return { release, isHeld: () => Promise.resolve(true), ...troubles[number - 1] };
    };
    return { clock, log, take, turns: new Turns(take, clock) };
  }

  test('while taking: the turn fails, the next one tries again', async () => {
    const { clock, log, take } = fakes();
    let tries = 0;
    const turns = new Turns(() => {
      tries += 1;
      return tries === 1 ? Promise.reject(new Error('locked')) : take();
    }, clock);
    const works: string[] = [];
    const work = (name: string) => turns.exclusively(() => Promise.resolve(works.push(name)));
    const both = await Promise.allSettled([work('a'), work('b')]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await work('c');
    expect(works).toEqual(['c']);
    expect(log).toEqual(['take 1']);
    await turns.end();
    expect(log).toEqual(['take 1', 'release 1']);
  });

  test('while asking whether it is still held: the turn fails, and the lock is not forgotten', async () => {
    let asked = 0;
    const isHeld = () => {
      asked += 1;
      return asked === 2 ? Promise.reject(new Error('no answer')) : Promise.resolve(true);
    };
    const { log, turns } = fakes({ isHeld });
    await turns.exclusively(() => Promise.resolve());
    await expect(turns.exclusively(() => Promise.resolve())).rejects.toThrow('no answer');
    // Taken anew it would wait for itself.
    await turns.exclusively(() => Promise.resolve());
    expect(log).toEqual(['take 1']);
    await turns.end();
    expect(log).toEqual(['take 1', 'release 1']);
  });

  test('of many that find it lost one takes it anew', async () => {
    let isLost = false;
    const { log, turns } = fakes({ isHeld: () => Promise.resolve(!isLost) });
    await turns.exclusively(() => Promise.resolve());
    isLost = true;
    const works = [1, 2, 3].map(() => turns.exclusively(() => Promise.resolve('done')));
    expect(await Promise.all(works)).toEqual(['done', 'done', 'done']);
    expect(log).toEqual(['take 1', 'take 2']);
  });

  test('while releasing: told to whoever needs it next, and at the end', async () => {
    const { clock, turns } = fakes({ release: () => Promise.reject(new Error('cannot be given back')) });
    await turns.exclusively(() => Promise.resolve());
    await clock.sleep(30 * SECOND);
    const next = turns.exclusively(() => Promise.resolve());
    await expect(next).rejects.toThrow('cannot be given back');
    await expect(turns.end()).rejects.toThrow('cannot be given back');
  });

  test('a turn that begins at the very moment in which the lock would be given back keeps it', async () => {
    const { clock, log, take } = fakes();
    let wake: () => void = () => undefined;
    const sleep = () => new Promise<void>((resolve) => (wake = resolve));
    const turns = new Turns(take, { now: clock.now.bind(clock), wallTime: clock.now.bind(clock), sleep });
    await turns.exclusively(() => Promise.resolve());
    wake();
    await turns.exclusively(async () => {
      await clock.sleep(SECOND);
      expect(log).toEqual(['take 1']);
    });
  });
});
