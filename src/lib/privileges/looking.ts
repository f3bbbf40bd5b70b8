/** What an account could do beside looking: whoever only looks is best served by one that can do nothing else. Pure. */
import type { Rights } from '../inventory/types.ts';
import { sortedUnique } from '../order.ts';

/** Those of the role PVEAuditor, whatever the version. */
const LOOKS = /\.Audit$/;

export function beyondLooking(rights: Rights): string[] {
  return sortedUnique(
    Object.values(rights).flatMap((held) => Object.keys(held).filter((privilege) => !LOOKS.test(privilege))),
  );
}
