/**
 * Time for clients of other processes. Its clock runs as theirs do, since they judge by it: how old a task is, whether a lock
 * of theirs, renewed while they wait, has expired. What takes time is over `speed` times as soon. Time never passes an event
 * that has not been handled: a slow machine makes the simulation late, never wrong, and a lock is released before the
 * timeout that follows it.
 */
import { Timers } from './timers.ts';

export interface SimClock {
  now(): number;
  readonly speed: number;
  /** How long it lasts by this clock what takes so long on a cluster. */
  lasts(ms: number): number;
  /** When it is over by this clock. */
  after(ms: number): number;
  /** Until it is over. */
  sleep(ms: number): Promise<void>;
  /** Runs `fire` at a moment of this clock; the result cancels it. */
  at(due: number, fire: () => void): () => void;
  stop(): void;
}

export function createSimClock(start: number, speed: number): SimClock {
  const timers = new Timers();
  const origin = performance.now();
  let last = start;
  let wake: NodeJS.Timeout | undefined;
  let wakeDue = Infinity;
  let pumping = false;
  let stopped = false;

  const target = (): number => start + performance.now() - origin;

  // While events are worked off, time stands still at the latest of them.
  const now = (): number => {
    if (pumping) return last;
    last = Math.max(last, Math.min(target(), timers.nextDue ?? Infinity));
    return last;
  };

  const arm = (): void => {
    const due = timers.nextDue;
    if (due === undefined || pumping || stopped || wakeDue <= due) return;
    clearTimeout(wake);
    wakeDue = due;
    wake = setTimeout(pump, Math.max(0, due - target()));
  };

  // One event per turn of the loop: what it resolved runs to its next wait before a later event fires.
  function pump(): void {
    wakeDue = Infinity;
    const due = timers.nextDue;
    if (stopped || due === undefined || due > target()) {
      pumping = false;
      arm();
      return;
    }
    pumping = true;
    last = Math.max(last, due);
    timers.take()?.fire();
    setImmediate(pump);
  }

  const at = (due: number, fire: () => void): (() => void) => {
    const cancel = timers.add(Math.max(due, last), fire);
    arm();
    return cancel;
  };

  const lasts = (ms: number): number => Math.max(0, ms) / speed;
  const after = (ms: number): number => now() + lasts(ms);

  return {
    ...{ now, speed, lasts, after, at },
    sleep: (ms) =>
      new Promise((resolve) => {
        at(after(ms), resolve);
      }),
    stop: () => {
      stopped = true;
      clearTimeout(wake);
    },
  };
}
