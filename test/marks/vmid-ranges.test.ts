import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatVmids, parseVmids } from '../../src/lib/marks/vmid-ranges.ts';
import { runs } from '../runs.ts';

describe('VMID lists', () => {
  test.each([
    { vmids: [10201, 10202, 10203], text: '10201-10203' },
    { vmids: [7, 5, 6, 100, 102], text: '5-7,100,102' },
    { vmids: [], text: '' },
  ])('$text', ({ vmids, text }) => {
    expect(formatVmids(vmids)).toBe(text);
    expect(parseVmids(text, 1000)).toEqual([...vmids].sort((a, b) => a - b));
  });

  test('any list survives the round trip', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 100, max: 20_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(ids, (vmids) => {
        expect(parseVmids(formatVmids(vmids), 1000)).toEqual([...vmids].sort((a, b) => a - b));
      }),
      runs(100, 20_000),
    );
  });

  test('a comment edited by hand cannot make us allocate a million ids', () => {
    expect(parseVmids('1-999999999,abc,5-3,,12', 1000)).toEqual([12]);
  });
});
