/** Waits for tasks with one shared poll per node. Must not start, stop or repeat anything. */
import { isGoodEnding } from '../pve-values/task-status.ts';
import { onAbort } from '../abort.ts';
import type { Clock } from '../clock.ts';
import { AnswerLostError, PveError, TaskError } from './errors.ts';
import { TaskPace, type Durations } from './task-pace.ts';
import { parseUpid } from './upid.ts';
import type { PveApi, TaskWaiter, Upid } from './types.ts';

/**
 * Finished tasks stand in the list of all with how they ended, which saves asking for each. With one that began long
 * before, that list could be as long as the archive: then it is the one of running tasks.
 */
const ALL_LISTED_MS = 60_000;
/** How long polling may fail before the tasks are given up as lost. */
const PATIENCE_MS = 60_000;
/** PVE lists 50 tasks if not told otherwise. */
const LIST_LIMIT = 2000;
const LOG_LINES = 10;

/** Not the reason that an abort would make itself, with a stack each time. */
const OVER = new Error('nobody waits any more');

type Ending = { readonly warnings: boolean };
export type TaskSource = Pick<PveApi, 'tasks' | 'taskStatus' | 'taskLog'>;

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
  const durations: Durations = new Map();
  return {
    wait: async (upid, signal) => {
      const { node } = parseUpid(upid);
      const watch = watches.get(node) ?? new NodeWatch(pve, clock, node, durations);
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

interface Waiting {
  readonly since: number;
  readonly waiters: Set<Waiter>;
}

/** All tasks that are waited for on one node, and the one loop that looks after them. */
class NodeWatch {
  readonly #pve: TaskSource;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #pace: TaskPace;
  readonly #waiting = new Map<Upid, Waiting>();
  /** Since when a task could not be asked for. */
  readonly #troubleSince = new Map<Upid, number>();
  /** Ends the running loop's sleep and requests; absent while no loop runs. */
  #loop: AbortController | undefined;
  #nap: AbortController | undefined;

  constructor(pve: TaskSource, clock: Clock, node: string, durations: Durations) {
    this.#pve = pve;
    this.#clock = clock;
    this.#node = node;
    this.#pace = new TaskPace(durations);
  }

  add(upid: Upid, waiter: Waiter): () => void {
    const now = this.#clock.now();
    const task = this.#waiting.get(upid) ?? { since: now, waiters: new Set() };
    task.waiters.add(waiter);
    this.#waiting.set(upid, task);
    this.#pace.add(upid, parseUpid(upid).type, now);
    if (this.#loop) this.#nap?.abort(OVER);
    else this.#start();
    return () => {
      task.waiters.delete(waiter);
      if (task.waiters.size === 0 && this.#waiting.get(upid) === task) this.#forget(upid);
      if (this.#waiting.size === 0) this.#loop?.abort(OVER);
    };
  }

  #start(): void {
    const loop = new AbortController();
    this.#loop = loop;
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

  async #run(signal: AbortSignal): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#sleep(signal);
      const asked = [...this.#waiting.keys()];
      try {
        await this.#look(asked, signal);
        this.#pace.looked(asked, this.#clock.now());
      } catch (error) {
        signal.throwIfAborted();
        this.#pace.looked(asked, this.#clock.now(), { failed: true });
        for (const upid of asked) this.#bear(upid, error);
      }
    }
  }

  /** Until the next look is due; a newcomer may bring that forward. */
  async #sleep(signal: AbortSignal): Promise<void> {
    for (;;) {
      const nap = new AbortController();
      this.#nap = nap;
      const withdraw = onAbort(signal, () => nap.abort(OVER));
      try {
        await this.#clock.sleep(this.#pace.wait(this.#clock.now()), nap.signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!nap.signal.aborted) throw error;
      } finally {
        withdraw();
        this.#nap = undefined;
      }
    }
  }

  /** A task that has left the list of running ones, or never was in it, is asked for where no list tells its end. */
  async #look(asked: readonly Upid[], signal: AbortSignal): Promise<void> {
    const rows = await this.#list(asked, signal);
    const listed = new Map(rows.map((row) => [row.upid, row]));
    await Promise.all(
      asked.map(async (upid) => {
        const row = listed.get(upid);
        if (row && row.status === undefined) this.#troubleSince.delete(upid);
        else if (row?.status === undefined) await this.#settleOrBear(upid, signal);
        else await this.#end(upid, row.status, signal);
      }),
    );
  }

  #list(asked: readonly Upid[], signal: AbortSignal): ReturnType<TaskSource['tasks']> {
    const first = Math.min(...asked.map((upid) => this.#waiting.get(upid)?.since ?? 0));
    const isYoung = this.#clock.now() - first <= ALL_LISTED_MS;
    const since = Math.min(...asked.map((upid) => parseUpid(upid).starttime));
    const which = isYoung ? ({ source: 'all', since } as const) : ({ source: 'active' } as const);
    return this.#pve.tasks(this.#node, { ...which, limit: LIST_LIMIT }, signal);
  }

  async #settleOrBear(upid: Upid, signal: AbortSignal): Promise<void> {
    try {
      await this.#settle(upid, signal);
      this.#troubleSince.delete(upid);
    } catch (error) {
      signal.throwIfAborted();
      this.#bear(upid, error);
    }
  }

  async #settle(upid: Upid, signal: AbortSignal): Promise<void> {
    const status = await this.#statusOf(upid, signal);
    // Listing lags a little behind starting, so that a new task may look as if it had gone.
    if (!status || status.running) return;
    await this.#end(upid, status.exitstatus ?? 'stopped without an exit status', signal);
  }

  /** Tells its waiters how it ended. */
  async #end(upid: Upid, exitstatus: string, signal: AbortSignal): Promise<void> {
    this.#pace.ended(upid, this.#clock.now());
    if (isGoodEnding(exitstatus)) {
      this.#finish(upid, (waiter) => waiter.resolve({ warnings: exitstatus !== 'OK' }));
      return;
    }
    const log = await this.#pve.taskLog(upid, LOG_LINES, signal).catch(() => []);
    signal.throwIfAborted();
    const error = new TaskError({ upid, title: titleOf(upid), exitstatus, log });
    this.#finish(upid, (waiter) => waiter.reject(error));
  }

  /** Undefined when PVE has forgotten the task; its waiters know then. */
  async #statusOf(upid: Upid, signal: AbortSignal): ReturnType<MaybeStatus> {
    try {
      return await this.#pve.taskStatus(upid, signal);
    } catch (error) {
      if (!(error instanceof PveError) || error.status !== 400) throw error;
      const lost = new AnswerLostError(`task ${titleOf(upid)}`, 'PVE no longer knows how it ended', {
        cause: error,
      });
      this.#finish(upid, (waiter) => waiter.reject(lost));
      return undefined;
    }
  }

  /** Asking failed once more: bear it for a while, then say that the task is out of sight. */
  #bear(upid: Upid, error: unknown): void {
    if (!this.#waiting.has(upid)) return;
    const since = this.#troubleSince.get(upid) ?? this.#clock.now();
    this.#troubleSince.set(upid, since);
    if (this.#clock.now() - since <= PATIENCE_MS) return;
    const reason = error instanceof Error ? error.message : String(error);
    const lost = new AnswerLostError(`task ${titleOf(upid)}`, `${this.#node} cannot be asked: ${reason}`, {
      cause: error,
    });
    this.#finish(upid, (waiter) => waiter.reject(lost));
  }

  #finish(upid: Upid, tell: (waiter: Waiter) => void): void {
    const task = this.#waiting.get(upid);
    this.#forget(upid);
    for (const waiter of task?.waiters ?? []) tell(waiter);
  }

  #forget(upid: Upid): void {
    this.#waiting.delete(upid);
    this.#troubleSince.delete(upid);
    this.#pace.delete(upid);
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
