/** Real time, as far as it can be looked at without waiting for it. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createClock } from '../src/lib/clock.ts';

test.each([1, 20])('a sleep of two months is no short one, at speed %i', async (speed) => {
  const waker = new AbortController();
  const slept = createClock(speed).sleep(speed * 60 * 86_400_000, waker.signal);
  const first = await Promise.race([slept.then(() => 'woke by itself'), delay(30, 'asleep')]);
  waker.abort(new Error('woken'));
  await expect(slept).rejects.toThrow('woken');
  expect(first).toBe('asleep');
});
