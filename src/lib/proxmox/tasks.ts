/** Waits for tasks with one shared poll per node. Must not start, stop or repeat anything. */
import { isGoodEnding } from '../pve-values/task-status.ts';
import { onAbort } from '../abort.ts';
import type { Clock } from '../clock.ts';
import { AnswerLostError, PveError, TaskError } from './errors.ts';
import { parseUpid } from './upid.ts';
import type { PveApi, TaskWaiter, Upid } from './types.ts';

const FIRST_INTERVAL_MS = 500;
const LAST_INTERVAL_MS = 3000;
const GROWTH = 1.5;
/** How long polling may fail before the tasks are given up as lost. */
const PATIENCE_MS = 60_000;
/** PVE lists 50 tasks if not told otherwise. */
const LIST_LIMIT = 2000;
const LOG_LINES = 10;

/** Not the reason that an abort would make itself, with a stack each time. */
const OVER = new Error('nobody waits any more');

type Ending = { readonly warnings: boolean };
type TaskSource = Pick<PveApi, 'tasks' | 'taskStatus' | 'taskLog'>;

interface Waiter {
  resolve(ending: Ending): void;
  reject(reason: Error): void;
}

/** Makes a waiter; `signal` ends every wait at once. */
export function createTaskWaiter(
  pve: TaskSource,
  clock: Clock,
  options: { readonly signal?: AbortSignal | undefined } = {},
): TaskWaiter {
  const watches = new Map<string, NodeWatch>();
  return {
    wait: async (upid, signal) => {
      const { node } = parseUpid(upid);
      const watch = watches.get(node) ?? new NodeWatch(pve, clock, node);
      watches.set(node, watch);
      return untilAborted([signal, options.signal], (waiter) => watch.add(upid, waiter));
    },
  };
}

/** A promise that `start` settles, or a signal; `start` returns how to withdraw. */
async function untilAborted(
  given: readonly (AbortSignal | undefined)[],
  start: (waiter: Waiter) => () => void,
): Promise<Ending> {
  const signals = given.filter((signal) => signal !== undefined);
  for (const signal of signals) signal.throwIfAborted();
  return new Promise<Ending>((resolve, reject) => {
    const finish = (): void => {
      for (const stop of listening) stop();
    };
    const withdraw = start({
      resolve: (ending) => {
        finish();
        resolve(ending);
      },
      reject: (reason) => {
        finish();
        reject(reason);
      },
    });
    const listening = signals.map((signal) =>
      onAbort(signal, () => {
        finish();
        withdraw();
        reject(signal.reason as Error);
      }),
    );
  });
}

/** All tasks that are waited for on one node, and the one loop that looks after them. */
class NodeWatch {
  readonly #pve: TaskSource;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #waiting = new Map<Upid, Set<Waiter>>();
  #interval = FIRST_INTERVAL_MS;
  /** Since when a task could not be asked for. */
  readonly #troubleSince = new Map<Upid, number>();
  /** Ends the running loop's sleep and requests; absent while no loop runs. */
  #loop: AbortController | undefined;
  #nap: AbortController | undefined;

  constructor(pve: TaskSource, clock: Clock, node: string) {
    this.#pve = pve;
    this.#clock = clock;
    this.#node = node;
  }

