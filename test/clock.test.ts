/** The clock of a run is not the clock on the wall. */
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
