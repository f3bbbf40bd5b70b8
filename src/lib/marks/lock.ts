/** The marks of the pools by which runs take turns. Knows their texts, not the turns. */

/** Pool that serialises planning; never a student's. */
export const LOCK_POOL = 'deploy-stand-lock';

/** Pool that keeps two balancers apart for as long as one moves guests. */
export const BALANCE_LOCK_POOL = 'deploy-stand-balance-lock';

/** What the comment of such a pool says. */
export interface LockMark {
  /** Who holds it, for people. */
  readonly owner: string;
  /** Tells runs of one owner apart. */
  readonly run: string;
  /** ISO 8601 UTC. */
  readonly until: string;
}

export function formatLockMark({ owner, run, until }: LockMark): string {
  return `deploy-stand-lock owner=${owner} run=${run} until=${until}`;
}

/** From its deadline on others may take it. `now`: milliseconds, by the server's clock. */
export function isLockPast({ until }: Pick<LockMark, 'until'>, now: number): boolean {
  return Date.parse(until) < now;
}

/** Undefined: not written by us. */
export function parseLockMark(comment: string): LockMark | undefined {
  const [, owner, run, until] =
    /^deploy-stand-lock owner=(.*) run=(\S+) until=(\S+)$/.exec(comment.trim()) ?? [];
  if (owner === undefined || run === undefined || until === undefined) return undefined;
  return Number.isNaN(Date.parse(until)) ? undefined : { owner, run, until };
}
