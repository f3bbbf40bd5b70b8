/**
 * Keeps removals from starving one another. A removal takes the locks of its storages and of user.cfg inside its task,
 * looks at a lock that is held once a second, without a queue, and gives up after 10 s: a disk stays behind, or a rest that
 * only root can remove. So while one takes longer than it should, none is begun: the others end, and it gets its lock.
 */
import type { Clock } from '../clock.ts';

/** What a removal takes that waits for nobody, until one was seen. */
const SUPPOSED_MS = 2000;
/** Beyond the usual time. Those that run end within as much again, which is well before it gives up. */
const STALLED_AFTER_MS = 3000;
/** By then it has given up, or it is slow for another reason. */
const STALLED_UNTIL_MS = 13_000;
const POLL_MS = 250;

export class RemovalPace {
  readonly #clock: Clock;
  readonly #begun = new Set<{ readonly at: number }>();
  #usual: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Does the removal, when no other one is held up. */
  async remove<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    while (this.#isStalled()) await this.#clock.sleep(POLL_MS, signal);
    const own = { at: this.#clock.now() };
    this.#begun.add(own);
    try {
      const result = await work();
      const took = this.#clock.now() - own.at;
      this.#usual = Math.min(this.#usual ?? took, took);
      return result;
    } finally {
      this.#begun.delete(own);
    }
  }

  #isStalled(): boolean {
    const usual = this.#usual ?? SUPPOSED_MS;
    const now = this.#clock.now();
    return [...this.#begun].some(({ at }) => {
      const longer = now - at - usual;
      return longer > STALLED_AFTER_MS && longer < STALLED_UNTIL_MS;
    });
  }
}
