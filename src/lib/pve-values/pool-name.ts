/** PVE's rule for names of pools, and what a name says of the pools above. Judges names only, not whose a pool is. */
import { isAtLeast } from './version.ts';

/**
 * `characters`, `dots`: nowhere; `deep`: below more than two pools; `nested`: not before 8.1; `letter`: not since 9.
 */
export type PoolNameProblem = 'characters' | 'dots' | 'deep' | 'nested' | 'letter';

const DEEPEST = 3;

/**
 * verify_poolname of pve-access-control; `.` and `..` are no path components. Without a version: what some version refuses
 * of a name that others take is not asked.
 */
export function poolNameProblem(pool: string, version?: string): PoolNameProblem | undefined {
  const parts = pool.split('/');
  if (!parts.every((part) => /^[A-Za-z0-9._-]+$/.test(part))) return 'characters';
  if (parts.some((part) => /^\.+$/.test(part))) return 'dots';
  if (parts.length > DEEPEST) return 'deep';
  if (version === undefined) return undefined;
  if (parts.length > 1 && !isAtLeast(version, 8, 1)) return 'nested';
  return isAtLeast(version, 9) && !isLetterFirst(pool) ? 'letter' : undefined;
}

/** Asked of the last part, since PVE 9. */
export function isLetterFirst(pool: string): boolean {
  return /(?:^|\/)[A-Za-z][^/]*$/.test(pool);
}

/** A name like this one that the same rule takes, on every version or on this one. */
export function legalPoolName(pool: string, version = '9.0'): string {
  const isFlat = poolNameProblem('a/b', version) !== undefined;
  const parts = pool
    .split('/')
    .map((part) => part.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[.-]+|[.-]+$/g, ''))
    .filter((part) => part !== '');
  const kept = [...parts.slice(0, DEEPEST - 1), parts.slice(DEEPEST - 1).join('-')].filter(
    (part) => part !== '',
  );
  const name = isFlat ? kept.join('-') : kept.join('/');
  if (name === '') return 'student';
  return isLetterFirst(name) ? name : name.replace(/[^/]*$/, 's-$&');
}

/** The pool right above. */
export function parentPool(pool: string): string | undefined {
  const end = pool.lastIndexOf('/');
  return end > 0 ? pool.slice(0, end) : undefined;
}

/** All above, the uppermost first. */
export function poolsAbove(pool: string): readonly string[] {
  const parent = parentPool(pool);
  return parent === undefined ? [] : [...poolsAbove(parent), parent];
}
