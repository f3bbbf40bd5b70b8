/** Time for simulator and client in one process: it stands still while there is work, and jumps to the next event. */
import type { Clock } from '../../src/lib/clock.ts';
import type { SimClock } from '../../src/lib/simulator/sim-clock.ts';

interface Event {
  readonly due: number;
  fire: (() => void) | undefined;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class VirtualTime implements SimClock {
  readonly speed = 1;
  #now: number;
  /** Latest first; of equal ones the first made is the last. */
  readonly #events: Event[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  at(due: number, fire: () => void): () => void {
    const event: Event = { due: Math.max(due, this.#now), fire };
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.due > event.due) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
    return () => void (event.fire = undefined);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.#now + Math.max(0, ms), resolve);
    });
  }

  stop(): void {
    this.#events.length = 0;
  }

  /** The same time as the client knows it. */
  readonly clock: Clock = {
    now: () => this.#now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const onAbort = () => {
          cancel();
          reject(signal?.reason as Error);
        };
        const cancel = this.at(this.#now + Math.max(0, ms), () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
  };

  /** Lets time pass until the work is settled; a stuck work is an error, never a hanging test. */
  async drive<T>(work: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    const settle = () => (state.isSettled = true);
    work.then(settle, settle);
    for (let idle = 0; ;) {
      await nextTurn();
      if (state.isSettled) return work;
      const event = this.#events.pop();
      idle = event ? 0 : idle + 1;
      if (idle > 100) throw new Error('nothing is planned and nothing happens: the work is stuck');
      if (!event?.fire) continue;
      this.#now = event.due;
      event.fire();
    }
  }
}
