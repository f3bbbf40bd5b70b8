/** The clock of a run is not the clock on the wall; real time, as far as it can be looked at without waiting for it. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { createClock } from '../src/lib/clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

test.each([1, 10])(
  'speed %i: what is measured does not jump when the machine is set to another time',
  (speed) => {
    const start = Date.UTC(2026, 2, 1);
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: start });
    const clock = createClock(speed);
    expect([clock.now(), clock.wallTime()]).toEqual([start, start]);
    vi.advanceTimersByTime(1000);
    expect(clock.now() - start).toBeCloseTo(1000 * speed);
    vi.setSystemTime(start - 3_600_000);
    expect(clock.now() - start).toBeCloseTo(1000 * speed);
    expect(clock.wallTime()).toBe(start - 3_600_000 * speed);
  },
);

test.each([1, 20])('a sleep of two months is no short one, at speed %i', async (speed) => {
  const waker = new AbortController();
  const slept = createClock(speed).sleep(speed * 60 * 86_400_000, waker.signal);
  const first = await Promise.race([slept.then(() => 'woke by itself'), delay(30, 'asleep')]);
  waker.abort(new Error('woken'));
  await expect(slept).rejects.toThrow('woken');
  expect(first).toBe('asleep');
});
