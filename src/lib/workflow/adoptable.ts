/** Members of the users' pools, which have to be read for `--adopt`. Decides nothing. */
import type { GuestInfo } from '../inventory/types.ts';

export function membersOf(guests: readonly GuestInfo[], pools: ReadonlySet<string>): number[] {
  return guests.flatMap(({ pool, vmid }) => (pool !== undefined && pools.has(pool) ? [vmid] : []));
}
