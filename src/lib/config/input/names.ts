/** What PVE accepts as names, from its own format checks. Judges only; does not report. */
import anyAscii from 'any-ascii';
import { BALANCE_LOCK_POOL, LOCK_POOL } from '../../marks/lock.ts';
import { REPLICA_POOL } from '../../marks/replica.ts';

/** dns-name of pve-common JSONSchema.pm: labels of letters, digits and inner hyphens; a label has at most 63. */
export function isDnsName(name: string): boolean {
  return name.split('.').every((label) => /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
}

/** Our own rule: it stands in marks, tags (`lab-<name>`) and file names. */
export function isLabName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,30}$/.test(name);
}

/** The same, for people. */
export const LAB_NAME_RULE = 'a lab name has 1 to 31 characters: a–z, 0–9 and hyphens, no hyphen first';

/** The nearest legal form of a name: `Student_PC` → `student-pc`, `сеть` → `set`; undefined if nothing is left of it. */
export function slug(name: string): string | undefined {
  const plain = anyAscii(name)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+/g, '')
    .slice(0, 31)
    .replaceAll(/-+$/g, '');
  return plain === '' ? undefined : plain;
}

/** One is the mutex of all runs, the other holds template copies. */
export const RESERVED_POOLS: readonly string[] = [LOCK_POOL, BALANCE_LOCK_POOL, REPLICA_POOL];
