/** Mistakes that no longer fit the sources would prove nothing, and be noticed by nobody until the next long run. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mutations } from './mutations.mjs';

test('every mistake of the long run is in its file, once', () => {
  const strange = mutations.filter(({ file, find }) => readFileSync(file, 'utf8').split(find).length !== 2);
  expect(strange.map(({ file, find }) => `${file}: ${find}`)).toEqual([]);
});
