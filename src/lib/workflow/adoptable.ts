/** What has to be read for `--adopt`: members of the users' pools, and nodes with bridges that may be a stand's. Decides nothing. */
import type { GuestInfo, NodeNetwork } from '../inventory/types.ts';
import { isAdoptableBridge } from '../plan/adopt.ts';

export function membersOf(guests: readonly GuestInfo[], pools: ReadonlySet<string>): number[] {
  return guests.flatMap(({ pool, vmid }) => (pool !== undefined && pools.has(pool) ? [vmid] : []));
}

/** On these it has to be known which guest names which bridge. */
export function nodesWithAdoptable(networks: readonly NodeNetwork[]): string[] {
  return networks.filter(({ bridges }) => bridges.some(isAdoptableBridge)).map(({ node }) => node);
}
