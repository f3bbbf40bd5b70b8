import { expect, test } from 'vitest';
import { formatLockMark, parseLockMark } from '../../src/lib/marks/lock.ts';

test('a lock tells its owner, with blanks, its run and its deadline', () => {
  const mark = { owner: 'anna (cron)@host/12', run: 'ab12', until: '2026-01-15T09:02:00.000Z' };
  const text = formatLockMark(mark);
  expect(text).toBe('deploy-stand-lock owner=anna (cron)@host/12 run=ab12 until=2026-01-15T09:02:00.000Z');
  expect(parseLockMark(`${text}\n`)).toEqual(mark);
});

test.each([
  '',
  'deploy-stand-lock',
  'deploy-stand-lock owner=a run=b until=soon',
  'x deploy-stand-lock owner=a run=b until=2026',
])('not ours: %j', (text) => {
  expect(parseLockMark(text)).toBeUndefined();
});
