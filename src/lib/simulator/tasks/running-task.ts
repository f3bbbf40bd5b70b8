/** One worker task while it runs: its log, its waits, its locks, its end by signal or power loss. Starts nothing. */
import type { Release } from './locks.ts';
import { PveError } from '../pve-error.ts';
import type { SimClock } from '../time/sim-clock.ts';
import type { Json, TaskState } from '../state.ts';

/** What a worker sees of its task. */
export interface TaskContext {
  readonly node: string;
  readonly upid: string;
  readonly user: string;
  log(line: string): void;
  /** Counts towards `WARNINGS: n`. */
  warn(line: string): void;
  /** Lets simulated time pass, once: after a reload only the rest is waited for. */
  wait(label: string, ms: number): Promise<void>;
  /** Runs an effect that must not happen again after a reload. */
  once(label: string, effect: () => void): void;
  /** Draws a value once: after a reload it is the same again. */
  remember(label: string, make: () => string): string;
  done(label: string): boolean;
  /** Holds a lock during `work`; a dying node drops it. */
  locked<T>(acquire: Promise<Release>, work: () => Promise<T>): Promise<T>;
}

const never = new Promise<never>(() => undefined);

export class RunningTask implements TaskContext {
  readonly state: TaskState;
  readonly #clock: SimClock;
  readonly #held = new Set<Release>();
  #warnings = 0;
  #dead = false;
  #interrupt: (() => void) | undefined;
  #interrupted = false;

  constructor(state: TaskState, clock: SimClock) {
    this.state = state;
    this.#clock = clock;
  }

  get node(): string {
    return this.state.node;
  }

  get upid(): string {
    return this.state.upid;
  }

  get user(): string {
    return this.state.user;
  }

  get warnings(): number {
    return this.#warnings;
  }

  get dead(): boolean {
    return this.#dead;
  }

  log(line: string): void {
    this.state.log.push(...line.split('\n'));
  }

  warn(line: string): void {
    this.#warnings += 1;
    this.log(`WARN: ${line}`);
  }

  get #progress(): Record<string, Json> {
    return this.state.job?.progress ?? {};
  }

  done(label: string): boolean {
    return this.#progress[label] !== undefined;
  }

  once(label: string, effect: () => void): void {
    if (this.done(label)) return;
    effect();
    this.#progress[label] = true;
  }

  remember(label: string, make: () => string): string {
    const known = this.#progress[label];
    if (typeof known === 'string') return known;
    const fresh = make();
    this.#progress[label] = fresh;
    return fresh;
  }

  async wait(label: string, ms: number): Promise<void> {
    const until = this.#progress[label] ?? this.#clock.after(ms);
    this.#progress[label] = until;
    await this.#sleepUntil(Number(until));
    if (this.#dead) await never;
    if (this.#interrupted) {
      this.#interrupted = false;
      throw new PveError(500, 'interrupted by signal');
    }
    const { fault } = this.state;
    if (fault !== undefined && !/^(?:OK|WARNINGS: \d+)$/.test(fault)) throw new PveError(500, fault);
  }

  #sleepUntil(until: number): Promise<void> {
    if (this.#interrupted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.at(until, resolve);
      this.#interrupt = () => {
        cancel();
        resolve();
      };
    });
  }

  async locked<T>(acquire: Promise<Release>, work: () => Promise<T>): Promise<T> {
    const release = await acquire;
    if (this.#dead) {
      release();
      return never;
    }
    this.#held.add(release);
    try {
      return await work();
    } finally {
      this.#held.delete(release);
      release();
    }
  }

  /** SIGTERM: the next wait fails, and the worker cleans up. */
  interrupt(): void {
    this.#interrupted = true;
    this.#interrupt?.();
  }

  /** The node is gone: nothing runs any more, nothing is cleaned up. */
  kill(): void {
    this.#dead = true;
    for (const release of this.#held) release();
    this.#held.clear();
  }
}
