/**
 * Steps that wait for a place only, not for other steps. Steps with the same limit keys share a queue in plan order,
 * so that an event costs a look at the queue heads it concerns, however many steps wait. Must not start anything.
 */
import type { Limits } from './limits.ts';

export interface Queued {
  /** Position in the plan. */
  readonly index: number;
  readonly keys: readonly string[];
}

/** A binary heap by plan position. */
class PlanOrder<T extends Queued> {
  readonly #items: T[] = [];

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfLess(at, above)) return;
      at = above;
    }
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    items[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const child = this.#indexAt(left + 1) < this.#indexAt(left) ? left + 1 : left;
      if (child >= items.length || !this.#swapIfLess(child, at)) return first;
      at = child;
    }
  }

  #indexAt(position: number): number {
    return this.#items[position]?.index ?? Number.POSITIVE_INFINITY;
  }

  #swapIfLess(lower: number, upper: number): boolean {
    const a = this.#items[lower];
    const b = this.#items[upper];
    if (a === undefined || b === undefined || a.index >= b.index) return false;
    this.#items[lower] = b;
    this.#items[upper] = a;
    return true;
  }
}

interface Queue<T extends Queued> {
  readonly keys: readonly string[];
  readonly waiting: PlanOrder<T>;
}

export class ReadyQueues<T extends Queued> {
  readonly #limits: Limits;
  readonly #queues = new Map<string, Queue<T>>();
  readonly #byKey = new Map<string, Queue<T>[]>();
  /** Queues whose head may have found a place since it was last looked at. */
  readonly #worthALook = new Set<Queue<T>>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  add(item: T): void {
    const queue = this.#queueFor(item.keys);
    queue.waiting.push(item);
    this.#worthALook.add(queue);
  }

  /** Places under these keys became free. */
  freed(keys: readonly string[]): void {
    for (const key of keys) for (const queue of this.#byKey.get(key) ?? []) this.#worthALook.add(queue);
  }

  /** The first step in plan order for which there is a place. */
  next(): T | undefined {
    let best: Queue<T> | undefined;
    let first = Number.POSITIVE_INFINITY;
    for (const queue of this.#worthALook) {
      const head = queue.waiting.peek();
      if (head === undefined || !this.#limits.hasRoom(queue.keys)) this.#worthALook.delete(queue);
      else if (head.index < first) {
        best = queue;
        first = head.index;
      }
    }
    return best?.waiting.pop();
  }

  #queueFor(keys: readonly string[]): Queue<T> {
    const name = JSON.stringify(keys);
    const known = this.#queues.get(name);
    if (known) return known;
    const queue: Queue<T> = { keys, waiting: new PlanOrder<T>() };
    this.#queues.set(name, queue);
    for (const key of keys) {
      const sharing = this.#byKey.get(key);
      if (sharing) sharing.push(queue);
      else this.#byKey.set(key, [queue]);
    }
    return queue;
  }
}
