/** When to look after tasks next: soon after each should have ended, by what others of its type took. Asks nobody. */
import { spreadOf } from '../spread.ts';

const FIRST_INTERVAL_MS = 500;
const LAST_INTERVAL_MS = 3000;
/** Until one was seen to end: these take seconds, and nobody waits for the first of them. */
const SUPPOSED_MS: Readonly<Record<string, number>> = { srvreload: 2000 };
/** However long others of its type took: one that fails does so early. */
const LATEST_FIRST_LOOK_MS = 5000;
/** Of a task's age until the next look: whoever has waited for a minute can wait for another two seconds. */
const PATIENCE = 0.25;
/** A type that had ended at its first look is looked at a little earlier the next time. */
const EARLIER = 0.9;
/**
 * What waits for one of PVE's locks looks at it once a second: tasks that are started in step with that, behind others that
 * were, would meet it held each time until they give up.
 */
const SPREAD = 0.4;
/** Many tasks of a node share a look: with so much more under way, one that is told late holds up little. */
const SPACING_PER_TASK_MS = 250;
/** More than this only queue for a lock: what is told late keeps no place empty. */
const FEW = 3;
/** Of these no more are begun than can work, and they take a second or two: with each that is told late a place stays empty. */
const OF_FIXED_WIDTH: ReadonlySet<string> = new Set(['qmdestroy']);
const SPACING_OF_THOSE_MS = 220;
const WIDEST_SPACING_MS = 3000;
/** These wait for no lock but their machine's own, so that they all end when the first does. */
const UNQUEUED: ReadonlySet<string> = new Set(['qmresume', 'qmrollback', 'qmsnapshot', 'qmstart', 'qmstop']);
const SPACING_OF_UNQUEUED_MS = 250;

function spread(ms: number, key: string): number {
  return ms * (1 + SPREAD * (spreadOf(key) - 0.5));
}

interface Paced {
  readonly type: string;
  readonly since: number;
  /** Of the last look at it. */
  seen: number | undefined;
  due: number;
}

/** How long tasks of a type take, as far as seen. One for the whole run. */
export type Durations = Map<string, number>;

export class TaskPace {
  readonly #durations: Durations;
  readonly #tasks = new Map<string, Paced>();
  #looked = Number.NEGATIVE_INFINITY;

  constructor(durations: Durations) {
    this.#durations = durations;
  }

  add(id: string, type: string, now: number): void {
    if (this.#tasks.has(id)) return;
    const expected = Math.min(
      this.#durations.get(type) ?? SUPPOSED_MS[type] ?? FIRST_INTERVAL_MS,
      LATEST_FIRST_LOOK_MS,
    );
    const due = now + spread(expected, id);
    this.#tasks.set(id, { type, since: now, seen: undefined, due });
  }

  delete(id: string): void {
    this.#tasks.delete(id);
  }

  /** It turned out to have ended. */
  ended(id: string, now: number): void {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    if (!task) return;
    const { type, since, seen } = task;
    const first = EARLIER * (now - since);
    // Somewhere between the last two looks.
    const took = seen === undefined ? first : (seen + now) / 2 - since;
    this.#durations.set(type, Math.max(FIRST_INTERVAL_MS, took));
  }

  /** These were looked at, and still run. `failed`: nobody could be asked. */
  looked(ids: readonly string[], now: number, { failed = false } = {}): void {
    this.#looked = now;
    for (const id of ids) {
      const task = this.#tasks.get(id);
      if (!task) continue;
      task.seen = now;
      const wait = failed ? LAST_INTERVAL_MS : PATIENCE * (now - task.since);
      task.due = now + spread(Math.min(Math.max(wait, FIRST_INTERVAL_MS), LAST_INTERVAL_MS), `${id} ${now}`);
    }
  }

  /** Milliseconds until the next look, for one who has tasks. */
  wait(now: number): number {
    const tasks = [...this.#tasks.values()];
    const widest = tasks.every(({ type }) => UNQUEUED.has(type)) ? SPACING_OF_UNQUEUED_MS : WIDEST_SPACING_MS;
    const queueing = tasks.filter(({ type }) => !OF_FIXED_WIDTH.has(type)).length;
    const spacing = Math.min(
      (queueing > 0 ? SPACING_PER_TASK_MS : SPACING_OF_THOSE_MS) * tasks.length +
        (queueing > FEW ? SPACING_PER_TASK_MS * queueing : 0),
      widest,
    );
    const due = Math.min(...tasks.map((task) => task.due));
    return Math.max(0, due - now, this.#looked + spacing - now);
  }
}