  add(upid: Upid, waiter: Waiter): () => void {
    const waiters = this.#waiting.get(upid) ?? new Set();
    this.#waiting.set(upid, waiters.add(waiter));
    if (!this.#loop) this.#start();
    else if (this.#interval > FIRST_INTERVAL_MS) this.#hurry();
    return () => {
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiting.get(upid) === waiters) this.#waiting.delete(upid);
      if (this.#waiting.size === 0) this.#loop?.abort(OVER);
    };
  }

  #start(): void {
    const loop = new AbortController();
    this.#loop = loop;
    this.#interval = FIRST_INTERVAL_MS;
    void this.#run(loop.signal)
      .catch((error: unknown) => {
        if (!loop.signal.aborted) this.#rejectAll(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => {
        this.#loop = undefined;
        // Somebody came between the last look and here.
        if (this.#waiting.size > 0) this.#start();
      });
  }

  /** A new task may be a short one: look again soon. */
  #hurry(): void {
    this.#interval = FIRST_INTERVAL_MS;
    this.#nap?.abort(OVER);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#sleep(signal);
      try {
        const hasEnded = await this.#look(signal);
        this.#interval = hasEnded ? FIRST_INTERVAL_MS : Math.min(this.#interval * GROWTH, LAST_INTERVAL_MS);
      } catch (error) {
        signal.throwIfAborted();
        this.#interval = LAST_INTERVAL_MS;
        for (const upid of [...this.#waiting.keys()]) this.#bear(upid, error);
      }
    }
  }

  async #sleep(signal: AbortSignal): Promise<void> {
    const nap = new AbortController();
    this.#nap = nap;
    const withdraw = onAbort(signal, () => nap.abort(OVER));
    try {
      await this.#clock.sleep(this.#interval, nap.signal);
    } catch (error) {
      signal.throwIfAborted();
      // Woken by a newcomer: give its task the first interval.
      if (!nap.signal.aborted) throw error;
      await this.#clock.sleep(this.#interval, signal);
    } finally {
      withdraw();
    }
  }

  /** True when a task ended. A task that has left the list of running ones, or never was in it, is asked for. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const rows = await this.#pve.tasks(this.#node, { source: 'active', limit: LIST_LIMIT }, signal);
    const running = new Set(rows.filter((row) => row.status === undefined).map((row) => row.upid));
    for (const upid of running) this.#troubleSince.delete(upid);
    const gone = [...this.#waiting.keys()].filter((upid) => !running.has(upid));
    const endings = await Promise.all(gone.map((upid) => this.#settleOrBear(upid, signal)));
    return endings.includes(true);
  }

  async #settleOrBear(upid: Upid, signal: AbortSignal): Promise<boolean> {
    try {
      const hasEnded = await this.#settle(upid, signal);
      this.#troubleSince.delete(upid);
      return hasEnded;
    } catch (error) {
      signal.throwIfAborted();
      this.#bear(upid, error);
      return false;
    }
  }

  /** True when the task has ended and its waiters know. */
  async #settle(upid: Upid, signal: AbortSignal): Promise<boolean> {
    const status = await this.#statusOf(upid, signal);
    if (!status) return true;
    // Listing lags a little behind starting, so that a new task may look as if it had gone.
    if (status.running) return false;
    const exitstatus = status.exitstatus ?? 'stopped without an exit status';
    if (isGoodEnding(exitstatus)) {
      this.#finish(upid, (waiter) => waiter.resolve({ warnings: exitstatus !== 'OK' }));
      return true;
    }
    const log = await this.#pve.taskLog(upid, LOG_LINES, signal).catch(() => []);
    signal.throwIfAborted();
    const error = new TaskError({ upid, title: titleOf(upid), exitstatus, log });
    this.#finish(upid, (waiter) => waiter.reject(error));
    return true;
  }

  /** Undefined when PVE has forgotten the task; its waiters know then. */
  async #statusOf(upid: Upid, signal: AbortSignal): ReturnType<MaybeStatus> {
    try {
      return await this.#pve.taskStatus(upid, signal);
    } catch (error) {
      if (!(error instanceof PveError) || error.status !== 400) throw error;
      const lost = new AnswerLostError(`task ${titleOf(upid)}`, 'PVE no longer knows how it ended', error);
      this.#finish(upid, (waiter) => waiter.reject(lost));
      return undefined;
    }
  }

  /** Asking failed once more: bear it for a while, then say that the task is out of sight. */
  #bear(upid: Upid, error: unknown): void {
    const since = this.#troubleSince.get(upid) ?? this.#clock.now();
    this.#troubleSince.set(upid, since);
    if (this.#clock.now() - since <= PATIENCE_MS) return;
    const reason = error instanceof Error ? error.message : String(error);
    const lost = new AnswerLostError(
      `task ${titleOf(upid)}`,
      `${this.#node} cannot be asked: ${reason}`,
      error,
    );
    this.#finish(upid, (waiter) => waiter.reject(lost));
  }

  #finish(upid: Upid, tell: (waiter: Waiter) => void): void {
    const waiters = this.#waiting.get(upid);
    this.#waiting.delete(upid);
    this.#troubleSince.delete(upid);
    for (const waiter of waiters ?? []) tell(waiter);
  }

  #rejectAll(error: Error): void {
    for (const upid of [...this.#waiting.keys()]) this.#finish(upid, (waiter) => waiter.reject(error));
  }
}

type MaybeStatus = () => Promise<Awaited<ReturnType<TaskSource['taskStatus']>> | undefined>;

/** `qmclone 100 on pve1`. */
function titleOf(upid: Upid): string {
  const { type, id, node } = parseUpid(upid);
  return [type, id, 'on', node].filter((word) => word !== '').join(' ');
}
