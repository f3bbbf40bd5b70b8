import { expect, test } from 'vitest';
import { takeRouterMac } from '../../../src/lib/plan/stands/macs.ts';

test('router MACs move on while taken, and the space ends loudly', () => {
  const taken = new Set<string>();
  const first = takeRouterMac(10000, 0, taken);
  expect(takeRouterMac(10000 + 2048, 0, taken)).not.toBe(first);
  const all = new Set(
    Array.from({ length: 65536 }, (_, i) => {
      const hex = i.toString(16).toUpperCase().padStart(4, '0');
      return `1C:87:76:40:${hex.slice(0, 2)}:${hex.slice(2)}`;
    }),
  );
  expect(() => takeRouterMac(1, 1, all)).toThrow(RangeError);
});
