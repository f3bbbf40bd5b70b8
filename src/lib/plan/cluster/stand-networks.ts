/** Which networks stands have on the nodes, by their marks: nobody else looks for them in the inventory. Judges nothing. */
import { groupBy } from '../../group.ts';
import type { BridgeInfo, NodeNetwork } from '../../inventory/types.ts';
import { parseBridgeMark, type StandMark } from '../../marks/bridge.ts';
import { compareNatural } from '../../order.ts';

export interface StandName {
  readonly lab: string;
  readonly user: string;
}

export interface MarkedNetwork extends StandName {
  /** Its name in the lab. */
  readonly net: string;
  readonly node: string;
  readonly info: BridgeInfo;
}

/** Whose network it is; undefined: no stand's. */
export function standOf({ iface, comments }: Pick<BridgeInfo, 'iface' | 'comments'>): StandMark | undefined {
  const mark = parseBridgeMark(iface, comments);
  return mark?.kind === 'stand' ? mark : undefined;
}

/** In the order of the inventory. */
export function standNetworks(networks: readonly NodeNetwork[]): MarkedNetwork[] {
  return networks.flatMap(({ node, bridges }) =>
    bridges.flatMap((info) => {
      const mark = standOf(info);
      return mark ? [{ lab: mark.lab, user: mark.user, net: mark.net, node, info }] : [];
    }),
  );
}

/** By whatever tells them apart, each list in natural order of node and name. */
export function standNetworksBy(
  networks: readonly NodeNetwork[],
  keyOf: (network: MarkedNetwork) => string,
): Map<string, MarkedNetwork[]> {
  const found = groupBy(standNetworks(networks), keyOf);
  for (const list of found.values())
    list.sort((a, b) => compareNatural(a.node, b.node) || compareNatural(a.info.iface, b.info.iface));
  return found;
}

/** Somebody else's, where that is none of these. */
export function otherStand(
  iface: string,
  bridges: ReadonlyMap<string, BridgeInfo> | undefined,
  isOwn: (stand: StandName) => boolean,
): StandName | undefined {
  const info = bridges?.get(iface);
  const mark = info && standOf(info);
  return mark && !isOwn(mark) ? { user: mark.user, lab: mark.lab } : undefined;
}
