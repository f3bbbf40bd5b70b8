/** Makes first passwords. Must not keep, print or judge one. */
import { randomInt } from 'node:crypto';
import type { PasswordPolicy } from '../config/types.ts';
import { InternalError } from '../errors.ts';

const DIGITS = '0123456789';
/** Without 0 O 1 l I: passwords are read from paper and typed by hand. */
const UNAMBIGUOUS = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const MAX_DRAWS = 10_000;

/** A whole number from 0 to `limit` - 1. */
export type RandomInt = (limit: number) => number;

function draw(alphabet: string, length: number, random: RandomInt): string {
  return Array.from({ length }, () => alphabet.charAt(random(alphabet.length))).join('');
}

/** Whole passwords are drawn again until one fits: filling a digit in afterwards would make some likelier. */
export function generatePassword(
  { length, alphabet }: PasswordPolicy,
  random: RandomInt = (limit) => randomInt(limit),
): string {
  if (alphabet === 'digits') return draw(DIGITS, length, random);
  for (let attempt = 0; attempt < MAX_DRAWS; attempt++) {
    const password = draw(UNAMBIGUOUS, length, random);
    if (/[a-z]/i.test(password) && /\d/.test(password)) return password;
  }
  throw new InternalError('NO_RANDOMNESS', 'the random number generator keeps giving the same numbers');
}
