import { expect, test } from 'vitest';
import { isOlder, markTime, sinceOf } from '../../src/lib/marks/time.ts';

const NOW = '2026-11-21T08:00:00.500Z';

test.each([
  ['2026-11-21T07:00:00.500Z', true],
  ['2026-11-21T07:00:00.501Z', false],
  ['2026-11-22T08:00:00Z', false],
  ['yesterday', false],
  ['', false],
  [undefined, false],
])('an object since %s is an hour old: %s; in doubt it is not', (since, expected) => {
  expect(isOlder(since, 3600, NOW)).toBe(expected);
});

test('whole seconds, read back from a mark', () => {
  expect(markTime(NOW)).toBe('2026-11-21T08:00:00Z');
  expect(sinceOf(`deploy-stand lab=net user=a@pve net=lan since=${markTime(NOW)}`)).toBe(markTime(NOW));
  expect(sinceOf('made by hand')).toBeUndefined();
});
