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

/** Begun at once, they would all want the same lock at once. Of the time between two ends, when those that run are spread evenly. */
const APART = 0.7;
/** Longer than a lock is held. */
const MOST_APART_MS = 500;

export class RemovalPace {
  readonly #clock: Clock;
  #last = Number.NEGATIVE_INFINITY;
  readonly #begun = new Set<{ readonly at: number }>();
  #usual: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits while another one is held up, or was begun a moment ago. What must hold for the removal is asked after this. */
  async turn(signal: AbortSignal): Promise<{ readonly waitedMs: number }> {
    const asked = this.#clock.now();
    for (let wait = this.#wait(); wait > 0; wait = this.#wait()) await this.#clock.sleep(wait, signal);
    this.#last = this.#clock.now();
    return { waitedMs: this.#last - asked };
  }

  /** Does the removal whose turn it is. */
  async remove<T>(work: () => Promise<T>): Promise<T> {
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

  #wait(): number {
    if (this.#isStalled()) return POLL_MS;
    const evenly = (this.#usual ?? SUPPOSED_MS) / (this.#begun.size + 1);
    const apart = Math.min(APART * evenly, MOST_APART_MS);
    return this.#last + apart - this.#clock.now();
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
