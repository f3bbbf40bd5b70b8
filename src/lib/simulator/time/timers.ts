/** Events in order of time; of equal ones the first made comes first. Knows no clock. */
import TinyQueue from 'tinyqueue';

interface Timer {
  /** Milliseconds since the epoch. */
  readonly due: number;
  readonly order: number;
  /** Undefined once cancelled. */
  fire: (() => void) | undefined;
}

export interface Due {
  readonly due: number;
  readonly fire: () => void;
}

export class Timers {
  readonly #queue = new TinyQueue<Timer>([], (a, b) => a.due - b.due || a.order - b.order);
  #order = 0;

  /** The result cancels it. */
  add(due: number, fire: () => void): () => void {
    const timer: Timer = { due, order: (this.#order += 1), fire };
    this.#queue.push(timer);
    return () => {
      timer.fire = undefined;
    };
  }

  /** When the next one is due; undefined when there is none. */
  get nextDue(): number | undefined {
    for (let next = this.#queue.peek(); next; next = this.#queue.peek()) {
      if (next.fire) return next.due;
      this.#queue.pop();
    }
    return undefined;
  }

  take(): Due | undefined {
    if (this.nextDue === undefined) return undefined;
    const timer = this.#queue.pop();
    return timer?.fire && { due: timer.due, fire: timer.fire };
  }

  clear(): void {
    while (this.#queue.pop()) continue;
  }
}
