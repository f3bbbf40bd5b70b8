/**
 * The cluster-wide planning lock: a pool that only one can create. Serialises reading, planning and claiming of all
 * runs on a cluster; must not be relied on for safety (claims are), because a run that stalls is overtaken.
 */
import type { Clock } from '../clock.ts';
import { PlanRefusedError, StandError } from '../errors.ts';
import { BALANCE_LOCK_POOL } from '../marks/lock.ts';
import { LockPool, type Holder, type LockOptions, type LockPve } from './lock-pool.ts';

export interface PlanningLock {
  /** Gives the lock back; again is harmless. Never throws for trouble with PVE: what is left expires by itself. */
  release(): Promise<void>;
  /**
   * Has nobody else had it since it was taken? False: what was planned may be out of date. Asks PVE when the deadline has
   * passed (planning was slow, the machine slept), and moves it on.
   */
  isHeld(): Promise<boolean>;
}

export interface PlanningLockOptions extends LockOptions {
  /** Told in words whom this run waits for, at every look. */
  readonly onWait?: (text: string) => void;
  /** Milliseconds to wait for another run. */
  readonly patience?: number;
}

const SECOND = 1000;
/** Whether it is time is asked of PVE's clock, since others judge by that one. */
const LOOK_EVERY = SECOND;
const FIRST_POLL = 2 * SECOND;
const LONGEST_POLL = 5 * SECOND;
const PATIENCE = 600 * SECOND;

/** Moves the deadline on until stopped, or until the lock turns out to be lost. */
async function keepRenewing(
  { isDue, renew }: { readonly isDue: () => boolean; readonly renew: () => Promise<boolean> },
  clock: Clock,
  stop: AbortSignal,
): Promise<void> {
  for (let wait = LOOK_EVERY; ;) {
    try {
      await clock.sleep(wait, stop);
    } catch {
      return;
    }
    if (!isDue()) continue;
    try {
      if (!(await renew())) return;
      wait = LOOK_EVERY;
    } catch (error) {
      // Trouble with PVE may pass.
      if (!(error instanceof StandError)) return;
      wait = LONGEST_POLL;
    }
  }
}

function workOf(pool: string): string {
  return pool === BALANCE_LOCK_POOL ? 'balancing' : 'planning';
}

function refusal({ pool }: LockPool, holder: Holder, patience: number): PlanRefusedError {
  const waited = `waited ${Math.round(patience / SECOND)} s`;
  return holder.until === undefined
    ? new PlanRefusedError(
        'PLANNING_LOCKED',
        `pool ${pool} exists, but its comment is not a lock of ours (${waited})`,
        { hint: `remove the pool ${pool} if no deploy-stand runs on this cluster` },
      )
    : new PlanRefusedError(
        'PLANNING_LOCKED',
        `${holder.owner} has been ${workOf(pool)} on this cluster all the while (${waited})`,
        { hint: `run the command again later; the lock expires at ${holder.until} unless it is renewed` },
      );
}

async function take(lock: LockPool, clock: Clock, options: PlanningLockOptions): Promise<void> {
  const patience = options.patience ?? PATIENCE;
  const started = clock.now();
  for (let poll = FIRST_POLL, contested = false; ; contested = true) {
    let holder = contested ? await lock.read() : undefined;
    if (!holder) {
      if (await lock.tryTake()) return;
      holder = await lock.read();
    }
    if (holder && lock.isPast(holder)) {
      options.onWait?.(`taking over from ${holder.owner}, which has not given the lock back`);
      if (await lock.takeOver(holder)) return;
      continue;
    }
    // A pool that is there and not shown (no Pool.Audit) cannot be told from one released this moment: wait for both.
    const shown = holder ?? { comment: '', owner: 'another run', until: undefined };
    options.onWait?.(`waiting for ${shown.owner}, which is ${workOf(lock.pool)} on this cluster`);
    if (clock.now() + poll - started > patience) throw refusal(lock, shown, patience);
    await clock.sleep(poll, options.signal);
    poll = Math.min(poll * 1.5, LONGEST_POLL);
  }
}

/** Removes a lock that a dead run left, for runs that have nothing to plan; a live one is left alone. */
export async function removeLeftLock(
  pve: LockPve,
  clock: Clock,
  options: Pick<PlanningLockOptions, 'owner' | 'isGone' | 'pool'>,
): Promise<void> {
  const lock = new LockPool(pve, clock, options);
  const holder = await lock.read();
  if (holder && lock.isPast(holder)) await lock.removeExpired(holder);
}

/** Waits for the lock, and takes it over from a run that let it expire. */
export async function acquirePlanningLock(
  pve: LockPve,
  clock: Clock,
  options: PlanningLockOptions,
): Promise<PlanningLock> {
  const lock = new LockPool(pve, clock, options);
  const giveBack = async () => {
    lock.detach();
    try {
      await lock.release();
    } catch (error) {
      if (!(error instanceof StandError)) throw error;
    }
  };
  try {
    await take(lock, clock, options);
  } catch (error) {
    await giveBack();
    throw error;
  }
  lock.detach();
  const stop = new AbortController();
  let current: Promise<boolean> | undefined;
  const renew = (): Promise<boolean> =>
    (current ??= lock.renew().finally(() => {
      current = undefined;
    }));
  const renewing = keepRenewing({ isDue: () => lock.isDue(), renew }, clock, stop.signal);
  let released: Promise<void> | undefined;
  const release = async () => {
    stop.abort();
    await renewing;
    await giveBack();
  };
  return {
    release: () => (released ??= release()),
    isHeld: () => (lock.isHeld && lock.isLate() ? renew() : Promise.resolve(lock.isHeld)),
  };
}
