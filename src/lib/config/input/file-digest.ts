/** A fingerprint of what an input file says, by which a plan knows the files that it was made from. */
import { createHash } from 'node:crypto';
import { canonicalText } from '../../order.ts';

/** A password's hash in a plan that others read could be guessed at: it is left out. */
function withoutPasswords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPasswords);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === 'password' ? true : withoutPasswords(item)]),
  );
}

/** SHA-256 of the parsed file, so that comments, layout and the order of keys do not matter. */
export function digestOf(parsed: unknown): string {
  return createHash('sha256')
    .update(canonicalText(withoutPasswords(parsed)))
    .digest('hex');
}
