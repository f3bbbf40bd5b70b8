/** Time as a dependency, so that waits can be scaled by the simulator and skipped by tests. */
import { setTimeout as delay } from 'node:timers/promises';
import { onAbort } from './abort.ts';

/** Milliseconds everywhere. `sleep` rejects with the signal's reason when aborted. */
export interface Clock {
  /** Runs on evenly, however the machine's clock is set meanwhile; for what is measured. */
  now(): number;
  /** What the machine's clock shows; for what is written down, or compared with other clocks. */
  wallTime(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Sleeps; false: `end` came meanwhile. */
export async function rest(clock: Clock, ms: number, end: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, end);
    return true;
  } catch (error) {
    if (!end.aborted) throw error;
    return false;
  }
}

/** A timer of Node that is set for longer (24.8 days) rings at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

async function delayFully(ms: number, signal: AbortSignal): Promise<void> {
  for (let left = ms; left > 0; left -= LONGEST_TIMER_MS)
    await delay(Math.min(left, LONGEST_TIMER_MS), undefined, { signal });
}

/** Real time, or real time run `speed` times as fast (used together with a simulator of the same speed). */
export function createClock(speed = 1): Clock {
  const origin = Date.now();
  const started = performance.now();
  return {
    now: () => origin + (performance.now() - started) * speed,
    wallTime: () => origin + (Date.now() - origin) * speed,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      // Hundreds sleep on the signal of one run: a listener each would look like a leak to Node.
      const nap = new AbortController();
      const withdraw = signal && onAbort(signal, () => nap.abort(signal.reason));
      try {
        await delayFully(ms / speed, nap.signal);
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      } finally {
        withdraw?.();
      }
    },
  };
}
