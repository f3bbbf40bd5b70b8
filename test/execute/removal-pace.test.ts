import { expect, test } from 'vitest';
import { RemovalPace } from '../../src/lib/execute/removal-pace.ts';
import { VirtualTime } from '../../src/lib/simulator/time/virtual-time.ts';

const { signal } = new AbortController();

/** Six lanes of removals that take so many seconds each; answers when each of them began. */
async function begun(seconds: readonly number[]): Promise<number[]> {
  const time = new VirtualTime(0);
  const pace = new RemovalPace(time.clock);
  const began: number[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < seconds.length; at = next++) {
      const own = at;
      await pace.remove(async () => {
        began[own] = time.now() / 1000;
        await time.sleep((seconds[own] ?? 0) * 1000);
        return own;
      }, signal);
    }
  };
  await Promise.all(Array.from({ length: 6 }, lane));
  time.stop();
  return began;
}

test('all lanes go on while each takes about as long', async () => {
  const at = await begun(Array.from({ length: 30 }, (_, i) => 2 + (i % 3)));
  expect(Math.max(...at)).toBeLessThan(18);
});

test('they do not begin at once, where all would want the same lock at once', async () => {
  const at = (await begun(Array.from({ length: 30 }, () => 2))).toSorted((a, b) => a - b);
  const gaps = at.slice(1).map((moment, i) => moment - (at[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(0.2);
  expect(Math.max(...at)).toBeLessThan(12);
});

test('none is begun while one takes much longer than the others', async () => {
  const at = await begun([9, ...Array.from({ length: 40 }, () => 2)]);
  expect(at.filter((moment) => moment > 5.2 && moment < 9)).toEqual([]);
  expect(at.filter((moment) => moment >= 9).length).toBeGreaterThan(10);
});

test('one that is slow for another reason holds up the others for ten seconds at most', async () => {
  const at = await begun([60, ...Array.from({ length: 40 }, () => 2)]);
  expect(at.filter((moment) => moment > 15 && moment < 60).length).toBeGreaterThan(10);
});

test('where all are slow, none is held up', async () => {
  const at = await begun(Array.from({ length: 18 }, (_, i) => 30 + (i % 3)));
  expect(Math.max(...at)).toBeLessThan(70);
});

test('what had nothing to remove does not tell how long the others may take', async () => {
  const time = new VirtualTime(0);
  const pace = new RemovalPace(time.clock);
  await pace.remove(() => Promise.resolve(), signal);
  const usual = pace.remove(() => time.sleep(4500), signal);
  await time.sleep(4000);
  await pace.remove(() => Promise.resolve(), signal);
  expect(time.now()).toBe(4000);
  await usual;
  time.stop();
});

test('whoever waits can be interrupted, and a failure frees the place', async () => {
  const time = new VirtualTime(0);
  const pace = new RemovalPace(time.clock);
  const slow = pace.remove(() => time.sleep(9000), signal);
  await time.sleep(6000);
  const stop = new AbortController();
  const waiting = pace.remove(() => Promise.resolve(), stop.signal);
  stop.abort(new Error('stop'));
  await expect(waiting).rejects.toThrow('stop');
  await slow;
  await expect(pace.remove(() => Promise.reject(new Error('bad')), signal)).rejects.toThrow('bad');
  await pace.remove(() => Promise.resolve(), signal);
  time.stop();
});
