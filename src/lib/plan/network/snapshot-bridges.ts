/**
 * Whether going back to a snapshot would plug a machine into what is not its stand's: PVE asks for no right on the bridges
 * that a snapshot brings back, and numbers change hands. The one rule, for rollbacks and for moves.
 */
import type { BridgeInfo } from '../../inventory/types.ts';
import { parseBridgeMark } from '../../marks/bridge.ts';
import { standBridgeNumber } from '../../pve-values/bridge-name.ts';
import { otherStand, type StandName } from '../cluster/stand-networks.ts';

export type SnapshotBridge =
  | { readonly code: 'other-stand'; readonly user: string; readonly lab: string }
  /** A number as stands get them, and no mark of ours: somebody made it since. */
  | { readonly code: 'unmarked' }
  | { readonly code: 'missing' }
  /** The caller is not shown all bridges, and not this one. */
  | { readonly code: 'unseen' };

/** `named`: what the machine names now, which somebody who may has plugged in; `vnets` have rights of their own. */
export function judgeSnapshotBridge(
  iface: string,
  place: {
    /** Those of the node. */
    readonly bridges: ReadonlyMap<string, BridgeInfo> | undefined;
    readonly isOwn: (stand: StandName) => boolean;
    readonly named: ReadonlySet<string>;
    readonly vnets: ReadonlySet<string>;
    /** The list of bridges may be short. */
    readonly isShort: boolean;
  },
): SnapshotBridge | undefined {
  const other = otherStand(iface, place.bridges, place.isOwn);
  if (other) return { code: 'other-stand', ...other };
  const there = place.bridges?.get(iface);
  if (place.vnets.has(iface)) return undefined;
  if (!there && place.isShort) return place.named.has(iface) ? undefined : { code: 'unseen' };
  if (!there) return { code: 'missing' };
  if (place.named.has(iface) || parseBridgeMark(iface, there.comments)) return undefined;
  return standBridgeNumber(iface) === undefined ? undefined : { code: 'unmarked' };
}
