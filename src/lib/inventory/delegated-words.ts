/** In words: who may write a pool, what comes of it, and the way out. Asks nothing. */
import type { PoolWriter } from './types.ts';

/** Sys.Audit there shows the whole list, and gives nothing else but to see users and groups (PVE/API2/ACL.pm). */
const SIGHT = 'give the caller Sys.Audit on /access, which shows it all rights and lets it change none';
const SIGHT_WAY_OUT = `${SIGHT}, or Pool.Allocate on the pool and those above it`;

export const OR_OPERATOR =
  'or name the account in `operators:` of the connections file if it runs deploy-stand too';

/** What to do, so that the seal alone proves again whose a clone is. */
export const SEAL_WAY_OUT = `take one of these rights away, ${OR_OPERATOR}; what is not shown: ${SIGHT}`;

/** What was written into the comment while somebody else could is believed as soon as nobody else can any more. */
const DELEGATED_WAY_OUT = `first look at the comment of the pool and take out of its \`lab=\` and \`source=\` lines what is not ours, only then take that right away from all who are named (the comment is believed from that moment on), ${OR_OPERATOR}`;

/** After "pool x". */
export function mayBeWritten({ unseen }: Pick<PoolWriter, 'unseen'>): string {
  return unseen ? 'may be writable for somebody else' : 'can be written by somebody else';
}

/** After that, of what stands there. */
export const PROVES_NOTHING = 'so nothing in it proves what is ours';

/** What to do, before "then run again". */
export function delegatedWayOut({ unseen }: Pick<PoolWriter, 'unseen'>): string {
  return unseen ? SIGHT_WAY_OUT : DELEGATED_WAY_OUT;
}

const NAMED_AT_MOST = 5;

/** What is named of many, and how many are not. */
export function firstOf(names: readonly string[]): {
  readonly named: readonly string[];
  readonly more: number;
} {
  const named = names.slice(0, NAMED_AT_MOST);
  return { named, more: names.length - named.length };
}

export function sayFirst(names: readonly string[]): string {
  const { named, more } = firstOf(names);
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
