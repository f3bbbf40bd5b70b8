/** PVE's two kinds of locks on simulated time: fair flocks on a node, unfair polled locks of the cluster file system. */
import { PveError, die } from '../pve-error.ts';
import type { SimClock } from '../time/sim-clock.ts';

const SECOND = 1000;
const CFS_TIMEOUT_S = 10;

type Mode = 'shared' | 'exclusive';
export type Release = () => void;

interface Waiter {
  readonly mode: Mode;
  readonly grant: () => void;
}

interface FlockState {
  shared: number;
  exclusive: boolean;
  readonly waiters: Set<Waiter>;
}

export class Locks {
  readonly #clock: SimClock;
  readonly #hastens: boolean;
  readonly #quorate: () => boolean;
  readonly #flocks = new Map<string, FlockState>();
  readonly #cfs = new Set<string>();

  /** `quorate`: whether the cluster file system takes writes, of which a cfs lock is one. */
  constructor(clock: SimClock, hastens: boolean, quorate = (): boolean => true) {
    this.#clock = clock;
    this.#hastens = hastens;
    this.#quorate = quorate;
  }

  /** `file` is the path that the error names; `key` makes it one node's file. */
  async flock(node: string, file: string, mode: Mode, timeoutMs: number): Promise<Release> {
    const key = `${node}:${file}`;
    const release = this.tryFlock(key, mode);
    if (release) return release;
    const state = this.#state(key);
    return new Promise<Release>((resolve, reject) => {
      const waiter: Waiter = {
        mode,
        grant: () => {
          cancel();
          state.waiters.delete(waiter);
          this.#take(state, mode);
          resolve(this.#releaser(key, state, mode));
        },
      };
      const cancel = this.#clock.at(this.#clock.after(timeoutMs), () => {
        state.waiters.delete(waiter);
        reject(new PveError(500, `can't lock file '${file}' - got timeout`));
      });
      state.waiters.add(waiter);
    });
  }

  /** Without waiting; undefined when it is held. */
  tryFlock(key: string, mode: Mode): Release | undefined {
    const state = this.#state(key);
    if (state.exclusive || (mode === 'exclusive' && state.shared > 0)) return undefined;
    this.#take(state, mode);
    return this.#releaser(key, state, mode);
  }

  /**
   * Cluster.pm `$cfs_lock`: try, sleep, try again for 10 s, nobody queues, so late comers may overtake. It hastens: a tenth
   * of the time left, so that who has waited long has better chances.
   */
  async cfs(name: string): Promise<Release> {
    let slept = 0;
    while (this.#cfs.has(name) || !this.#quorate()) {
      const left = CFS_TIMEOUT_S - Math.floor(slept / SECOND);
      const pause = this.#hastens ? (left * SECOND) / 10 : SECOND;
      slept += pause;
      if (slept >= CFS_TIMEOUT_S * SECOND) {
        die(`cfs-lock '${name}' error: ${this.#quorate() ? 'got lock request timeout' : 'no quorum!'}`);
      }
      await this.#clock.sleep(pause);
    }
    this.#cfs.add(name);
    let held = true;
    return () => {
      if (held) this.#cfs.delete(name);
      held = false;
    };
  }

  isCfsHeld(name: string): boolean {
    return this.#cfs.has(name);
  }

  #state(key: string): FlockState {
    const known = this.#flocks.get(key);
    if (known) return known;
    const fresh: FlockState = { shared: 0, exclusive: false, waiters: new Set() };
    this.#flocks.set(key, fresh);
    return fresh;
  }

  #take(state: FlockState, mode: Mode): void {
    if (mode === 'shared') state.shared += 1;
    else state.exclusive = true;
  }

  #releaser(key: string, state: FlockState, mode: Mode): Release {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (mode === 'shared') state.shared -= 1;
      else state.exclusive = false;
      for (const waiter of state.waiters) {
        const free = !state.exclusive && (waiter.mode === 'shared' || state.shared === 0);
        if (free) waiter.grant();
      }
      if (state.waiters.size === 0 && state.shared === 0 && !state.exclusive) this.#flocks.delete(key);
    };
  }
}
