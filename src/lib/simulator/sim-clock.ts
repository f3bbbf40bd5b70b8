/**
 * Simulated time: wall time run `speed` times as fast, but never past an event that has not been handled. A slow
 * machine therefore makes the simulation late, never wrong: a lock is released before the timeout that follows it.
 */

interface Timer {
  readonly due: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

export interface SimClock {
  now(): number;
  readonly speed: number;
  sleep(ms: number): Promise<void>;
  /** Runs `fire` at a moment; the result cancels it. */
  at(due: number, fire: () => void): () => void;
  stop(): void;
}

class TimerHeap {
  readonly #items: Timer[] = [];

  get first(): Timer | undefined {
    return this.#items[0];
  }

  static #before(a: Timer, b: Timer): boolean {
    return a.due < b.due || (a.due === b.due && a.order < b.order);
  }

  push(timer: Timer): void {
    const items = this.#items;
    let i = items.push(timer) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = items[up];
      if (!parent || !TimerHeap.#before(timer, parent)) break;
      items[i] = parent;
      i = up;
    }
    items[i] = timer;
  }

  pop(): Timer | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (!top || !last || items.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const left = items[child];
      if (!left) break;
      const right = items[child + 1];
      if (right && TimerHeap.#before(right, left)) child += 1;
      const smaller = items[child] ?? left;
      if (!TimerHeap.#before(smaller, last)) break;
      items[i] = smaller;
      i = child;
    }
    items[i] = last;
    return top;
  }
}

export function createSimClock(start: number, speed: number): SimClock {
  const heap = new TimerHeap();
  const origin = performance.now();
  let last = start;
  let order = 0;
  let wake: NodeJS.Timeout | undefined;
  let wakeDue = Infinity;
  let pumping = false;
  let stopped = false;

  const target = (): number => start + (performance.now() - origin) * speed;

  // While events are worked off, time stands still at the latest of them.
  const now = (): number => {
    if (pumping) return last;
    last = Math.max(last, Math.min(target(), heap.first?.due ?? Infinity));
    return last;
  };

  const dropCancelled = (): void => {
    while (heap.first && heap.first.fire === undefined) heap.pop();
  };

  const arm = (): void => {
    dropCancelled();
    const next = heap.first;
    if (!next || pumping || stopped || wakeDue <= next.due) return;
    clearTimeout(wake);
    wakeDue = next.due;
    wake = setTimeout(pump, Math.max(0, (next.due - target()) / speed));
  };

  // One event per turn of the loop: what it resolved runs to its next wait before a later event fires.
  function pump(): void {
    wakeDue = Infinity;
    dropCancelled();
    const next = heap.first;
    if (stopped || !next || next.due > target()) {
      pumping = false;
      arm();
      return;
    }
    pumping = true;
    heap.pop();
    last = Math.max(last, next.due);
    next.fire?.();
    setImmediate(pump);
  }

  const at = (due: number, fire: () => void): (() => void) => {
    const timer: Timer = { due: Math.max(due, last), order: order++, fire };
    heap.push(timer);
    arm();
    return () => {
      timer.fire = undefined;
    };
  };

  return {
    now,
    speed,
    at,
    sleep: (ms) =>
      new Promise((resolve) => {
        at(now() + Math.max(0, ms), resolve);
      }),
    stop: () => {
      stopped = true;
      clearTimeout(wake);
    },
  };
}
