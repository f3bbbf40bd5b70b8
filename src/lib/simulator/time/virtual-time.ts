/**
 * Time of a simulation that lives in the same process as its client: it stands still while there is work, and moves to
 * the next event when there is none. However slow the machine is, nobody comes too late. Must not be used with clients
 * of other processes, whose work it cannot see.
 */
import { onAbort } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import type { SimClock } from './sim-clock.ts';
import { Timers } from './timers.ts';

export interface Pace {
  /** Simulated seconds per second of `host`. */
  readonly speed: number;
  readonly host: Clock;
}

export interface TimeOptions {
  /** Without one it jumps. */
  readonly pace?: Pace;
  /** Is there work that it cannot see, such as a request between two sockets? Its end must come to the event loop. */
  readonly isBusy?: () => boolean;
}

/** A pause that the machine spent on other work is not made up for beyond this. */
const LONGEST_DEBT_MS = 20;
/** Modules that are being loaded and keys that are being derived are work that Node lists nowhere. */
const FAR_MS = 10_000;
const TURNS_BEFORE_FAR = 20;

/** Is a file being read or written? Requests to the file system end in another turn of the event loop. */
export function isAtFiles(): boolean {
  return process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq') || name === 'CloseReq');
}

/**
 * In the next turn of the loop. While others are at work (a file is read, say) that is the one in which they end: what
 * does not hold the loop lets it sleep, and their end wakes it. To spin meanwhile would take the CPU from them.
 */
export function inNextTurn(work: () => void, isOthersTurn = isAtFiles()): void {
  const turn = setImmediate(work);
  if (isOthersTurn) turn.unref();
}

export class VirtualTime implements SimClock {
  readonly speed: number;
  readonly #timers = new Timers();
  readonly #pace: Pace | undefined;
  readonly #isBusy: () => boolean;
  #now: number;
  #isStopped = false;
  #isTurning = false;
  #idleTurns = 0;
  /** What the host's clock showed at `#now`. */
  #hostAt: number;
  #stopWaiting: (() => void) | undefined;

  /** `start`: milliseconds since the epoch. */
  constructor(start: number, { pace, isBusy = () => false }: TimeOptions = {}) {
    this.#now = start;
    this.#pace = pace;
    this.#isBusy = isBusy;
    this.#hostAt = pace?.host.now() ?? 0;
    this.speed = pace?.speed ?? 1;
  }

  now(): number {
    return this.#now;
  }

  at(due: number, fire: () => void): () => void {
    if (this.#isStopped) return () => undefined;
    const cancel = this.#timers.add(Math.max(due, this.#now), fire);
    if (this.#stopWaiting) this.#stopWaiting();
    else this.#turnSoon();
    return cancel;
  }

  lasts(ms: number): number {
    return Math.max(0, ms);
  }

  after(ms: number): number {
    return this.#now + this.lasts(ms);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.after(ms), resolve);
    });
  }

  /** For good: who waits is never woken. */
  stop(): void {
    this.#isStopped = true;
    this.#timers.clear();
    this.#stopWaiting?.();
  }

  /** The same time as a client knows it. */
  readonly clock: Clock = {
    now: () => this.#now,
    wallTime: () => this.#now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const cancel = this.at(this.#now + Math.max(0, ms), () => {
          withdraw?.();
          resolve();
        });
        const withdraw =
          signal &&
          onAbort(signal, () => {
            cancel();
            reject(signal.reason as Error);
          });
      }),
  };

  #turnSoon(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    inNextTurn(() => void this.#turn());
  }

  /** One event per turn of the loop: what it resolved runs to its next wait before a later event fires. */
  async #turn(): Promise<void> {
    const due = this.#timers.nextDue;
    if (due === undefined) {
      this.#isTurning = false;
      return;
    }
    const isFar = due - this.#now > FAR_MS;
    const isOthersTurn = this.#isBusy() || isAtFiles();
    if (isOthersTurn || (isFar && this.#idleTurns < TURNS_BEFORE_FAR)) this.#idleTurns += 1;
    else if (await this.#reached(due)) {
      this.#idleTurns = 0;
      this.#fire();
    }
    inNextTurn(() => void this.#turn(), this.#isBusy() || isAtFiles());
  }

  #fire(): void {
    const event = this.#timers.take();
    if (!event) return;
    this.#now = event.due;
    event.fire();
  }

  /** With a pace: waits for the moment; false when there is something new to look at first. */
  async #reached(due: number): Promise<boolean> {
    if (!this.#pace) return true;
    const { host, speed } = this.#pace;
    const moment = this.#hostAt + (due - this.#now) / speed;
    const wait = moment - host.now();
    if (wait >= 1) {
      const waiting = new AbortController();
      this.#stopWaiting = () => waiting.abort();
      await host.sleep(wait, waiting.signal).catch(() => undefined);
      this.#stopWaiting = undefined;
      if (waiting.signal.aborted) return false;
    }
    this.#hostAt = Math.max(moment, host.now() - LONGEST_DEBT_MS);
    return true;
  }
}
