/** When to look after tasks next: soon after each should have ended, by what others of its type took. Asks nobody. */
import { ourTasks } from '../pve-values/guest-kinds.ts';
import { spreadOf } from '../spread.ts';

const FIRST_INTERVAL_MS = 500;
const LAST_INTERVAL_MS = 3000;
/** Until one was seen to end: these take seconds, and nobody waits for the first of them. */
const SUPPOSED_MS: Readonly<Record<string, number>> = { srvreload: 2000 };
/** However long others of its type took: one that fails does so early. */
const LATEST_FIRST_LOOK_MS = 5000;
/** Of a task's age until the next look: whoever has waited for 20 s can wait for another three. */
const PATIENCE = 0.15;
/** A type that had ended at its first look is looked at a little earlier the next time. */
const EARLIER = 0.9;
/** One that had to wait for others says little of the next one: a look too early costs less than one too late. */
const GROWTH = 1.1;
/**
 * What waits for one of PVE's locks looks at it once a second: tasks that are started in step with that, behind others that
 * were, would meet it held each time until they give up.
 */
const SPREAD = 0.4;
/** Many tasks of a node share a look: with so much more under way, one that is told late holds up little. */
const SPACING_PER_TASK_MS = 250;
/** More than this only queue for a lock: what is told late keeps no place empty. */
const FEW = 3;
const WIDEST_SPACING_MS = 3000;
/**
 * These wait for no lock but their machine's own, so that they all end when the first does; and of removals no more are begun
 * than can work. They take a second or two, and with each end that is told late a place stays empty, or a stand unfinished.
 */
const PROMPT: ReadonlySet<string> = new Set(
  ourTasks('destroy', 'resume', 'rollback', 'snapshot', 'start', 'stop'),
);
const PROMPT_INTERVAL_MS = 250;
/** One for each node and run, beside all else. */
const UNHURRIED: ReadonlySet<string> = new Set(['srvreload']);
const UNHURRIED_INTERVAL_MS = 1000;

/** Between looks at a young task. */
function firstInterval(type: string): number {
  if (PROMPT.has(type)) return PROMPT_INTERVAL_MS;
  return UNHURRIED.has(type) ? UNHURRIED_INTERVAL_MS : FIRST_INTERVAL_MS;
}

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
    const took = Math.max(FIRST_INTERVAL_MS, seen === undefined ? first : (seen + now) / 2 - since);
    const known = this.#durations.get(type) ?? took;
    // Only one that was seen to run for longer does tell that they take longer: a look may have come late.
    const tookLonger = seen !== undefined && seen - since > known;
    this.#durations.set(type, Math.min(took, tookLonger ? known * GROWTH : known));
  }

  /** These were looked at, and still run. `failed`: nobody could be asked. */
  looked(ids: readonly string[], now: number, { failed = false } = {}): void {
    this.#looked = now;
    for (const id of ids) {
      const task = this.#tasks.get(id);
      if (!task) continue;
      task.seen = now;
      const wait = failed ? LAST_INTERVAL_MS : PATIENCE * (now - task.since);
      const interval = Math.min(Math.max(wait, firstInterval(task.type)), LAST_INTERVAL_MS);
      task.due = Math.max(task.due, now + spread(interval, `${id} ${now}`));
    }
  }

  /** Milliseconds until the next look, for one who has tasks. */
  wait(now: number): number {
    const tasks = [...this.#tasks.values()];
    const prompt = tasks.filter(({ type }) => PROMPT.has(type));
    const others = tasks.filter(({ type }) => !PROMPT.has(type));
    const perTask = SPACING_PER_TASK_MS * (others.length > FEW ? 2 : 1);
    const spacing = Math.min(perTask * others.length, WIDEST_SPACING_MS);
    const next = Math.min(this.#next(prompt, PROMPT_INTERVAL_MS), this.#next(others, spacing));
    return Math.max(0, next - now);
  }

  #next(tasks: readonly Paced[], spacing: number): number {
    return Math.max(Math.min(...tasks.map(({ due }) => due)), this.#looked + spacing);
  }
}
