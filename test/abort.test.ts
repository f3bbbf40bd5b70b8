import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { createClock } from '../src/lib/clock.ts';
import { onAbort } from '../src/lib/abort.ts';

test('all who wait hear of it once, in order; who has withdrawn does not, even at the last moment', () => {
  const controller = new AbortController();
  const heard: string[] = [];
  const hear = (name: string) => () => void heard.push(name);
  onAbort(controller.signal, hear('a'));
  const withdraw = onAbort(controller.signal, hear('b'));
  onAbort(controller.signal, () => {
    heard.push('c');
    withdrawLate();
  });
  const withdrawLate = onAbort(controller.signal, hear('d'));
  onAbort(controller.signal, hear('e'));
  withdraw();
  withdraw();
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
  controller.abort();
  controller.abort();
  expect(heard).toEqual(['a', 'c', 'e']);
});

test('signals are told apart', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const heard: string[] = [];
  onAbort(one.signal, () => heard.push('one'));
  onAbort(other.signal, () => heard.push('other'));
  other.abort();
  expect(heard).toEqual(['other']);
});

test('many sleepers on one signal are one listener: Node would take more than ten for a leak', async () => {
  const controller = new AbortController();
  const clock = createClock();
  const sleeping = Array.from({ length: 50 }, () => clock.sleep(60_000, controller.signal));
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
  controller.abort(new Error('enough'));
  for (const one of await Promise.allSettled(sleeping))
    expect(one).toMatchObject({ reason: new Error('enough') });
});
