/** A clock made by hand: time stands still while there is work, and jumps to the next sleeper when there is none. */
import type { Clock } from '../../src/lib/clock.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export class VirtualClock implements Clock {
  #now = Date.UTC(2026, 0, 15, 9, 0, 0);
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      const sleeper: Sleeper = {
        at: this.#now + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets time pass until the work is settled; a stuck work is an error, never a hanging test. */
  async drive<T>(work: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    const settle = () => (state.isSettled = true);
    work.then(settle, settle);
    for (let idle = 0; ;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (state.isSettled) return work;
      idle = this.#wakeNext() ? 0 : idle + 1;
      if (idle > 100) throw new Error('nothing is asleep and nothing happens: the work is stuck');
    }
  }

  /** Wakes all that sleep until the next moment; false when nobody sleeps. */
  #wakeNext(): boolean {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of this.#sleepers) next = Math.min(next, at);
    if (next === Number.POSITIVE_INFINITY) return false;
    this.#now = Math.max(this.#now, next);
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.at > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    return true;
  }
}
