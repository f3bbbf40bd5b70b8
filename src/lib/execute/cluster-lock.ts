/**
 * The cluster-wide planning lock: a pool that only one can create. Serialises reading, planning and claiming of all
 * runs on a cluster; must not be relied on for safety (claims are), because a run that stalls is overtaken.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { PlanRefusedError, StandError } from '../errors.ts';
import { BALANCE_LOCK_POOL, formatLockMark, LOCK_POOL, parseLockMark, type LockMark } from '../marks/lock.ts';
import { isAlreadyExists, isNotFound } from '../proxmox/words.ts';
import type { PveApi } from '../proxmox/types.ts';
import { attempt, type RetryIo } from './retry.ts';

export interface PlanningLock {
  /** Gives the lock back; again is harmless. Never throws for trouble with PVE: what is left expires by itself. */
  release(): Promise<void>;
  /**
   * Has nobody else had it since it was taken? False: what was planned may be out of date. Asks PVE when the deadline has
   * passed (planning was slow, the machine slept), and moves it on.
   */
  isHeld(): Promise<boolean>;
}

export interface PlanningLockOptions {
  /** Who holds it, for the messages of those who wait: user, host, process. */
  readonly owner: string;
  readonly signal?: AbortSignal;
  /** Told in words whom this run waits for, at every look. */
  readonly onWait?: (text: string) => void;
  /** Which lock; default: the one of planning. Whoever wants both takes that one last. */
  readonly pool?: string;
  /** Is the run of this owner known to have ended without giving the lock back? Its lock is taken over at once. */
  readonly isGone?: (owner: string) => boolean;
  /** Milliseconds to wait for another run. */
  readonly patience?: number;
  /** Tells runs of one owner apart. */
  readonly nonce?: string;
}

type LockPve = Pick<PveApi, 'pools' | 'createPool' | 'updatePool' | 'deletePool' | 'serverTime'>;

const SECOND = 1000;
const LIFETIME = 120 * SECOND;
const RENEW_EVERY = 40 * SECOND;
const FIRST_POLL = 2 * SECOND;
const LONGEST_POLL = 5 * SECOND;
const PATIENCE = 600 * SECOND;
/**
 * Longer than another waiter needs between its last look at an expired lock and its write: PVE lets that wait 10 s for
 * user.cfg's lock (pve-cluster Cluster.pm, `$cfs_lock`), and the line may be slow.
 */
const SETTLE = 15 * SECOND;

interface Holder {
  readonly comment: string;
  readonly owner: string;
  /** Undefined: not written by us, so it never expires. */
  readonly until: string | undefined;
}

function holderOf(comment: string): Holder {
  const mark = parseLockMark(comment);
  return { comment, owner: mark?.owner ?? 'another run', until: mark?.until };
}

/** One run's view of the lock pool. */
class LockPool {
  readonly pool: string;
  readonly #pve: LockPve;
  #io: RetryIo;
  readonly #signature: Pick<LockMark, 'owner' | 'run'>;
  readonly #isGone: (owner: string) => boolean;
  /** Comments that are ours: the last one written, and one whose answer was lost. */
  #ours = new Set<string>();
  #until = 0;
  #held = false;

