/** The pool that is a lock, as one run sees it: created by one only, renewed, written over when expired. Waits for nobody. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { formatLockMark, isLockPast, LOCK_POOL, parseLockMark, type LockMark } from '../marks/lock.ts';
import type { PveApi } from '../proxmox/types.ts';
import { isAlreadyExists, isNotFound } from '../proxmox/words.ts';
import { attempt, type RetryIo } from './retry.ts';

export interface LockOptions {
  /** Who holds it, for the messages of those who wait: user, host, process. */
  readonly owner: string;
  readonly signal?: AbortSignal;
  /** Which lock; default: the one of planning. Whoever wants both takes that one last. */
  readonly pool?: string;
  /** Is the run of this owner known to have ended without giving the lock back? Its lock is taken over at once. */
  readonly isGone?: (owner: string) => boolean;
  /** Tells runs of one owner apart. */
  readonly nonce?: string;
}

export type LockPve = Pick<PveApi, 'pools' | 'createPool' | 'updatePool' | 'deletePool' | 'serverTime'>;

const SECOND = 1000;
const LIFETIME = 120 * SECOND;
/**
 * Longer than another waiter needs between its last look at an expired lock and its write: PVE lets that wait 10 s for
 * user.cfg's lock (pve-cluster Cluster.pm, `$cfs_lock`), and the line may be slow.
 */
const SETTLE = 15 * SECOND;

export interface Holder {
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
export class LockPool {
  readonly pool: string;
  readonly #pve: LockPve;
  #io: RetryIo;
  readonly #signature: Pick<LockMark, 'owner' | 'run'>;
  readonly #isGone: (owner: string) => boolean;
  /** Comments that are ours: the last one written, and one whose answer was lost. */
  #ours = new Set<string>();
  #until = 0;
  #held = false;

  constructor(pve: LockPve, clock: Clock, options: LockOptions) {
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
    return isLockPast({ until }, this.#pve.serverTime().getTime()) || this.#isGone(owner);
  }

  /** False: there is a lock. Of all that try at once PVE lets one create the pool. */
  async tryTake(): Promise<boolean> {
    const next = this.#nextComment();
    this.#ours = new Set([next.comment]);
    if (!(await this.#create(next.comment))) return false;
    this.#until = next.until;
    // Nobody writes over it before its deadline.
    return this.isLate() ? this.#hold(next.until) : (this.#held = true);
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

  /** Has a third of its time gone by? */
  isDue(): boolean {
    return this.#pve.serverTime().getTime() >= this.#until - (LIFETIME * 2) / 3;
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
