import fc from 'fast-check';
import { expect, test } from 'vitest';
import { legalPoolName, poolNameProblem, poolsAbove } from '../../src/lib/pve-values/pool-name.ts';
import { runs } from '../runs.ts';

test.each([
  ['anna', undefined, undefined, undefined],
  ['1st', undefined, undefined, 'letter'],
  ['class10/anna', 'nested', undefined, undefined],
  ['class10/1st', 'nested', undefined, 'letter'],
  ['1/b/anna', 'nested', undefined, undefined],
  ['a/b/c/d', 'deep', 'deep', 'deep'],
  ['a//b', 'characters', 'characters', 'characters'],
  ['a/..', 'dots', 'dots', 'dots'],
  ['Иван', 'characters', 'characters', 'characters'],
])('%s on 7.4, 8.4, 9.2: %s, %s, %s', (pool, ...verdicts) => {
  expect(['7.4', '8.4', '9.2'].map((version) => poolNameProblem(pool, version))).toEqual(verdicts);
});

test('what is proposed passes the rule that refused', () => {
  const name = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom('a', '1', '.', '/', '-', ' ', 'я')).map((a) => a.join('')),
  );
  fc.assert(
    fc.property(name, fc.constantFrom('7.4', '8.0', '8.1', '8.4', '9.2'), (pool, version) => {
      expect(poolNameProblem(legalPoolName(pool, version), version)).toBeUndefined();
    }),
    runs(100, 20_000),
  );
});

test('the pools above, from the top', () => {
  expect([poolsAbove('a'), poolsAbove('a/b/c')]).toEqual([[], ['a', 'a/b']]);
});
