/** What has to be read for `--adopt`: members of the users' pools, and nodes with bridges that may be a stand's. Decides nothing. */
import type { BridgeInfo, GuestInfo, NodeNetwork } from '../inventory/types.ts';
import { bridgeObstacle, PLANNED } from '../plan/network/may-go.ts';

export function membersOf(guests: readonly GuestInfo[], pools: ReadonlySet<string>): number[] {
  return guests.flatMap(({ pool, vmid }) => (pool !== undefined && pools.has(pool) ? [vmid] : []));
}

/** On these it has to be known which guest names which bridge. */
export function nodesWithAdoptable(networks: readonly NodeNetwork[]): string[] {
  const isCandidate = (info: BridgeInfo): boolean =>
    bridgeObstacle({ to: 'take-over', isLedTo: PLANNED, guests: PLANNED }, info) === undefined;
  return networks.filter(({ bridges }) => bridges.some(isCandidate)).map(({ node }) => node);
}
