import fc from 'fast-check';
import { expect, test } from 'vitest';
import { generatePassword } from '../../src/lib/credentials/password.ts';
import { runs } from '../runs.ts';

test('unambiguous: a letter, a digit, and no sign that looks like another', () => {
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 64 }), (length) => {
      const password = generatePassword({ length, alphabet: 'unambiguous' });
      expect(password).toMatch(/^[A-Za-z2-9]+$/);
      expect(password).toHaveLength(length);
      expect(password).not.toMatch(/[0O1lI]/);
      expect(password).toMatch(/[A-Za-z]/);
      expect(password).toMatch(/[2-9]/);
    }),
    runs(100, 20_000),
  );
});

test('digits', () => {
  expect(generatePassword({ length: 8, alphabet: 'digits' })).toMatch(/^\d{8}$/);
});

test('every sign is as likely as any other', () => {
  const counts = new Map<string, number>();
  for (let round = 0; round < 2000; round++) {
    for (const sign of generatePassword({ length: 12, alphabet: 'unambiguous' })) {
      counts.set(sign, (counts.get(sign) ?? 0) + 1);
    }
  }
  expect(counts.size).toBe(57);
  // 24000 / 57 = 421; digits are a little likelier, for one is demanded. Ten standard deviations are about 200.
  for (const count of counts.values()) expect(Math.abs(count - 421)).toBeLessThan(220);
});

test('draws again until a digit is there', () => {
  const draws = [...Array<number>(5).fill(0), 0, 0, 0, 0, 56];
  expect(generatePassword({ length: 5, alphabet: 'unambiguous' }, () => draws.shift() ?? 0)).toBe('aaaa9');
});

test('a broken generator is no endless loop', () => {
  expect(() => generatePassword({ length: 5, alphabet: 'unambiguous' }, () => 0)).toThrow(
    'keeps giving the same',
  );
});
