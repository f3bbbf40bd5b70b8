/** Lets a limited number of calls run at once, first come, first served. Must not time anything. */
import { onAbort } from '../abort.ts';

export class CallLimit {
  readonly #width: number;
  #running = 0;
  readonly #queue = new Set<() => void>();

  constructor(width: number) {
    this.#width = width;
  }

  /** Runs `work` when its turn comes; leaves the queue when aborted. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#running < this.#width) {
      this.#running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#queue.delete(proceed);
        reject(signal?.reason as Error);
      };
      const proceed = (): void => {
        withdraw?.();
        resolve();
      };
      this.#queue.add(proceed);
      const withdraw = signal && onAbort(signal, giveUp);
    });
  }

  /** The place passes straight to the next in line, so `running` changes only when nobody waits. */
  #leave(): void {
    const [next] = this.#queue;
    if (!next) {
      this.#running -= 1;
      return;
    }
    this.#queue.delete(next);
    next();
  }
}
