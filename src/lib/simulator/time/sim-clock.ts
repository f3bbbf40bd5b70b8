/**
 * Simulated time: wall time run `speed` times as fast, but never past an event that has not been handled. A slow
 * machine therefore makes the simulation late, never wrong: a lock is released before the timeout that follows it.
 */
import { Timers } from './timers.ts';

export interface SimClock {
  now(): number;
  readonly speed: number;
  sleep(ms: number): Promise<void>;
  /** Runs `fire` at a moment; the result cancels it. */
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

  const target = (): number => start + (performance.now() - origin) * speed;

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
    wake = setTimeout(pump, Math.max(0, (due - target()) / speed));
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
