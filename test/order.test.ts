import { expect, test } from 'vitest';
import { sortedUnique } from '../src/lib/order.ts';

test('names sort as people count', () => {
  expect(sortedUnique(['s10', 's2', 's2', 's1', 'a'])).toEqual(['a', 's1', 's2', 's10']);
});