  constructor(pve: LockPve, clock: Clock, options: PlanningLockOptions) {
    this.pool = options.pool ?? LOCK_POOL;
    this.#pve = pve;
    this.#io = {
      clock,
      signal: options.signal ?? new AbortController().signal,
      onRetry: () => undefined,
      reach: new Map(),
    };
    this.#isGone = options.isGone ?? (() => false);
    this.#signature = {
      owner: options.owner.replaceAll(/\s+/g, ' ').trim(),
      run: options.nonce ?? randomBytes(4).toString('hex'),
    };
  }

  /** From here on no signal interrupts: an interrupted run must still give the lock back. */
  detach(): void {
    this.#io = { ...this.#io, signal: new AbortController().signal };
  }

  async read(): Promise<Holder | undefined> {
    const pools = await this.#pve.pools(this.#io.signal);
    const found = pools.find(({ pool }) => pool === this.pool);
    return found && holderOf(found.comment);
  }

  isPast({ until, owner }: Holder): boolean {
    if (until === undefined) return false;
    return Date.parse(until) < this.#pve.serverTime().getTime() || this.#isGone(owner);
  }

  /** False: there is a lock. Of all that try at once PVE lets one create the pool. */
  async tryTake(): Promise<boolean> {
    const next = this.#nextComment();
    this.#ours = new Set([next.comment]);
    return (await this.#create(next.comment)) && this.#hold(next.until);
  }

  /**
   * Writes over an expired lock; false: another run has it. The pool stays, since whoever removed it could hit the one
   * that another run has just created. Of several that write over it the last one has it, and all see that it has.
   */
  async takeOver(expired: Holder): Promise<boolean> {
    const next = this.#nextComment();
    this.#ours = new Set([next.comment]);
    if (!(await this.#replace(expired.comment, next.comment))) return false;
    await this.#io.clock.sleep(SETTLE, this.#io.signal);
    return this.#hold(next.until);
  }

  /** Removes an expired lock, and only that very one: whoever renewed or replaced it since keeps it. */
  async removeExpired(expired: Holder): Promise<void> {
    const now = await this.read();
    if (now?.comment !== expired.comment) return;
    await this.#delete(async () => (await this.read())?.comment === expired.comment);
  }

  /** Moves the deadline on. False: another run has it, or has had it. */
  async renew(): Promise<boolean> {
    while (this.#held) {
      const holder = await this.read();
      if (!holder || !this.#ours.has(holder.comment.trim())) this.#held = false;
      else if (this.isLate()) return this.#regain(holder);
      else if (await this.#moveOn()) return true;
    }
    return false;
  }

  async release(): Promise<void> {
    this.#held = false;
    if (await this.#isOurs()) await this.#delete(() => this.#isOurs());
  }

  /** As far as this run knows. */
  get isHeld(): boolean {
    return this.#held;
  }

  /** Has its own deadline passed? From then on others may take it. */
  isLate(): boolean {
    return this.#pve.serverTime().getTime() >= this.#until;
  }

  /** False: the deadline passed meanwhile, and the comment may be another run's. */
  async #moveOn(): Promise<boolean> {
    const next = this.#nextComment();
    this.#ours.add(next.comment);
    const sent = { inTime: true };
    await attempt(this.#io, {
      id: this.#id(),
      act: async () => {
        sent.inTime = !this.isLate();
        if (!sent.inTime) return 'already-done';
        await this.#pve.updatePool(this.pool, { comment: next.comment }, this.#io.signal);
        return 'done';
      },
      look: async () => ((await this.read())?.comment === next.comment ? 'done' : 'absent'),
    });
    if (!sent.inTime) return false;
    this.#ours = new Set([next.comment]);
    this.#until = next.until;
    return true;
  }

  /** Nobody has written over it so far; from here on as with anybody's lock that expired. */
  async #regain(late: Holder): Promise<boolean> {
    try {
      return (this.#held = await this.takeOver(late));
    } catch (error) {
      this.#ours.add(late.comment.trim()); // it may still be there, and be tried again
      throw error;
    }
  }

  async #create(comment: string): Promise<boolean> {
    try {
      await attempt(this.#io, {
        id: this.#id(),
        act: async () => {
          await this.#pve.createPool(this.pool, comment, this.#io.signal);
          return 'done';
        },
        look: async () => ((await this.#isOurs()) ? 'done' : 'absent'),
      });
      return true;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return this.#isOurs(); // an earlier try, its answer lost, may have made it after all
    }
  }

  /** False: it is not that one any more. */
  async #replace(former: string, comment: string): Promise<boolean> {
    let isWritten = false;
    try {
      await attempt(this.#io, {
        id: this.#id(),
        act: async () => {
          const now = (await this.read())?.comment;
          isWritten = now?.trim() === comment;
          if (now !== former) return 'already-done';
          await this.#pve.updatePool(this.pool, { comment }, this.#io.signal);
          isWritten = true;
          return 'done';
        },
        // Each try begins with the look.
        look: () => Promise.resolve('absent'),
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return false;
    }
    return isWritten;
  }

  async #hold(until: number): Promise<boolean> {
    this.#held = await this.#isOurs();
    if (this.#held) this.#until = until;
    return this.#held;
  }

  async #isOurs(): Promise<boolean> {
    const holder = await this.read();
    return holder !== undefined && this.#ours.has(holder.comment.trim());
  }

  async #delete(isStillThere: () => Promise<boolean>): Promise<void> {
    try {
      await attempt(this.#io, {
        id: this.#id(),
        act: async () => {
          await this.#pve.deletePool(this.pool, this.#io.signal);
          return 'done';
        },
        look: async () => ((await isStillThere()) ? 'absent' : 'done'),
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Spreads the waits of runs that fail at the same moment. */
  #id(): string {
    return Object.values(this.#signature).join(' ');
  }

  #nextComment(): { readonly comment: string; readonly until: number } {
    const until = this.#pve.serverTime().getTime() + LIFETIME;
    return {
      until,
      comment: formatLockMark({ ...this.#signature, until: new Date(until).toISOString() }),
    };
  }
}

/** Moves the deadline on until stopped, or until the lock turns out to be lost. */
async function keepRenewing(renew: () => Promise<boolean>, clock: Clock, stop: AbortSignal): Promise<void> {
  for (let wait = RENEW_EVERY; ;) {
    try {
      await clock.sleep(wait, stop);
    } catch {
      return;
    }
    try {
      if (!(await renew())) return;
      wait = RENEW_EVERY;
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
  const renewing = keepRenewing(renew, clock, stop.signal);
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
