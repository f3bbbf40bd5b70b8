/** Every character of Unicode, for texts of any kind: what `unit: 'binary'` draws, without its table of a million rows in each worker. */
import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };

function numberOf(text: unknown): number {
  const point = typeof text === 'string' ? (text.codePointAt(0) ?? -1) : -1;
  const isOne = point >= 0 && text === String.fromCodePoint(point);
  const isHalf = point >= SURROGATES.first && point < SURROGATES.first + SURROGATES.count;
  if (!isOne || isHalf) throw new TypeError('not one character');
  return point < SURROGATES.first ? point : point - SURROGATES.count;
}

export const anyCharacter: fc.Arbitrary<string> = fc
  .nat(0x10ffff - SURROGATES.count)
  .map((n) => String.fromCodePoint(n < SURROGATES.first ? n : n + SURROGATES.count), numberOf);
